// From the values of CEL to JSON.

import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'
import { AppError } from '../base/errors.ts'
import { checkJson, type Json } from '../base/json.ts'
import { TOOL_OUTPUT_BYTES_MAX } from '../base/limits.ts'

/** How many values a result may hold, and how deep. */
const NODES_MAX = 10_000
const DEPTH_MAX = 64
const CHARS_MAX = TOOL_OUTPUT_BYTES_MAX

/** The result of an evaluation as JSON. Throws `definition.invalid` where it has none or is too large. */
export function jsonResult(result: unknown): Json {
  const room = { nodes: NODES_MAX, chars: CHARS_MAX }
  const json = convert(result, room, 0)
  checkJson(json)
  return json
}

function convert(value: unknown, room: { nodes: number; chars: number }, depth: number): Json {
  room.nodes -= 1
  if (typeof value === 'string') room.chars -= value.length
  if (room.nodes < 0 || room.chars < 0 || depth > DEPTH_MAX)
    throw new AppError('definition.invalid', 'its result is too large')
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return finite(value)
    case 'bigint':
      return exact(value)
    case 'object':
      return convertObject(value, room, depth)
    default:
      throw noJson()
  }
}

function convertObject(value: object | null, room: { nodes: number; chars: number }, depth: number): Json {
  if (value === null) return null
  if (Array.isArray(value)) return value.map((item) => convert(item, room, depth + 1))
  if (value instanceof UnsignedInt) return exact(value.valueOf())
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Duration) return value.toString()
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw noJson()
  const copy: Record<string, Json> = {}
  for (const [key, item] of Object.entries(value)) {
    room.chars -= key.length
    // Defined, not assigned: an assigned `__proto__` would change the prototype before `checkJson` sees it.
    Object.defineProperty(copy, key, {
      value: convert(item, room, depth + 1),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return copy
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value === 0 ? 0 : value
  throw new AppError('definition.invalid', `its result is ${value}, which is not a number in JSON`)
}

function exact(value: bigint): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  const advice = 'use string(…) to keep all digits'
  throw new AppError(
    'definition.invalid',
    `its result ${value} is larger than a JSON number holds exactly; ${advice}`,
  )
}

function noJson(): AppError {
  return new AppError('definition.invalid', 'its result is bytes or a type, which JSON does not have')
}
