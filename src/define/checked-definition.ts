// Holds a definition in TypeScript's names against its schema, and tells what is wrong in the wire's names.

import type { z } from 'zod'
import type { FieldError } from '../base/errors.ts'
import { AppError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { checkJson, isJsonObject } from '../base/json.ts'
import { fieldErrors } from '../contract/codec/field-errors.ts'
import { wireNode } from '../contract/codec/wire-node.ts'
import { FIELD_ERRORS_MAX } from '../contract/codec.ts'

/** The definition as its schema accepts it. Throws `definition.invalid` with every wrong field. */
export function checkedDefinition<S extends z.ZodType>(what: string, schema: S, value: unknown): z.output<S> {
  const errors = definitionErrors(schema, value)
  if (errors.length > 0) throw invalidDefinition(what, errors)
  return schema.parse(value)
}

/** What the schema has against a value, by wire names. A value that is too deep, too large or no JSON is one error. */
export function definitionErrors(schema: z.ZodType, value: unknown): readonly FieldError[] {
  try {
    checkJson(value)
  } catch (error) {
    if (error instanceof AppError) return [{ path: '', message: error.message }]
    throw error
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return []
  return fieldErrors(parsed.error.issues, wireNode(schema), asWire(value)).slice(0, FIELD_ERRORS_MAX)
}

/** One line for a person, and every wrong field for a program. */
export function invalidDefinition(what: string, errors: readonly FieldError[]): AppError {
  const [first] = errors
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const place = first?.path ? `${first.path} ` : ''
  return new AppError(
    'definition.invalid',
    `The ${what} is wrong: ${place}${first?.message ?? 'refused'}${more}.`,
    {
      errors: errors.slice(0, FIELD_ERRORS_MAX),
    },
  )
}

/** Only for looking up what stood at a place: each key in both namings, whatever the schema calls it. */
function asWire(value: Json): Json {
  if (Array.isArray(value)) return value.map(asWire)
  if (!isJsonObject(value)) return value
  const entries = Object.entries(value).map(([key, item]) => [key, asWire(item)] as const)
  return Object.fromEntries([...entries.map(([key, item]) => [snakeCase(key), item] as const), ...entries])
}

/** As the codec names fields, but without its memory of names: these keys may be anybody's. */
function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
