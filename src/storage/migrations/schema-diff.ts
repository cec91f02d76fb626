// What has to change between two schemas. Up is the difference forth, down the same difference back.

import { isDeepStrictEqual } from 'node:util'
import type { ColumnShape, IndexShape, SchemaShape, TableShape } from './schema-shape.ts'

export type Change =
  | { readonly kind: 'create-table'; readonly table: TableShape }
  | { readonly kind: 'drop-table'; readonly table: TableShape }
  | { readonly kind: 'add-columns'; readonly table: TableShape; readonly columns: readonly ColumnShape[] }
  /** Columns or keys that are there already are other ones now. */
  | { readonly kind: 'change-table'; readonly from: TableShape; readonly to: TableShape }
  | { readonly kind: 'create-index'; readonly table: string; readonly index: IndexShape }
  | { readonly kind: 'drop-index'; readonly table: string; readonly index: IndexShape }

/** The changes in the order in which they are made. */
export function diffSchemas(before: SchemaShape, after: SchemaShape): Change[] {
  const added = after.tables.filter((table) => find(before, table.name) === undefined)
  const dropped = before.tables.filter((table) => find(after, table.name) === undefined)
  const kept = after.tables.flatMap((to) => {
    const from = find(before, to.name)
    return from === undefined ? [] : [{ from, to }]
  })
  return [
    ...kept.flatMap(({ from, to }) => droppedIndexes(from, to)),
    ...dropped.toReversed().map((table): Change => ({ kind: 'drop-table', table })),
    ...added.map((table): Change => ({ kind: 'create-table', table })),
    ...kept.flatMap(({ from, to }) => changedTable(from, to)),
    ...added.flatMap((table) =>
      table.indexes.map((index): Change => ({ kind: 'create-index', table: table.name, index })),
    ),
    ...kept.flatMap(({ from, to }) => addedIndexes(from, to)),
  ]
}

/** Whether the table, indexes aside, can only be had by building it anew where the database cannot alter it. */
function changedTable(from: TableShape, to: TableShape): Change[] {
  const before = { ...from, indexes: [] }
  const after = { ...to, indexes: [] }
  if (isDeepStrictEqual(sorted(before), sorted(after))) return []
  const columns = to.columns.filter((column) => !from.columns.some(({ name }) => name === column.name))
  const rest = { ...after, columns: after.columns.filter((column) => !columns.includes(column)) }
  const simple = columns.every((column) => column.nullable || column.defaultTo !== null)
  if (simple && isDeepStrictEqual(sorted(before), sorted(rest)))
    return [{ kind: 'add-columns', table: to, columns }]
  return [{ kind: 'change-table', from, to }]
}

/** The order of columns does not matter: an added one stands last in the database. */
function sorted(table: TableShape): TableShape {
  return { ...table, columns: table.columns.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
}

function droppedIndexes(from: TableShape, to: TableShape): Change[] {
  const gone = from.indexes.filter((index) => !to.indexes.some((other) => isDeepStrictEqual(index, other)))
  return gone.map((index): Change => ({ kind: 'drop-index', table: from.name, index }))
}

function addedIndexes(from: TableShape, to: TableShape): Change[] {
  return droppedIndexes(to, from).flatMap((change): Change[] =>
    change.kind === 'drop-index' ? [{ ...change, kind: 'create-index' }] : [],
  )
}

function find(schema: SchemaShape, name: string): TableShape | undefined {
  return schema.tables.find((table) => table.name === name)
}
