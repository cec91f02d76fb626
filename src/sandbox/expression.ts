// Expressions that users write in definitions: conditions, mappings, defaults. The language is CEL.
// Owns compiling, limits and the passage of values in and out; never runs JavaScript from a definition.
// Called by runtime/ (workflow conditions, tools) and catalog/ (checks when a definition is saved).

import { Environment, EvaluationError, ParseError, TypeError as TypeCheckError } from '@marcbachmann/cel-js'
import { AppError, isAppError } from '../base/errors.ts'
import type { Json, JsonObject } from '../base/json.ts'
import { limitEvaluation } from './expression-budget.ts'
import { fieldsRead } from './expression-fields.ts'
import { jsonResult } from './expression-result.ts'

const EXPRESSION_CHARS_MAX = 4_096
const EXPRESSION_NODES_MAX = 1_000
const EXPRESSION_DEPTH_MAX = 32
/** Single steps of one evaluation: nodes visited, items looked at, pieces of text handled. Below half a second. */
const EXPRESSION_STEPS_MAX = 200_000
const CACHE_ENTRIES_MAX = 500

export interface Expression {
  readonly source: string
  /** The CEL type of its result where that is known before running: `bool`, `string`, `dyn` … */
  readonly type: string
  /** The fields of a variable that it reads, `*` where that is only known when running. */
  fields(variable: string): readonly string[]
  /** Throws `definition.invalid` when it fails on these values or passes a limit. The same values, the same result. */
  evaluate(values: JsonObject): Json
}

export interface ExpressionOptions {
  /** The names it may use; any other is an error when compiling. Left out: any name, an error when evaluating. */
  readonly variables?: readonly string[]
}

/**
 * Compiles a CEL expression, or throws `definition.invalid` with what is wrong and where (line and column from 1).
 *
 * Numbers: JSON numbers are doubles, as the CEL specification maps them, so `5 / 2` of two JSON numbers is 2.5,
 * while `5 / 2` of two literals is the integer 2. Beyond the specification, ints and doubles may be mixed in
 * arithmetic, which gives a double. Results come back as JSON numbers; an integer that a JSON number cannot
 * hold exactly is an error, and so are NaN and the infinities. Timestamps and durations come back as texts.
 *
 * Enforced: length, nodes and depth of the source; steps of an evaluation (every node, also inside macros, each
 * item of a compared list, 16 characters of text handled); the length of texts and lists that are built; the
 * size of the result; patterns of `matches` (`pattern.ts`). Not enforced: a limit in seconds, since nothing can
 * interrupt it; the limit of steps stands in for it.
 */
export function compileExpression(source: string, options: ExpressionOptions = {}): Expression {
  const key = `${options.variables?.join(' ') ?? '*'}\n${source}`
  const known = compiled.get(key)
  const expression = known ?? compile(source, options.variables)
  // Least recently used first: a Map keeps the order of insertion.
  if (known !== undefined) compiled.delete(key)
  compiled.set(key, expression)
  const oldest = compiled.size > CACHE_ENTRIES_MAX ? compiled.keys().next().value : undefined
  if (oldest !== undefined) compiled.delete(oldest)
  return expression
}

const compiled = new Map<string, Expression>()

const LIMITS = { maxAstNodes: EXPRESSION_NODES_MAX, maxDepth: EXPRESSION_DEPTH_MAX }
const openEnvironment = withMixedNumbers(
  new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false, limits: LIMITS }),
)
const closedEnvironment = withMixedNumbers(
  new Environment({ unlistedVariablesAreDyn: false, homogeneousAggregateLiterals: false, limits: LIMITS }),
)

function compile(source: string, variables: readonly string[] | undefined): Expression {
  if (source.length > EXPRESSION_CHARS_MAX) {
    throw invalid(source, `it is longer than ${EXPRESSION_CHARS_MAX} characters`)
  }
  try {
    const parsed = environmentFor(variables).parse(source)
    const checked = parsed.check()
    if (!checked.valid) throw checked.error ?? new Error('unknown')
    const limited = limitEvaluation(parsed, EXPRESSION_STEPS_MAX)
    return {
      source,
      type: checked.type ?? 'dyn',
      fields: (variable) => fieldsRead(parsed.ast, variable),
      evaluate: (values) => {
        try {
          // Without a prototype, so that a name such as `toString` is no variable.
          return jsonResult(limited(Object.assign(Object.create(null), values)))
        } catch (error) {
          throw asInvalid(source, error)
        }
      },
    }
  } catch (error) {
    throw asInvalid(source, error)
  }
}

function environmentFor(variables: readonly string[] | undefined): Environment {
  if (variables === undefined) return openEnvironment
  const environment = closedEnvironment.clone()
  for (const name of new Set(variables)) environment.registerVariable(name, 'dyn')
  return environment
}

function withMixedNumbers(environment: Environment): Environment {
  const operations: Readonly<Record<string, (left: number, right: number) => number>> = {
    '+': (left, right) => left + right,
    '-': (left, right) => left - right,
    '*': (left, right) => left * right,
    '/': (left, right) => left / right,
    '%': (left, right) => left % right,
  }
  for (const [sign, operation] of Object.entries(operations)) {
    const handler = (left: number | bigint, right: number | bigint) => operation(Number(left), Number(right))
    environment.registerOperator(`int ${sign} double: double`, handler)
    environment.registerOperator(`double ${sign} int: double`, handler)
    if (sign === '%') environment.registerOperator('double % double: double', handler)
  }
  return environment
}

function asInvalid(source: string, error: unknown): AppError {
  if (isAppError(error))
    return error.code === 'definition.invalid' ? invalid(source, error.message, error) : error
  if (error instanceof ParseError || error instanceof TypeCheckError || error instanceof EvaluationError) {
    return invalid(source, `${position(source, error.range?.start)}${error.summary}`, error)
  }
  if (error instanceof RangeError) return invalid(source, 'it is nested too deeply or builds too much', error)
  return invalid(source, error instanceof Error ? error.message : 'it failed', error)
}

function position(source: string, at: number | undefined): string {
  if (at === undefined) return ''
  const before = source.slice(0, at).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: `
}

function invalid(source: string, reason: string, cause?: unknown): AppError {
  const shown = source.length > 80 ? `${source.slice(0, 80)}…` : source
  const text = reason.replace(/\.$/, '')
  return new AppError('definition.invalid', `The expression ${JSON.stringify(shown)} is wrong: ${text}.`, {
    cause,
  })
}
