// Rows from Postgres: the same values as SQLite gives, whatever types Postgres computes with.

import type { CustomTypesConfig, FieldDef } from 'pg'
import { camelCase, isMoney } from '../identifiers.ts'

export type Cell = string | number | bigint | null
type Read = (text: string, key: string) => Cell

/** Every value arrives as its text; what it means is decided by the column. */
export const TEXT_TYPES: CustomTypesConfig = { getTypeParser: () => (text: string) => text }

/** Type numbers: https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat */
const BOOL = 16
/** bigint and numeric: what sums and counts come in. */
const WIDE: ReadonlySet<number> = new Set([20, 1700])
const NUMBERS: ReadonlySet<number> = new Set([...WIDE, 21, 23, 26, 700, 701])

export interface RowShape {
  readonly keys: readonly string[]
  readonly reads: readonly Read[]
  readonly blank: Readonly<Record<string, null>>
}

export function rowShape(fields: readonly FieldDef[]): RowShape {
  const keys = fields.map(({ name }) => camelCase(name))
  const reads = fields.map(({ dataTypeID }, i) => readerOf(dataTypeID, isMoney(keys[i] ?? '')))
  return { keys, reads, blank: Object.fromEntries(keys.map((key) => [key, null])) }
}

export function toRow(shape: RowShape, cells: readonly (string | null)[]): Record<string, Cell> {
  const row: Record<string, Cell> = { ...shape.blank }
  for (let i = 0; i < shape.keys.length; i++) {
    const key = shape.keys[i] as string
    const cell = cells[i] ?? null
    if (cell !== null) row[key] = (shape.reads[i] as Read)(cell, key)
  }
  return row
}

function readerOf(type: number, nanos: boolean): Read {
  if (type === BOOL) return (text) => (text === 't' ? 1 : 0)
  if (!NUMBERS.has(type)) return (text) => text
  if (nanos) return readNanos
  return WIDE.has(type) ? readSafe : Number
}

function readNanos(text: string, key: string): bigint {
  if (!/^-?\d+$/.test(text)) throw new RangeError(`"${key}" is not a whole number: ${text}.`)
  return BigInt(text)
}

function readSafe(text: string, key: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) {
    throw new RangeError(`"${key}" is above 2^53: its name must end in Nanos.`)
  }
  return number
}
