// The one mapping between TypeScript's camelCase and the wire's snake_case. It reads a schema once and compiles it.
// It never renames what belongs to the user (`jsonObject`, keys of records). api/, sdk/ and catalog/ call it.

import type { z } from 'zod'
import type { FieldError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { fieldErrors } from './codec/field-errors.ts'
import type { WireNode } from './codec/wire-node.ts'
import { wireNode } from './codec/wire-node.ts'

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errors: readonly FieldError[] }

export interface Codec<T> {
  /** Checks and renames what came from outside; tells every wrong field, by its name on the wire. */
  decode(wire: Json): Decoded<T>
  /** The wire form of a value of ours. It is not checked again: its type vouches for it. */
  encode(value: T): Json
  /**
   * The value of a wire form that our own server sent: renamed, not checked, and what a newer server
   * added is left out.
   */
  read(wire: Json): T
}

/** How many wrong fields one answer tells. */
export const FIELD_ERRORS_MAX = 50

const codecs = new WeakMap<z.core.$ZodType, Codec<unknown>>()

/** The codec of a schema; the same object for the same schema. Throws where a schema has no wire form (a transform, a date). */
export function codecOf<S extends z.ZodType>(schema: S): Codec<z.output<S>> {
  const known = codecs.get(schema)
  const made = known ?? createCodec(schema, wireNode(schema))
  if (!known) codecs.set(schema, made)
  return made as Codec<z.output<S>>
}

function createCodec(schema: z.ZodType, node: WireNode): Codec<unknown> {
  return {
    decode(wire) {
      const faults: FieldError[] = []
      const value = node.toValue(wire, '', { unknown: 'refuse', faults })
      const parsed = schema.safeParse(value)
      if (parsed.success && faults.length === 0) return { ok: true, value: parsed.data }
      const errors = parsed.success ? faults : [...faults, ...fieldErrors(parsed.error.issues, node, wire)]
      return { ok: false, errors: errors.slice(0, FIELD_ERRORS_MAX) }
    },
    encode: (value) => node.toWire(value),
    read: (wire) => node.toValue(wire, '', { unknown: 'ignore', faults: [] }),
  }
}
