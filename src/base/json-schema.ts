// JSON Schema 2020-12 for what tenants define: checking schemas, and checking values against them.
// Every text comes from outside, schema and value alike: both checks have limits and neither compiles code.
// Knows nothing of where schemas are kept. Called by catalog/ (definitions), runtime/ (tool input and output).

import { AppError, type FieldError } from './errors.ts'
import type { Json } from './json.ts'
import { schemaErrors } from './json-schema-check.ts'
import { compileNode } from './json-schema-compile.ts'
import { createRun, fieldErrors } from './json-schema-run.ts'

/** Why a pattern may not be used, as half a sentence, or undefined when it may. */
export type CheckPattern = (source: string) => string | undefined

export interface SchemaOptions {
  /** Needed for schemas from outside; without it any valid regular expression is taken. */
  readonly checkPattern?: CheckPattern
  /** How a pattern is run on a text; it may throw, which counts as a wrong value. Default: `RegExp` with flag u. */
  readonly compilePattern?: (source: string) => (text: string) => boolean
}

/**
 * What is wrong with a schema, as JSON Pointers into it; an empty list when it can be used.
 *
 * Beyond the specification it refuses: references other than `#` and `#/…`, dynamic references, anchors and
 * nested `$id`; references in a circle that consume nothing; nesting over 32 levels, more than 2,000 subschemas;
 * patterns that `checkPattern` refuses. Unknown keywords are allowed and do nothing, as the specification says.
 */
export function checkSchema(schema: Json, checkPattern: CheckPattern = anyRegExp): readonly FieldError[] {
  return schemaErrors(schema, checkPattern)
}

/**
 * A function that lists everything wrong with a value: one entry per wrong field with its JSON Pointer, saying
 * what is allowed and what was found. Empty when the value is right. At most 50 entries.
 *
 * `format` is enforced for the formats in `json-schema-formats.ts`; others are remarks. A check takes at most
 * 200,000 steps and 256 levels, whatever the schema and the value; beyond that the value is refused.
 * Compiled once per schema object. Throws `definition.invalid` for a schema that `checkSchema` refuses.
 */
export function compileSchema(
  schema: Json,
  options: SchemaOptions = {},
): (value: Json) => readonly FieldError[] {
  if (typeof schema !== 'object' || schema === null) return compile(schema, options)
  const known = compiled.get(schema)
  if (known !== undefined && known.compilePattern === options.compilePattern) return known.validate
  const validate = compile(schema, options)
  compiled.set(schema, { compilePattern: options.compilePattern, validate })
  return validate
}

type Validate = (value: Json) => readonly FieldError[]

/** Keyed by identity and held weakly: an entry lives as long as its schema. */
const compiled = new WeakMap<
  object,
  { compilePattern: SchemaOptions['compilePattern']; validate: Validate }
>()

function compile(schema: Json, options: SchemaOptions): Validate {
  const errors = checkSchema(schema, options.checkPattern)
  if (errors.length > 0) {
    throw new AppError('definition.invalid', 'The schema is not a valid JSON Schema (2020-12).', { errors })
  }
  const check = compileNode(schema, {
    root: schema,
    nodes: new Map(),
    compilePattern: options.compilePattern ?? plainPattern,
  })
  return (value) => {
    const run = createRun()
    check(value, undefined, run)
    return fieldErrors(run)
  }
}

function plainPattern(source: string): (text: string) => boolean {
  const regExp = new RegExp(source, 'u')
  return (text) => regExp.test(text)
}

function anyRegExp(source: string): string | undefined {
  try {
    new RegExp(source, 'u')
    return undefined
  } catch {
    return 'it is not a regular expression'
  }
}
