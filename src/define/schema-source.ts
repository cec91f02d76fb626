// Schemas from whatever library the author uses, read through Standard Schema: as JSON Schema, as a check, as a type.

import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import type { ErrorCode, FieldError } from '../base/errors.ts'
import { AppError } from '../base/errors.ts'
import type { Json, JsonObject } from '../base/json.ts'
import { isJsonObject } from '../base/json.ts'

/** A schema of zod, valibot, ArkType … (Standard Schema, https://standardschema.dev) or JSON Schema 2020-12. */
export type SchemaSource = StandardSchemaV1 | JsonObject

/** What a value is once the schema has accepted it. JSON Schema has no types of its own. */
export type ValueOf<S extends SchemaSource> = S extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<S>
  : JsonObject

/** What the schema accepts: what the author returns, before the schema has filled in or changed anything. */
export type AcceptedBy<S extends SchemaSource> = S extends StandardSchemaV1
  ? StandardSchemaV1.InferInput<S>
  : Json

/**
 * The JSON Schema 2020-12 of a schema: of what it accepts (`input`) or of what comes out of it (`output`).
 * Throws `definition.invalid` where the library gives none; `owner` says whose schema it is.
 */
export function jsonSchemaOf(source: SchemaSource, direction: 'input' | 'output', owner: string): JsonObject {
  if (!isStandardSchema(source)) {
    if (isJsonObject(source)) return source
    throw new AppError(
      'definition.invalid',
      `${owner} is neither a Standard Schema nor a JSON Schema object.`,
    )
  }
  const { vendor } = source['~standard']
  if (!hasConverter(source)) {
    throw new AppError(
      'definition.invalid',
      `${owner} is a schema of "${vendor}", which gives no JSON Schema ("~standard".jsonSchema). ` +
        `Convert it (for valibot: toStandardJsonSchema of @valibot/to-json-schema) or write the JSON Schema itself.`,
    )
  }
  return convert(source, direction, owner)
}

/** What the schema makes of a value. Throws `code` with every wrong field. A JSON Schema is checked elsewhere. */
export async function parseWith(
  source: SchemaSource,
  value: unknown,
  code: ErrorCode,
  owner: string,
): Promise<unknown> {
  if (!isStandardSchema(source)) return value
  const result = await source['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  const errors = result.issues.map(fieldErrorOf)
  const first = errors[0]
  const place = first?.path ? ` (at ${first.path})` : ''
  throw new AppError(code, `${owner} is wrong: ${first?.message ?? 'refused'}${place}.`, { errors })
}

function convert(source: StandardJSONSchemaV1, direction: 'input' | 'output', owner: string): JsonObject {
  try {
    const schema = source['~standard'].jsonSchema[direction]({ target: 'draft-2020-12' })
    // A copy, as plain JSON: libraries hang functions of their own on what they return.
    const { $schema: _, ...rest } = JSON.parse(JSON.stringify(schema)) as JsonObject
    return rest
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown reason'
    throw new AppError('definition.invalid', `${owner} has no JSON Schema: ${reason}.`, { cause: error })
  }
}

function isStandardSchema(source: SchemaSource): source is StandardSchemaV1 {
  const isCarrier = (typeof source === 'object' && source !== null) || typeof source === 'function'
  if (!isCarrier) return false
  const standard: unknown = (source as Partial<StandardSchemaV1>)['~standard']
  return isJsonObject(standard) && typeof standard.validate === 'function'
}

function hasConverter(source: StandardSchemaV1): source is StandardSchemaV1 & StandardJSONSchemaV1 {
  const { jsonSchema } = source['~standard'] as Partial<StandardJSONSchemaV1.Props>
  return typeof jsonSchema?.input === 'function' && typeof jsonSchema.output === 'function'
}

function fieldErrorOf(issue: StandardSchemaV1.Issue): FieldError {
  const segments = (issue.path ?? []).map((segment) =>
    String(typeof segment === 'object' ? segment.key : segment),
  )
  const path = segments.map((segment) => `/${segment.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  return { path, message: issue.message }
}
