// Changes as SQLite has them. What ALTER TABLE cannot do is done by building the table anew, as
// https://www.sqlite.org/lang_altertable.html#otheralter says (the migrator turns foreign keys off meanwhile).

import { quoted } from '../identifiers.ts'
import {
  check,
  columnRules,
  createIndex,
  dropIndex,
  fillValue,
  foreignKey,
  list,
  primaryKey,
  unique,
} from './ddl.ts'
import type { Change } from './schema-diff.ts'
import type { ColumnShape, TableShape } from './schema-shape.ts'

export function sqliteDdl(changes: readonly Change[]): string {
  return changes.flatMap(statements).join('\n')
}

function statements(change: Change): string[] {
  switch (change.kind) {
    case 'create-table':
      return [createTable(change.table, change.table.name)]
    case 'drop-table':
      return [`drop table ${quoted(change.table.name)};`]
    case 'add-columns':
      return change.columns.map((column) => addColumn(change.table, column))
    case 'change-table':
      return rebuild(change.from, change.to)
    case 'create-index':
      return [createIndex(change.table, change.index)]
    case 'drop-index':
      return [dropIndex(change.index)]
    default:
      return change satisfies never
  }
}

function createTable(table: TableShape, name: string): string {
  const counted = table.columns.some((column) => column.generated)
  const lines = [
    ...table.columns.map(columnDefinition),
    ...(counted ? [] : [primaryKey(table)]),
    ...table.unique.map((columns) => unique(table, columns)),
    ...table.columns.flatMap((column) => check(table, column)),
    ...table.foreignKeys.map((key) => foreignKey(table, key)),
  ]
  return `create table ${quoted(name)} (\n  ${lines.join(',\n  ')}\n) strict;`
}

function columnDefinition(column: ColumnShape): string {
  // A number is never given twice, also after the last row was deleted: readers hold it as a cursor.
  if (column.generated) return `${quoted(column.name)} integer primary key autoincrement`
  return `${quoted(column.name)} ${column.type}${columnRules(column)}`
}

function addColumn(table: TableShape, column: ColumnShape): string {
  const definition = [columnDefinition(column), ...check(table, column)].join(' ')
  return `alter table ${quoted(table.name)} add column ${definition};`
}

function rebuild(from: TableShape, to: TableShape): string[] {
  const temporary = `${to.name}__new`
  const names = to.columns.map((column) => column.name)
  const values = to.columns.map((column) => carried(from, column))
  const kept = to.indexes.filter((index) =>
    from.indexes.some((other) => JSON.stringify(other) === JSON.stringify(index)),
  )
  return [
    createTable(to, temporary),
    `insert into ${quoted(temporary)} ${list(names)} select ${values.join(', ')} from ${quoted(from.name)};`,
    `drop table ${quoted(from.name)};`,
    `alter table ${quoted(temporary)} rename to ${quoted(to.name)};`,
    ...kept.map((index) => createIndex(to.name, index)),
  ]
}

/** What a column of the new table takes from the old one. */
function carried(from: TableShape, column: ColumnShape): string {
  const old = from.columns.find(({ name }) => name === column.name)
  if (old === undefined) return fillValue(column)
  const value =
    old.type === column.type ? quoted(column.name) : `cast(${quoted(column.name)} as ${column.type})`
  return old.nullable && !column.nullable ? `coalesce(${value}, ${fillValue(column)})` : value
}
