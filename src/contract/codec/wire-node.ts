// A schema turned, once, into functions that rename between TypeScript's names and the wire's.

import type { z } from 'zod'
import type { FieldError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import { isJsonObject } from '../../base/json.ts'
import { OPAQUE } from '../definition.ts'
import { summarize } from './value-summary.ts'
import { pointerBelow, wireName } from './wire-name.ts'

/** How renaming meets a key that the schema does not have. */
export type UnknownKeys = 'refuse' | 'ignore'

export interface Renaming {
  readonly unknown: UnknownKeys
  readonly faults: FieldError[]
}

/** A place below a node, as an error path needs it. */
export interface Below {
  readonly name: string
  readonly node: WireNode
}

export interface WireNode {
  /** The two forms are the same, so that nothing needs to be copied. */
  readonly same: boolean
  /** Renames what is on the wire. What does not have the schema's form is left for the schema to refuse. */
  toValue(wire: Json, at: string, renaming: Renaming): unknown
  toWire(value: unknown): Json
  below(key: PropertyKey, wire: Json | undefined): Below
}

const nodes = new WeakMap<z.core.$ZodType, WireNode>()

/** The renaming of a schema, compiled at most once. Throws for a kind of schema that has no place in a contract. */
export function wireNode(schema: z.core.$ZodType): WireNode {
  const known = nodes.get(schema)
  if (known) return known
  // A schema that contains itself meets this stand-in while it is compiled.
  nodes.set(
    schema,
    lazyNode(() => schema),
  )
  const made = renames(schema, new Set()) ? compile(schema) : SAME
  nodes.set(schema, made)
  return made
}

/** A scalar, or JSON of the user's own. */
const SAME: WireNode = {
  same: true,
  toValue: (wire) => wire,
  toWire: (value) => value as Json,
  below: (key) => ({ name: String(key), node: SAME }),
}

function compile(schema: z.core.$ZodType): WireNode {
  const { def } = (schema as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'object':
      return objectNode(def.shape)
    case 'array':
      return arrayNode(def.element)
    case 'record':
      return recordNode(def.valueType)
    case 'union':
      return unionNode(def.options, 'discriminator' in def ? String(def.discriminator) : undefined)
    case 'lazy':
      return lazyNode(def.getter)
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
      return nullableNode(wireNode(def.innerType))
    default:
      throw new Error(`A schema of type "${def.type}" has no wire form.`)
  }
}

/** Whether any object of known keys lies within, so that there is something to rename or to refuse. */
function renames(schema: z.core.$ZodType, seen: Set<z.core.$ZodType>): boolean {
  if (seen.has(schema) || isOpaque(schema)) return false
  seen.add(schema)
  const { def } = (schema as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'object':
      return true
    case 'array':
      return renames(def.element, seen)
    case 'record':
      return renames(def.valueType, seen)
    case 'union':
      return def.options.some((option) => renames(option, seen))
    case 'lazy':
      return renames(def.getter(), seen)
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
      return renames(def.innerType, seen)
    case 'pipe':
    case 'transform':
    case 'intersection':
    case 'tuple':
    case 'map':
    case 'set':
    case 'date':
    case 'bigint':
      throw new Error(`A schema of type "${def.type}" has no wire form.`)
    default:
      return false
  }
}

function isOpaque(schema: z.core.$ZodType): boolean {
  const meta = (schema as z.ZodType).meta?.()
  return meta?.[OPAQUE] === true
}

interface Field {
  readonly key: string
  readonly wire: string
  readonly node: WireNode
}

function objectNode(shape: Readonly<Record<string, z.core.$ZodType>>): WireNode {
  const fields: Field[] = Object.keys(shape).map((key) => ({
    key,
    wire: wireName(key),
    node: wireNode(shape[key] as z.core.$ZodType),
  }))
  const byWire = new Map(fields.map((field) => [field.wire, field]))
  const byKey = new Map(fields.map((field) => [field.key, field]))
  if (byWire.size !== fields.length) throw new Error('Two fields of a schema have the same name on the wire.')
  return {
    same: false,
    toValue(wire, at, renaming) {
      if (!isJsonObject(wire)) return wire
      const value: Record<string, unknown> = {}
      for (const name of Object.keys(wire)) {
        const field = byWire.get(name)
        if (field) value[field.key] = field.node.toValue(wire[name] as Json, pointerBelow(at, name), renaming)
        else if (renaming.unknown === 'refuse') renaming.faults.push(unknownKey(at, name, byKey, byWire))
      }
      return value
    },
    toWire(value) {
      const source = value as Readonly<Record<string, unknown>>
      const wire: Record<string, Json> = {}
      for (const { key, wire: name, node } of fields) {
        const item = source[key]
        if (item !== undefined) wire[name] = node.same ? (item as Json) : node.toWire(item)
      }
      return wire
    },
    below: (key) => {
      const field = byKey.get(String(key))
      return field ? { name: field.wire, node: field.node } : { name: String(key), node: SAME }
    },
  }
}

function unknownKey(
  at: string,
  name: string,
  byKey: Map<string, Field>,
  byWire: Map<string, Field>,
): FieldError {
  const meant = byKey.get(name)?.wire ?? byWire.get(wireName(name))?.wire
  const allowed = [...byWire.keys()].map((key) => `"${key}"`).join(', ')
  const hint = meant === undefined ? `allowed here: ${allowed || 'nothing'}` : `did you mean "${meant}"?`
  return { path: pointerBelow(at, name), message: `is not a known field; ${hint}` }
}

function arrayNode(element: z.core.$ZodType): WireNode {
  const node = wireNode(element)
  return {
    same: false,
    toValue: (wire, at, renaming) =>
      Array.isArray(wire) ? wire.map((item, index) => node.toValue(item, `${at}/${index}`, renaming)) : wire,
    toWire: (value) => (value as readonly unknown[]).map((item) => node.toWire(item)),
    below: (key) => ({ name: String(key), node }),
  }
}

/** Keys of a record belong to the user; only what they hold is renamed. */
function recordNode(valueType: z.core.$ZodType): WireNode {
  const node = wireNode(valueType)
  return {
    same: false,
    toValue: (wire, at, renaming) => {
      if (!isJsonObject(wire)) return wire
      // fromEntries defines own properties, so that a key "__proto__" stays a key.
      return Object.fromEntries(
        Object.entries(wire).map(([key, item]) => [key, node.toValue(item, pointerBelow(at, key), renaming)]),
      )
    },
    toWire: (value) =>
      Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, node.toWire(item)])),
    below: (key) => ({ name: String(key), node }),
  }
}

function nullableNode(inner: WireNode): WireNode {
  return {
    same: inner.same,
    toValue: (wire, at, renaming) => (wire === null ? null : inner.toValue(wire, at, renaming)),
    toWire: (value) => (value === null ? null : inner.toWire(value)),
    below: (key, wire) => inner.below(key, wire),
  }
}

/** Compiled at first use, since the schema may contain itself. */
function lazyNode(getter: () => z.core.$ZodType): WireNode {
  const inner = (): WireNode => wireNode(getter())
  return {
    same: false,
    toValue: (wire, at, renaming) => inner().toValue(wire, at, renaming),
    toWire: (value) => inner().toWire(value),
    below: (key, wire) => inner().below(key, wire),
  }
}

interface Option {
  readonly node: WireNode
  readonly accepts: (value: unknown) => boolean
  /** Whether a value of that kind can be this option at all: an object for an object. */
  readonly forObject: boolean
}

/**
 * Which option applies decides what is renamed: the one that the discriminator names, else the first that accepts
 * the value, else the first for such a kind of value (so that its errors are told).
 */
function unionNode(options: readonly z.core.$ZodType[], discriminator: string | undefined): WireNode {
  const choices: Option[] = options.map((schema) => ({
    node: wireNode(schema),
    accepts: (value) => (schema as z.ZodType).safeParse(value).success,
    forObject: typeOf(schema) === 'object',
  }))
  if (discriminator !== undefined) return discriminatedNode(options, discriminator)
  const likely = (value: unknown): WireNode =>
    choices.find(({ forObject }) => forObject === (typeof value === 'object' && value !== null))?.node ?? SAME
  const ofWire = (wire: Json, unknown: UnknownKeys): WireNode =>
    choices.find(({ node, accepts }) => {
      const faults: FieldError[] = []
      return accepts(node.toValue(wire, '', { unknown, faults })) && faults.length === 0
    })?.node ?? likely(wire)
  return {
    same: false,
    toValue: (wire, at, renaming) => ofWire(wire, renaming.unknown).toValue(wire, at, renaming),
    toWire: (value) => (choices.find(({ accepts }) => accepts(value))?.node ?? likely(value)).toWire(value),
    below: (key, wire) => (wire === undefined ? SAME : ofWire(wire, 'refuse')).below(key, wire),
  }
}

function discriminatedNode(options: readonly z.core.$ZodType[], key: string): WireNode {
  const name = wireName(key)
  const byMark = new Map<unknown, WireNode>()
  for (const option of options) {
    for (const mark of option._zod.propValues?.[key] ?? []) byMark.set(mark, wireNode(option))
  }
  const ofWire = (wire: Json): WireNode | undefined =>
    isJsonObject(wire) ? byMark.get(wire[name]) : undefined
  return {
    same: false,
    toValue: (wire, at, renaming) => {
      const node = ofWire(wire)
      if (node) return node.toValue(wire, at, renaming)
      // The mark itself is wrong: the schema says so; the rest cannot be judged.
      return isJsonObject(wire) ? { [key]: wire[name] } : wire
    },
    toWire: (value) => {
      const node = byMark.get((value as Readonly<Record<string, unknown>>)[key])
      if (!node)
        throw new TypeError(
          `No form of the union has ${key} ${summarize((value as Readonly<Record<string, unknown>>)[key])}.`,
        )
      return node.toWire(value)
    },
    below: (below, wire) =>
      (wire === undefined ? undefined : ofWire(wire))?.below(below, wire) ?? {
        name: wireName(String(below)),
        node: SAME,
      },
  }
}

function typeOf(schema: z.core.$ZodType): string {
  return (schema as z.core.$ZodTypes)._zod.def.type
}
