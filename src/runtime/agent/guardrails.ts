// Guardrails: rules of an agent on what comes in, what goes out, and which calls may be made.

import { AppError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import type { Guardrail } from '../../contract/agent.ts'
import type { CodeGuardrail, CodeGuardrailContext } from '../../define/code-tool.ts'
import { compileExpression } from '../../sandbox/expression.ts'
import { compilePattern } from '../../sandbox/pattern.ts'
import { timed } from './interruption.ts'

/** How long the host's code may take to judge. What it has not judged by then does not pass. */
const GUARDRAIL_MS_MAX = 30_000

export type Place = Guardrail['on']

/** What the rules of a place said of a value: it may pass, changed or not, or it may not. */
export type Verdict<V> =
  | { readonly status: 'passed'; readonly value: V; readonly triggered: readonly string[] }
  | {
      readonly status: 'blocked'
      readonly rule: string
      readonly message: string
      readonly triggered: readonly string[]
    }

export interface Guardrails {
  /** Whether any rule of the place is the host's code, which may take its time. */
  readonly slow: Readonly<Record<Place, boolean>>
  checkText(on: 'input' | 'output', text: string, context: CodeGuardrailContext): Promise<Verdict<string>>
  checkCall(tool: string, args: Json, context: CodeGuardrailContext): Promise<Verdict<Json>>
}

/** A rule's answer: undefined where it does not apply. */
type Answer =
  | { readonly action: 'block'; readonly message: string }
  | { readonly action: 'modify'; readonly value: Json }
  | undefined
/** `text` is what patterns and texts look at; `value` what the host's code receives. */
interface Rule {
  readonly name: string
  readonly on: Place
  readonly code: boolean
  check(
    seen: { readonly tool: string | undefined; readonly value: Json },
    context: CodeGuardrailContext,
  ): Answer | Promise<Answer>
}

export function compileGuardrails(
  guardrails: readonly Guardrail[],
  code: ReadonlyMap<string, CodeGuardrail>,
): Guardrails {
  const rules = guardrails.map((guardrail) => compileRule(guardrail, code))
  const slow = (on: Place): boolean => rules.some((rule) => rule.on === on && rule.code)
  const run = async (
    on: Place,
    tool: string | undefined,
    value: Json,
    context: CodeGuardrailContext,
  ): Promise<Verdict<Json>> => {
    let current = value
    const triggered: string[] = []
    for (const rule of rules) {
      if (rule.on !== on) continue
      const answer = await rule.check({ tool, value: current }, context)
      if (answer === undefined) continue
      triggered.push(rule.name)
      if (answer.action === 'block')
        return { status: 'blocked', rule: rule.name, message: answer.message, triggered }
      current = answer.value
    }
    return { status: 'passed', value: current, triggered }
  }
  return {
    slow: { input: slow('input'), output: slow('output'), tool_call: slow('tool_call') },
    async checkText(on, text, context) {
      const verdict = await run(on, undefined, text, context)
      return verdict.status === 'blocked' ? verdict : { ...verdict, value: String(verdict.value) }
    },
    checkCall: (tool, args, context) => run('tool_call', tool, args, context),
  }
}

function compileRule(guardrail: Guardrail, code: ReadonlyMap<string, CodeGuardrail>): Rule {
  const { name, on, check } = guardrail
  const blocked = {
    action: 'block',
    message: guardrail.message ?? `The guardrail "${name}" does not allow this.`,
  } as const
  switch (check.type) {
    case 'expression': {
      const expression = compileExpression(check.when, {
        variables: on === 'tool_call' ? ['tool', 'arguments'] : ['text'],
      })
      return {
        name,
        on,
        code: false,
        check: ({ tool, value }) => {
          const applies = expression.evaluate(
            tool === undefined ? { text: value } : { tool, arguments: value },
          )
          return applies === true ? blocked : undefined
        },
      }
    }
    case 'pattern': {
      const pattern = compilePattern(check.pattern, check.ignoreCase === true ? 'iu' : 'u')
      const tooLong = `The guardrail "${name}" can judge texts of at most ${pattern.inputCharsMax} characters; this one is longer.`
      const replacement = guardrail.replacement ?? '[removed]'
      return {
        name,
        on,
        code: false,
        check: ({ value }) => {
          const changed = mapTexts(value, (text) =>
            text.length > pattern.inputCharsMax ? TOO_LONG : pattern.replace(text, replacement),
          )
          // What a rule cannot judge does not pass.
          if (changed.tooLong) return { action: 'block', message: tooLong }
          if (!changed.matched) return undefined
          return guardrail.action === 'block' ? blocked : { action: 'modify', value: changed.value }
        },
      }
    }
    case 'code': {
      const rule = code.get(check.name)
      if (rule === undefined) {
        throw new AppError(
          'tool.unregistered',
          `This server has no guardrail "${check.name}". Register it in the host's code.`,
        )
      }
      return {
        name,
        on,
        code: true,
        check: async ({ tool, value }, context) => {
          const seen = tool === undefined ? value : { tool, arguments: value }
          const result = await timed(GUARDRAIL_MS_MAX, context.signal, (signal) =>
            rule.check(seen, { ...context, signal }),
          )
          switch (result.status) {
            case 'done':
              return result.value.action === 'allow' ? undefined : result.value
            case 'threw':
              throw result.error
            case 'stopped':
              throw context.signal.reason
            case 'timeout':
            case 'idle':
              return { action: 'block', message: `The guardrail "${name}" did not answer in time.` }
            default:
              return result satisfies never
          }
        },
      }
    }
    default:
      return check satisfies never
  }
}

const TOO_LONG = Symbol('too long')

/** Applies a change to every text in a value. `change` answers undefined where the text stays. */
function mapTexts(
  value: Json,
  change: (text: string) => string | undefined | typeof TOO_LONG,
): { readonly matched: boolean; readonly tooLong: boolean; readonly value: Json } {
  let matched = false
  let tooLong = false
  const visit = (node: Json): Json => {
    if (typeof node === 'string') {
      const changed = change(node)
      if (changed === TOO_LONG) tooLong = true
      if (typeof changed !== 'string') return node
      matched = true
      return changed
    }
    if (Array.isArray(node)) return node.map((item: Json) => visit(item))
    if (typeof node === 'object' && node !== null) {
      return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, visit(item)]))
    }
    return node
  }
  const mapped = visit(value)
  return { matched, tooLong, value: mapped }
}
