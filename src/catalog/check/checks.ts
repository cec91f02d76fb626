// What the checks of definitions need to know, and the small things that they share.

import type { FieldError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import type { ToolEffect } from '../../contract/tool.ts'
import type { ExpressionResult } from '../../sandbox/expression-check.ts'

/** Answers of other parts, as functions. Each tells what is wrong, with paths below what it was given. */
export interface Checks {
  readonly builtinToolNames: ReadonlySet<string>
  readonly codeToolNames: ReadonlySet<string>
  /** Whether it is a JSON Schema 2020-12 that the validator can use. */
  checkSchema(schema: JsonObject): readonly FieldError[]
  /** Whether it is a CEL expression over these variables, and can give what is asked where something is. */
  checkExpression(
    source: string,
    variables: readonly string[],
    result?: ExpressionResult,
  ): readonly FieldError[]
  /** The fields of one of the variables that it reads; none where it does not compile. */
  expressionFields(source: string, variables: readonly string[], variable: string): readonly string[]
  /** What another call of a tool in code or of a built-in tool would do; undefined where it is neither. */
  readonly effectOf?: ((tool: string) => ToolEffect | undefined) | undefined
  /** Whether it is a regular expression that ends in reasonable time on any text. */
  checkPattern(source: string): readonly FieldError[]
  /** Whether a model of that name can be called. */
  readonly modelKnown?: ((model: string) => readonly FieldError[]) | undefined
}

/** The errors with their paths below `at`. */
export function below(at: string, errors: readonly FieldError[]): FieldError[] {
  return errors.map(({ path, message }) => ({ path: at + path, message }))
}

/** One error for each item that repeats the key of an earlier one. */
export function repeated<T>(
  items: readonly T[],
  key: (item: T) => string,
  error: (index: number, first: number) => FieldError,
): FieldError[] {
  const seen = new Map<string, number>()
  return items.flatMap((item, index) => {
    const first = seen.get(key(item))
    if (first === undefined) seen.set(key(item), index)
    return first === undefined ? [] : [error(index, first)]
  })
}
