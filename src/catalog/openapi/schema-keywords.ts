// What each keyword of a schema holds, and how OpenAPI 3.0 said in its own words what JSON Schema 2020-12 says.

import type { Json, JsonObject } from '../../base/json.ts'
import { isJsonObject } from '../../base/json.ts'

/** Keywords that hold a schema, a list of schemas, or schemas by name. */
export const SCHEMA_KEYWORDS: ReadonlySet<string> = new Set([
  'items',
  'additionalProperties',
  'not',
  'contains',
  'propertyNames',
  'if',
  'then',
  'else',
  'unevaluatedItems',
  'unevaluatedProperties',
])
export const LIST_KEYWORDS: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
export const MAP_KEYWORDS: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  'dependentSchemas',
])
/** Keywords that are taken as they are. All others (`xml`, `discriminator`, `example`, `x-…`) say nothing to a model. */
export const PLAIN_KEYWORDS: ReadonlySet<string> = new Set([
  'type',
  'enum',
  'const',
  'format',
  'title',
  'description',
  'default',
  'deprecated',
  'required',
  'dependentRequired',
  'multipleOf',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minContains',
  'maxContains',
  'minProperties',
  'maxProperties',
])
/** Keywords beside a `$ref` that only comment on it. */
export const COMMENT_KEYWORDS: ReadonlySet<string> = new Set([
  'title',
  'description',
  'default',
  'deprecated',
])
/** Keywords whose meaning depends on where a schema is at home; a schema that is copied would lose it. */
export const REFUSED_KEYWORDS: ReadonlySet<string> = new Set(['$dynamicRef', '$recursiveRef', '$id'])

/** A schema object of OpenAPI 3.0 in the words of 2020-12; only this object, not what it holds. */
export function modernized(schema: JsonObject): JsonObject {
  const { nullable, exclusiveMinimum, exclusiveMaximum, ...rest } = schema
  const bounded = {
    ...rest,
    ...bound('minimum', 'exclusiveMinimum', rest, exclusiveMinimum),
    ...bound('maximum', 'exclusiveMaximum', rest, exclusiveMaximum),
  }
  const cleaned: JsonObject = Object.fromEntries(
    Object.entries(bounded).filter(
      ([key]) =>
        !(key === 'minimum' && exclusiveMinimum === true) &&
        !(key === 'maximum' && exclusiveMaximum === true),
    ),
  )
  return nullable === true ? orNull(cleaned) : cleaned
}

/** `exclusiveMinimum: true` beside `minimum: 1` was what `exclusiveMinimum: 1` is now. */
function bound(plain: string, exclusive: string, schema: JsonObject, value: Json | undefined): JsonObject {
  if (value === true) return schema[plain] === undefined ? {} : { [exclusive]: schema[plain] }
  return typeof value === 'number' ? { [exclusive]: value } : {}
}

function orNull(schema: JsonObject): JsonObject {
  const { type } = schema
  const values = schema.enum
  if (typeof type !== 'string') return { anyOf: [schema, { type: 'null' }] }
  const withNull = Array.isArray(values) && !values.includes(null) ? { enum: [...values, null] } : {}
  return { ...schema, type: [type, 'null'], ...withNull }
}

/** Without what only the server sets: such a property is not an argument. */
export function withoutReadOnly(schema: JsonObject, isReadOnly: (property: Json) => boolean): JsonObject {
  const { properties, required } = schema
  if (!isJsonObject(properties)) return schema
  const kept = Object.entries(properties).filter(([, property]) => !isReadOnly(property))
  if (kept.length === Object.keys(properties).length) return schema
  const names = new Set(kept.map(([name]) => name))
  const asked = Array.isArray(required)
    ? required.filter(
        (name) => typeof name !== 'string' || names.has(name) || !Object.hasOwn(properties, name),
      )
    : required
  return { ...schema, properties: Object.fromEntries(kept), ...(asked !== undefined && { required: asked }) }
}
