// The tables of a SQLite database as shapes.

import type { AdminSession, PlainRow } from '../admin.ts'
import type { ColumnShape, ForeignKeyShape, IndexShape, SchemaShape, TableShape } from './schema-shape.ts'

export async function introspectSqlite(session: AdminSession): Promise<SchemaShape> {
  const tables = await session.rows(
    `select name, sql from sqlite_master where type = 'table' and name not like 'sqlite_%' and name <> 'schema_migrations'`,
  )
  const shapes: TableShape[] = []
  for (const { name, sql } of tables) shapes.push(await introspectTable(session, String(name), String(sql)))
  return { tables: shapes }
}

async function introspectTable(session: AdminSession, name: string, sql: string): Promise<TableShape> {
  const columns = await session.rows(`select * from pragma_table_xinfo(?1)`, [name])
  const indexes = await session.rows(
    `select l.name, l."unique", l.origin, m.sql from pragma_index_list(?1) l left join sqlite_master m on m.name = l.name`,
    [name],
  )
  const unique: string[][] = []
  const made: IndexShape[] = []
  for (const index of indexes) {
    const on = await indexColumns(session, String(index.name))
    if (index.origin === 'u') unique.push(on)
    if (index.origin === 'c') made.push(indexShape(index, on))
  }
  const key = columns.filter(({ pk }) => pk !== 0).toSorted((a, b) => Number(a.pk) - Number(b.pk))
  return {
    name,
    columns: columns.map((column) => columnShape(column, sql)),
    primaryKey: key.map((column) => String(column.name)),
    unique,
    indexes: made,
    foreignKeys: await foreignKeys(session, name),
  }
}

async function indexColumns(session: AdminSession, index: string): Promise<string[]> {
  const rows = await session.rows(`select name from pragma_index_info(?1) order by seqno`, [index])
  return rows.map(({ name }) => String(name))
}

function indexShape({ name, unique, sql }: PlainRow, columns: readonly string[]): IndexShape {
  return {
    name: String(name),
    columns,
    unique: unique === 1,
    where: / where (.*)$/is.exec(String(sql))?.[1] ?? null,
  }
}

function columnShape({ name, type, notnull, dflt_value, pk }: PlainRow, sql: string): ColumnShape {
  const generated = pk === 1 && new RegExp(`"${name}" integer primary key autoincrement`, 'i').test(sql)
  const values = new RegExp(`check \\("${name}" in \\(([^)]*)\\)\\)`, 'i').exec(sql)?.[1]
  return {
    name: String(name),
    type: String(type).toLowerCase() === 'integer' ? 'integer' : 'text',
    nullable: notnull === 0 && !generated,
    generated,
    defaultTo: dflt_value === null ? null : String(dflt_value).replaceAll("'", ''),
    oneOf: values === undefined ? null : values.split(', ').map((value) => value.replaceAll("'", '')),
  }
}

async function foreignKeys(session: AdminSession, table: string): Promise<ForeignKeyShape[]> {
  const rows = await session.rows(`select * from pragma_foreign_key_list(?1) order by id, seq`, [table])
  return Object.values(Object.groupBy(rows, ({ id }) => String(id))).map((key = []) => ({
    columns: key.map(({ from }) => String(from)),
    table: String(key[0]?.table),
    references: key.map(({ to }) => String(to)),
  }))
}
