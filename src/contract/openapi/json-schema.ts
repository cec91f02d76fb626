// Schemas as JSON Schema 2020-12 with the names of the wire, for /openapi.json.

import { z } from 'zod'
import { wireName } from '../codec/wire-name.ts'
import { OPAQUE } from '../definition.ts'

export type JsonSchema = Record<string, unknown>

/** A function that turns schemas into JSON Schema; those that have a name become references to it. */
export function createJsonSchemas(names: ReadonlyMap<z.core.$ZodType, string>) {
  return (schema: z.core.$ZodType, isRoot = false): JsonSchema => {
    const name = names.get(schema)
    if (name !== undefined && !isRoot) return reference(name)
    const made: JsonSchema = z.toJSONSchema(schema, {
      // What a client may send; answers have no defaults, and may get further fields.
      io: 'input',
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => {
        const inner = names.get(zodSchema)
        if (inner !== undefined && inner !== name) become(jsonSchema, reference(inner))
        else toWire(zodSchema, jsonSchema)
      },
    })
    delete made.$schema
    return withoutLocalReferences(made, name)
  }
}

/**
 * What contains itself is made as `#` or as a definition of its own place; in the document it is a named schema.
 * Throws where such a schema has no name.
 */
function withoutLocalReferences(made: JsonSchema, name: string | undefined): JsonSchema {
  const { $defs = {}, ...schema } = made as JsonSchema & { $defs?: Readonly<Record<string, JsonSchema>> }
  const targets = new Map(Object.entries($defs).map(([key, target]) => [`#/$defs/${key}`, target.$ref]))
  if (name !== undefined) targets.set('#', reference(name).$ref)
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    if ('$ref' in value && typeof value.$ref === 'string' && !value.$ref.startsWith(COMPONENTS)) {
      const target = targets.get(value.$ref)
      if (target === undefined)
        throw new Error('A schema that contains itself needs a name in COMPONENT_NAMES.')
      value.$ref = target
    }
    for (const inner of Object.values(value)) visit(inner)
  }
  visit(schema)
  return schema
}

const COMPONENTS = '#/components/schemas/'

export function reference(name: string): JsonSchema {
  return { $ref: COMPONENTS + name }
}

function become(target: JsonSchema, source: JsonSchema): void {
  for (const key of Object.keys(target)) delete target[key]
  Object.assign(target, source)
}

function toWire(zodSchema: z.core.$ZodType, target: JsonSchema): void {
  delete target[OPAQUE]
  // What every JSON integer is, and what `format` says already, tells a reader nothing.
  if (target.minimum === Number.MIN_SAFE_INTEGER) delete target.minimum
  if (target.maximum === Number.MAX_SAFE_INTEGER) delete target.maximum
  if (target.format === 'date-time') delete target.pattern
  if ((zodSchema as z.core.$ZodTypes)._zod.def.type !== 'object') return
  const properties = Object.entries(target.properties ?? {})
  target.properties = Object.fromEntries(properties.map(([key, value]) => [wireName(key), value]))
  if (Array.isArray(target.required)) target.required = target.required.map((key: string) => wireName(key))
}
