// The tables of a Postgres database as shapes.

import type { AdminSession, PlainRow } from '../admin.ts'
import type { ColumnShape, ForeignKeyShape, IndexShape, SchemaShape } from './schema-shape.ts'

export async function introspectPostgres(session: AdminSession): Promise<SchemaShape> {
  const columns = Object.groupBy(await session.rows(COLUMNS), ({ table_name }) => String(table_name))
  const constraints = await session.rows(CONSTRAINTS)
  const indexes = await session.rows(INDEXES)
  const tables = Object.entries(columns).map(([name, of = []]) => {
    const own = constraints.filter(({ table_name }) => table_name === name)
    const ofType = (type: string): PlainRow[] => own.filter(({ contype }) => contype === type)
    return {
      name,
      columns: of.map((column) => columnShape(column, ofType('c'))),
      primaryKey: ofType('p').flatMap((row) => names(row.columns)),
      unique: ofType('u').map((row) => names(row.columns)),
      indexes: indexes.filter(({ table_name }) => table_name === name).map(indexShape),
      foreignKeys: ofType('f').map(foreignKey),
    }
  })
  return { tables }
}

const COLUMNS = `select table_name::text, column_name::text, data_type::text, is_nullable::text, is_identity::text, column_default::text
  from information_schema.columns where table_schema = current_schema() and table_name <> 'schema_migrations'
  order by table_name, ordinal_position`

const CONSTRAINTS = `select t.relname::text as table_name, c.contype::text, f.relname::text as foreign_table,
    pg_get_constraintdef(c.oid) as definition,
    (select string_agg(a.attname::text, ',' order by k.place) from unnest(c.conkey) with ordinality k(number, place)
      join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number) as columns,
    (select string_agg(a.attname::text, ',' order by k.place) from unnest(c.confkey) with ordinality k(number, place)
      join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number) as foreign_columns
  from pg_constraint c join pg_class t on t.oid = c.conrelid left join pg_class f on f.oid = c.confrelid
  where t.relnamespace = current_schema()::regnamespace and c.contype in ('p', 'u', 'f', 'c')
  order by c.conname`

const INDEXES = `select t.relname::text as table_name, n.relname::text as name, i.indisunique as is_unique,
    pg_get_expr(i.indpred, i.indrelid) as condition,
    (select string_agg(a.attname::text, ',' order by k.place) from unnest(i.indkey::int2[]) with ordinality k(number, place)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number) as columns
  from pg_index i join pg_class n on n.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
  where t.relnamespace = current_schema()::regnamespace and t.relname <> 'schema_migrations'
    and not exists (select 1 from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('p', 'u'))
  order by n.relname`

function names(columns: unknown): string[] {
  return String(columns).split(',')
}

function columnShape(row: PlainRow, checks: readonly PlainRow[]): ColumnShape {
  const name = String(row.column_name)
  const generated = row.is_identity === 'YES'
  const check = checks.find(({ columns }) => columns === name)
  return {
    name,
    type: row.data_type === 'bigint' ? 'integer' : 'text',
    nullable: row.is_nullable === 'YES',
    generated,
    defaultTo: row.column_default === null ? null : String(row.column_default).replaceAll(/::\w+|'/g, ''),
    oneOf:
      check === undefined
        ? null
        : [...String(check.definition).matchAll(/'([^']*)'/g)].map(([, value = '']) => value),
  }
}

function indexShape(row: PlainRow): IndexShape {
  return {
    name: String(row.name),
    columns: names(row.columns),
    unique: row.is_unique === true,
    where: row.condition === null ? null : String(row.condition),
  }
}

function foreignKey(row: PlainRow): ForeignKeyShape {
  return {
    columns: names(row.columns),
    table: String(row.foreign_table),
    references: names(row.foreign_columns),
  }
}
