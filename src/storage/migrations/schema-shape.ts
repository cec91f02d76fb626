// The declared schema as plain data with the database's names: what a snapshot holds and a diff compares.

import { snakeCase } from '../identifiers.ts'
import { ALL_TABLES } from '../schema/all-tables.ts'
import type { Table } from '../schema/table.ts'

export interface ColumnShape {
  readonly name: string
  /** Both databases keep `integer` and `money` alike, and `text` and `json`. */
  readonly type: 'integer' | 'text'
  readonly nullable: boolean
  readonly generated: boolean
  readonly defaultTo: string | number | null
  readonly oneOf: readonly string[] | null
}

export interface IndexShape {
  readonly name: string
  readonly columns: readonly string[]
  readonly unique: boolean
  readonly where: string | null
}

export interface ForeignKeyShape {
  readonly columns: readonly string[]
  readonly table: string
  readonly references: readonly string[]
}

export interface TableShape {
  readonly name: string
  readonly columns: readonly ColumnShape[]
  readonly primaryKey: readonly string[]
  readonly unique: readonly (readonly string[])[]
  readonly indexes: readonly IndexShape[]
  readonly foreignKeys: readonly ForeignKeyShape[]
}

export interface SchemaShape {
  readonly tables: readonly TableShape[]
}

export const EMPTY_SCHEMA: SchemaShape = { tables: [] }

/** The shape of the tables that the source declares. */
export function declaredSchema(tables: readonly Table[] = ALL_TABLES): SchemaShape {
  return { tables: tables.map(shapeOf) }
}

function shapeOf(table: Table): TableShape {
  return {
    name: table.name,
    columns: Object.entries(table.columns).map(([name, column]) => ({
      name: snakeCase(name),
      type: column.kind === 'integer' || column.kind === 'money' ? 'integer' : 'text',
      nullable: column.nullable,
      generated: column.generated,
      defaultTo: column.defaultTo ?? null,
      oneOf: column.oneOf ?? null,
    })),
    primaryKey: table.primaryKey.map(snakeCase),
    unique: (table.unique ?? []).map((columns) => columns.map(snakeCase)),
    indexes: (table.indexes ?? []).map(({ name, columns, unique, where }) => ({
      name,
      columns: columns.map(snakeCase),
      unique: unique ?? false,
      where: where ?? null,
    })),
    foreignKeys: (table.foreignKeys ?? []).map((key) => ({
      columns: key.columns.map(snakeCase),
      table: key.table,
      references: key.references.map(snakeCase),
    })),
  }
}
