// Compares the tables of a database with the declared ones, fact by fact: what a migration forgot shows here.

import { adminOf } from '../admin.ts'
import type { Database } from '../database.ts'
import { introspectPostgres } from './postgres-introspection.ts'
import { declaredSchema, type SchemaShape, type TableShape } from './schema-shape.ts'
import { introspectSqlite } from './sqlite-introspection.ts'

/** Where the database and the declaration differ, a line each; none where they agree. */
export async function checkSchemaAgreement(
  db: Database,
  schema: SchemaShape = declaredSchema(),
): Promise<readonly string[]> {
  const { dialect, session } = adminOf(db)
  const actual = await session(dialect === 'sqlite' ? introspectSqlite : introspectPostgres)
  const expected = new Set(schema.tables.flatMap(facts))
  const found = new Set(actual.tables.flatMap(facts))
  return [
    ...[...expected.difference(found)].map((fact) => `${dialect}: missing ${fact}`),
    ...[...found.difference(expected)].map((fact) => `${dialect}: not declared ${fact}`),
  ]
}

/** Everything that a table says, in an order of its own and in a wording that both databases can give. */
function facts(table: TableShape): string[] {
  const { name } = table
  return [
    ...table.columns.map((column) => {
      const kind = column.generated ? 'counter' : column.type
      const fallback = column.defaultTo === null ? '' : ` default ${column.defaultTo}`
      return `column ${name}.${column.name} ${kind}${column.nullable ? '' : ' required'}${fallback}`
    }),
    ...table.columns.flatMap((column) =>
      column.oneOf === null ? [] : [`check ${name}.${column.name} in ${column.oneOf.toSorted().join(', ')}`],
    ),
    `primary key ${name} (${table.primaryKey.join(', ')})`,
    ...table.unique.map((columns) => `unique ${name} (${columns.join(', ')})`),
    ...table.indexes.map((index) => {
      const where = index.where === null ? '' : ` where ${plainCondition(index.where)}`
      return `${index.unique ? 'unique ' : ''}index ${index.name} on ${name} (${index.columns.join(', ')})${where}`
    }),
    ...table.foreignKeys.map(
      (key) =>
        `foreign key ${name} (${key.columns.join(', ')}) to ${key.table} (${key.references.join(', ')})`,
    ),
  ]
}

/** A condition without the casts and parentheses that Postgres adds, and with `in` where it writes `= any (array[…])`. */
function plainCondition(condition: string): string {
  return condition
    .toLowerCase()
    .replaceAll(/::\w+|[()"]/g, '')
    .replaceAll(/= any array\[([^\]]*)\]/g, 'in $1')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
