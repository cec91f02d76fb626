// Schemas of a document, each as one JSON Schema 2020-12 that stands alone: references are written out where they
// are used; one that contains itself is written once, under `$defs`.

import type { Json, JsonObject } from '../../base/json.ts'
import { isJsonObject } from '../../base/json.ts'
import type { OpenApiDocument } from './document.ts'
import { Unsupported } from './document.ts'
import { argumentNameFrom } from './names.ts'
import {
  COMMENT_KEYWORDS,
  LIST_KEYWORDS,
  MAP_KEYWORDS,
  modernized,
  PLAIN_KEYWORDS,
  REFUSED_KEYWORDS,
  SCHEMA_KEYWORDS,
  withoutReadOnly,
} from './schema-keywords.ts'

/** How large the schema of one tool may become, in schemas, and how deep they may nest. */
const SCHEMAS_MAX = 1_500
const DEPTH_MAX = 20

export interface SchemaWriter {
  /** A schema of the document, written out. Throws `Unsupported`: too large, too deep, or not of this document. */
  write(schema: Json): Json
  /** What the written schemas refer to, for `$defs`; empty where nothing contains itself. */
  definitions(): JsonObject
}

/** Writes the schemas of one tool; they share their limits and their `$defs`. */
export function createSchemaWriter(document: OpenApiDocument): SchemaWriter {
  let count = 0
  /** References that contain themselves, by their names under `$defs`. */
  const recursive = new Map<string, string>()

  const write = (schema: Json, open: readonly string[], depth: number): Json => {
    count += 1
    if (count > SCHEMAS_MAX) throw new Unsupported(`its schemas have more than ${SCHEMAS_MAX} parts`)
    if (depth > DEPTH_MAX) throw new Unsupported(`its schemas nest deeper than ${DEPTH_MAX} levels`)
    if (typeof schema === 'boolean') return schema
    if (!isJsonObject(schema)) throw new Unsupported('one of its schemas is not an object')
    const reference = schema.$ref
    return typeof reference === 'string'
      ? writeReference(schema, reference, open, depth)
      : writeObject(document.oldSchemas ? modernized(schema) : schema, open, depth)
  }

  const writeReference = (
    schema: JsonObject,
    reference: string,
    open: readonly string[],
    depth: number,
  ): Json => {
    // References that lead to nothing but each other would be a schema that says nothing, for ever.
    document.resolve(schema)
    const target = open.includes(reference)
      ? { $ref: `#/$defs/${nameOf(reference)}` }
      : write(document.at(reference), [...open, reference], depth)
    // In 3.0 nothing beside a reference counts.
    const { $ref: _, ...beside } = document.oldSchemas ? { $ref: reference } : schema
    const written = writeObject(beside, open, depth)
    const keys = Object.keys(written)
    if (keys.length === 0) return target
    const comments = keys.every((key) => COMMENT_KEYWORDS.has(key))
    return comments && isJsonObject(target) ? { ...target, ...written } : { ...written, allOf: [target] }
  }

  const writeObject = (schema: JsonObject, open: readonly string[], depth: number): JsonObject => {
    const isReadOnly = (property: Json): boolean => {
      const resolved = document.resolve(property)
      return isJsonObject(resolved) && resolved.readOnly === true
    }
    const below = (value: Json): Json => write(value, open, depth + 1)
    const entries = Object.entries(withoutReadOnly(schema, isReadOnly)).flatMap(
      ([key, value]): [string, Json][] => {
        if (REFUSED_KEYWORDS.has(key)) throw new Unsupported(`its schemas use ${key}`)
        if (key === 'required' && !Array.isArray(value)) return []
        if (PLAIN_KEYWORDS.has(key)) return [[key, value]]
        if (SCHEMA_KEYWORDS.has(key)) return [[key, below(value)]]
        if (LIST_KEYWORDS.has(key) && Array.isArray(value)) return [[key, value.map(below)]]
        if (!MAP_KEYWORDS.has(key) || !isJsonObject(value)) return []
        return [[key, Object.fromEntries(Object.entries(value).map(([name, item]) => [name, below(item)]))]]
      },
    )
    return Object.fromEntries(entries)
  }

  const nameOf = (reference: string): string => {
    const known = recursive.get(reference)
    if (known !== undefined) return known
    const names = new Set(recursive.values())
    const name = argumentNameFrom(reference.split('/').at(-1) ?? '', (candidate) => names.has(candidate))
    recursive.set(reference, name)
    return name
  }

  return {
    write: (schema) => write(schema, [], 0),
    definitions: () => {
      const written: [string, Json][] = []
      // Writing one may find others; a Map's iterator goes on to what is added meanwhile.
      for (const [reference, name] of recursive)
        written.push([name, write(document.at(reference), [reference], 0)])
      return Object.fromEntries(written)
    },
  }
}
