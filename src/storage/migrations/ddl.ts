// Pieces of DDL that both databases read.

import { createHash } from 'node:crypto'
import { quoted } from '../identifiers.ts'
import type { ColumnShape, ForeignKeyShape, IndexShape, TableShape } from './schema-shape.ts'

/** Postgres cuts longer names. */
const NAME_CHARS_MAX = 63

export function list(columns: readonly string[]): string {
  return `(${columns.map(quoted).join(', ')})`
}

export function literal(value: string | number): string {
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`
}

/** `<table>_<columns>_<what>`, cut so that it stays unique. */
export function constraintName(table: string, columns: readonly string[], what: string): string {
  const name = [table, ...columns, what].join('_')
  if (name.length <= NAME_CHARS_MAX) return name
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8)
  return `${name.slice(0, NAME_CHARS_MAX - 9)}_${hash}`
}

export function createIndex(table: string, index: IndexShape): string {
  const where = index.where === null ? '' : ` where ${index.where}`
  return `create ${index.unique ? 'unique ' : ''}index ${quoted(index.name)} on ${quoted(table)} ${list(index.columns)}${where};`
}

export function dropIndex(index: IndexShape): string {
  return `drop index ${quoted(index.name)};`
}

export function primaryKey(table: TableShape): string {
  return `constraint ${quoted(`${table.name}_pkey`)} primary key ${list(table.primaryKey)}`
}

export function unique(table: TableShape, columns: readonly string[]): string {
  return `constraint ${quoted(constraintName(table.name, columns, 'key'))} unique ${list(columns)}`
}

export function foreignKey(table: TableShape, key: ForeignKeyShape): string {
  const name = constraintName(table.name, key.columns, 'fkey')
  return `constraint ${quoted(name)} foreign key ${list(key.columns)} references ${quoted(key.table)} ${list(key.references)}`
}

export function check(table: TableShape, column: ColumnShape): string[] {
  if (column.oneOf === null) return []
  const name = constraintName(table.name, [column.name], 'check')
  return [
    `constraint ${quoted(name)} check (${quoted(column.name)} in (${column.oneOf.map(literal).join(', ')}))`,
  ]
}

/** What follows the type of a column. */
export function columnRules(column: ColumnShape): string {
  const required = column.nullable ? '' : ' not null'
  return column.defaultTo === null ? required : `${required} default ${literal(column.defaultTo)}`
}

/** The value of a required column in rows that were there before it. */
export function fillValue(column: ColumnShape): string {
  if (column.defaultTo !== null) return literal(column.defaultTo)
  if (column.nullable) return 'null'
  return column.type === 'integer' ? '0' : literal(column.oneOf?.[0] ?? '')
}
