// A prepared statement of one SQLite connection: binds values, reads rows with camelCase names.

import type { StatementSync } from 'node:sqlite'
import type { TenantId } from '../../base/ids.ts'
import { bindValues, type Compiled, type Value } from '../compile.ts'
import { camelCase, isMoney } from '../identifiers.ts'
import { sqliteError } from './sqlite-errors.ts'

type Cell = Value
type Row = Record<string, Cell>

export class Prepared {
  readonly compiled: Compiled
  readonly #statement: StatementSync
  readonly #keys: readonly string[]
  /** Which columns are bigints; undefined where none is, and SQLite's own numbers can be taken. */
  readonly #nanos: readonly boolean[] | undefined
  /** A row with every key: its copies share one hidden class. */
  readonly #blank: Row

  constructor(compiled: Compiled, statement: StatementSync) {
    this.compiled = compiled
    this.#statement = statement
    this.#keys = statement.columns().map(({ name }) => camelCase(name))
    this.#blank = Object.fromEntries(this.#keys.map((key) => [key, null]))
    const nanos = this.#keys.map(isMoney)
    this.#nanos = nanos.includes(true) ? nanos : undefined
    if (this.#keys.length > 0) statement.setReturnArrays(true)
    if (this.#nanos !== undefined) statement.setReadBigInts(true)
  }

  all(params: unknown, tenantId: TenantId | undefined, compiled = this.compiled): Row[] {
    const values = bindSqlite(compiled, params, tenantId)
    try {
      const rows = this.#statement.all(...values) as unknown as (Cell[] | Row)[]
      for (let i = 0; i < rows.length; i++) rows[i] = this.#toRow(rows[i] as Cell[])
      return rows as Row[]
    } catch (error) {
      throw sqliteError(this.compiled.name, error)
    }
  }

  first(params: unknown, tenantId: TenantId | undefined): Row | undefined {
    const values = bindSqlite(this.compiled, params, tenantId)
    try {
      const row = this.#statement.get(...values) as unknown as Cell[] | undefined
      return row === undefined ? undefined : this.#toRow(row)
    } catch (error) {
      throw sqliteError(this.compiled.name, error)
    }
  }

  /** Runs it for its effect; answers how many rows changed. */
  run(params: unknown, tenantId: TenantId | undefined): number {
    const values = bindSqlite(this.compiled, params, tenantId)
    try {
      // A statement with `returning` has to be read to its end.
      if (this.#keys.length > 0) return this.#statement.all(...values).length
      return Number(this.#statement.run(...values).changes)
    } catch (error) {
      throw sqliteError(this.compiled.name, error)
    }
  }

  #toRow(cells: readonly Cell[]): Row {
    const row = { ...this.#blank }
    const keys = this.#keys
    const nanos = this.#nanos
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string
      const cell = cells[i] as Cell
      row[key] =
        nanos === undefined || typeof cell === 'string' || cell === null
          ? cell
          : this.#number(key, cell, nanos[i])
    }
    return row
  }

  #number(key: string, cell: number | bigint, nanos: boolean | undefined): number | bigint {
    if (nanos === true) {
      if (typeof cell === 'bigint') return cell
      if (Number.isSafeInteger(cell)) return BigInt(cell)
      throw new RangeError(
        `"${key}" of the statement "${this.compiled.name}" is not a whole number: ${cell}.`,
      )
    }
    const number = Number(cell)
    if (typeof cell === 'number' || Number.isSafeInteger(number)) return number
    throw new RangeError(
      `"${key}" of the statement "${this.compiled.name}" is above 2^53: its name must end in Nanos.`,
    )
  }
}

function bindSqlite(compiled: Compiled, params: unknown, tenantId: TenantId | undefined): Value[] {
  const values = bindValues(compiled, params, tenantId)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    // node:sqlite binds every number as a floating-point one; as a bigint, a whole number is an integer.
    if (typeof value === 'number' && Number.isSafeInteger(value)) values[i] = BigInt(value)
  }
  return values
}
