// Counts the steps of an evaluation and stops it at a limit. The CEL library evaluates without one.

import type { ParseResult } from '@marcbachmann/cel-js'
import { AppError } from '../base/errors.ts'
import { compilePattern, type Pattern } from './pattern.ts'

/** What a call of a function costs beside its arguments: calendar functions are the slowest. */
const CALL_STEPS = 20
const PATTERN_STEPS = 500
const CHARS_PER_STEP = 16
/** The longest text and list that an expression may build. */
const TEXT_CHARS_MAX = 262_144
const LIST_ITEMS_MAX = 20_000
const PATTERNS_KEPT_MAX = 20

/**
 * The parts of the library's syntax tree that are used here and missing from its types (version 8.0.0, pinned):
 * `meta.evaluate` runs a node, `handle` is given the values of its operands, `meta.alternate` and `meta.macro`
 * stand for the node when it was written as a macro.
 */
interface Node {
  readonly op: string
  readonly args: unknown
  readonly meta: { readonly evaluate: Evaluate; readonly alternate?: Node; readonly macro?: object }
  handle?: Handle
  setMeta(key: 'evaluate', value: Evaluate): void
}
type Evaluate = (...inputs: readonly unknown[]) => unknown
type Handle = (...inputs: readonly unknown[]) => unknown

/**
 * The parsed and checked expression as a function that throws `definition.invalid` after `stepsMax` steps.
 * Every node is wrapped. CEL's `||`, `&&` and `exists` swallow errors of one side; once the steps are used up,
 * each further node fails at once, so nothing goes on behind a swallowed error.
 */
export function limitEvaluation(parsed: ParseResult, stepsMax: number): (values: object) => unknown {
  const exceeded = new AppError('definition.invalid', `it takes more than ${stepsMax} steps`)
  let left = 0
  const spend = (steps: number): void => {
    left -= steps
    if (left < 0) throw exceeded
  }
  wrapAll(parsed.ast as unknown as Node, spend)
  return (values) => {
    left = stepsMax
    const result: unknown = parsed(values)
    if (left < 0) throw exceeded
    return result
  }
}

type Spend = (steps: number) => void

function wrapAll(root: Node, spend: Spend): void {
  const patterns = new Map<string, Pattern>()
  const seen = new Set<object>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    if (!isNode(value)) {
      for (const inner of Object.values(value)) visit(inner)
      return
    }
    visit(value.args)
    visit(value.meta.alternate)
    visit(value.meta.macro)
    wrap(value, spend, patterns)
  }
  visit(root)
}

function isNode(value: object): value is Node {
  return 'op' in value && 'setMeta' in value
}

function wrap(node: Node, spend: Spend, patterns: Map<string, Pattern>): void {
  const evaluate = node.meta.evaluate
  node.setMeta('evaluate', (...inputs) => {
    spend(1)
    return evaluate(...inputs)
  })
  const handle = node.handle
  if (handle === undefined) return
  if (node.op === 'call' || node.op === 'rcall') node.handle = wrapCall(node, handle, spend, patterns)
  else node.handle = wrapOperator(node.op, handle, spend)
}

function wrapOperator(op: string, handle: Handle, spend: Spend): Handle {
  if (op === '==' || op === '!=' || op === 'in') {
    return (left, right, ...rest) => {
      spendDeep(left, spend)
      spendDeep(right, spend)
      return handle(left, right, ...rest)
    }
  }
  if (op !== '+' && op !== '<' && op !== '<=' && op !== '>' && op !== '>=') return handle
  return (left, right, ...rest) => {
    spend(size(left) + size(right))
    if (op === '+') checkSum(left, right)
    return handle(left, right, ...rest)
  }
}

function wrapCall(node: Node, handle: Handle, spend: Spend, patterns: Map<string, Pattern>): Handle {
  const name = Array.isArray(node.args) ? node.args[0] : undefined
  return (operands, ...rest) => {
    const values: readonly unknown[] = Array.isArray(operands) ? operands : []
    spend(CALL_STEPS + values.reduce<number>((sum, value) => sum + size(value), 0))
    const [first, second] = values
    if (name === 'matches' && typeof first === 'string' && typeof second === 'string') {
      return patternFor(second, patterns, spend).test(first)
    }
    if (name === 'join') checkJoined(first, second)
    const result = handle(operands, ...rest)
    spend(size(result))
    return result
  }
}

function patternFor(source: string, patterns: Map<string, Pattern>, spend: Spend): Pattern {
  const known = patterns.get(source)
  if (known !== undefined) return known
  spend(PATTERN_STEPS)
  const pattern = compilePattern(source, '')
  if (patterns.size < PATTERNS_KEPT_MAX) patterns.set(source, pattern)
  return pattern
}

function size(value: unknown): number {
  if (typeof value === 'string') return Math.floor(value.length / CHARS_PER_STEP)
  if (value instanceof Uint8Array) return Math.floor(value.length / CHARS_PER_STEP)
  return Array.isArray(value) ? value.length : 0
}

/** Spends a step for each value inside: comparing goes through all of them, and shared parts count each time. */
function spendDeep(value: unknown, spend: Spend): void {
  const open = [value]
  for (let next = open.pop(); open.length > 0 || next !== undefined; next = open.pop()) {
    spend(1 + size(next))
    if (typeof next === 'object' && next !== null) for (const inner of Object.values(next)) open.push(inner)
  }
}

function checkSum(left: unknown, right: unknown): void {
  if (typeof left === 'string' && typeof right === 'string') checkText(left.length + right.length)
  if (left instanceof Uint8Array && right instanceof Uint8Array) checkText(left.length + right.length)
  if (Array.isArray(left) && Array.isArray(right) && left.length + right.length > LIST_ITEMS_MAX) {
    throw new AppError('definition.invalid', `it builds a list of more than ${LIST_ITEMS_MAX} items`)
  }
}

function checkJoined(list: unknown, separator: unknown): void {
  if (!Array.isArray(list)) return
  let chars = 0
  for (const item of list) {
    chars += typeof item === 'string' ? item.length : 0
    chars += typeof separator === 'string' ? separator.length : 0
  }
  checkText(chars)
}

function checkText(chars: number): void {
  if (chars > TEXT_CHARS_MAX) {
    throw new AppError('definition.invalid', `it builds a text of more than ${TEXT_CHARS_MAX} characters`)
  }
}
