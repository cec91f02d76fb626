// Query parameters: texts in the URL, typed values inside, by the same schemas and names as JSON.

import type { z } from 'zod'
import type { FieldError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { wireName } from './codec/wire-name.ts'
import type { Decoded } from './codec.ts'
import { codecOf } from './codec.ts'

export interface QueryCodec<T> {
  /** Reads what follows `?`. A parameter that is unknown or given twice is refused by name. */
  decode(search: string): Decoded<T>
}

/** The codec of a query, compiled once. Scalars only. */
export function queryCodecOf<S extends z.ZodObject>(schema: S): QueryCodec<z.output<S>> {
  const codec = codecOf(schema)
  const readers = new Map(
    Object.entries(schema.shape).map(([key, field]) => [wireName(key), readerOf(field)]),
  )
  const allowed = [...readers.keys()].map((name) => `"${name}"`).join(', ') || 'none'
  const empty = codec.decode({})
  return {
    decode(search) {
      if (search === '') return empty
      const wire: Record<string, Json> = {}
      const faults: FieldError[] = []
      for (const [name, text] of new URLSearchParams(search)) {
        const reader = readers.get(name)
        const path = `/${name.slice(0, 100)}`
        if (!reader)
          faults.push({ path, message: `is not a known query parameter; allowed here: ${allowed}` })
        else if (Object.hasOwn(wire, name)) faults.push({ path, message: 'is given more than once' })
        else wire[name] = reader(text)
      }
      const decoded = codec.decode(wire)
      if (faults.length === 0) return decoded
      return { ok: false, errors: decoded.ok ? faults : [...faults, ...decoded.errors] }
    },
  }
}

/** The query string of values (`?limit=2&session_id=…`), or '' where there are none. */
export function encodeQuery(values: Readonly<Record<string, unknown>>): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined && value !== null) search.set(wireName(key), String(value))
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

const NUMBER = /^-?\d{1,15}(\.\d{1,9})?$/

/** Text that does not have the type's form is left as text, for the schema to refuse with what is allowed. */
function readerOf(schema: z.core.$ZodType): (text: string) => Json {
  const { def } = (schema as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'optional':
    case 'default':
    case 'nullable':
      return readerOf(def.innerType)
    case 'number':
      return (text) => (NUMBER.test(text) ? Number(text) : text)
    case 'boolean':
      return (text) => (text === 'true' ? true : text === 'false' ? false : text)
    default:
      return (text) => text
  }
}
