// Writes the next migration: the difference between the declared schema and the one after the last migration.
//   node scripts/run.cjs -e "import('./src/storage/migrations/generate-migration.ts').then((m) => m.generateMigration('NAME'))"

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { MIGRATIONS_FOLDER } from './migration-files.ts'
import { postgresDdl } from './postgres-ddl.ts'
import { type Change, diffSchemas } from './schema-diff.ts'
import { declaredSchema, EMPTY_SCHEMA, type SchemaShape } from './schema-shape.ts'
import { sqliteDdl } from './sqlite-ddl.ts'

const SNAPSHOT_FILE = /^(\d{4})_[a-z0-9-]+\.snapshot\.json$/

/**
 * Writes the files of a migration with that name (kebab-case) and answers their names; none where nothing changed.
 * Throws where the change could not run on a table with rows.
 */
export async function generateMigration(
  name: string,
  schema: SchemaShape = declaredSchema(),
  folder: string = MIGRATIONS_FOLDER,
): Promise<readonly string[]> {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))
    throw new Error(`"${name}" is no name for a migration: a-z, 0-9 and "-".`)
  await mkdir(folder, { recursive: true })
  const { version, snapshot } = await lastSnapshot(folder)
  const up = diffSchemas(snapshot, schema)
  if (up.length === 0) return []
  refuseUnsafe(up)
  const down = diffSchemas(schema, snapshot)
  const stem = `${String(version + 1).padStart(4, '0')}_${name}`
  const files = {
    [`${stem}.sqlite.up.sql`]: `${sqliteDdl(up)}\n`,
    [`${stem}.sqlite.down.sql`]: `${sqliteDdl(down)}\n`,
    [`${stem}.postgres.up.sql`]: `${postgresDdl(up)}\n`,
    [`${stem}.postgres.down.sql`]: `${postgresDdl(down)}\n`,
    [`${stem}.snapshot.json`]: `${JSON.stringify(schema, null, 1)}\n`,
  }
  for (const [file, text] of Object.entries(files)) await writeFile(`${folder}/${file}`, text, { flag: 'wx' })
  return Object.keys(files)
}

/** The schema after the last migration in the folder. */
export async function lastSnapshot(
  folder: string = MIGRATIONS_FOLDER,
): Promise<{ readonly version: number; readonly snapshot: SchemaShape }> {
  const files = (await readdir(folder)).filter((file) => SNAPSHOT_FILE.test(file)).toSorted()
  const last = files.at(-1)
  if (last === undefined) return { version: 0, snapshot: EMPTY_SCHEMA }
  const snapshot = JSON.parse(await readFile(`${folder}/${last}`, 'utf8')) as SchemaShape
  return { version: Number(last.slice(0, 4)), snapshot }
}

/** Going up, rows that are there need a value for a new required column, and nobody may guess it. */
function refuseUnsafe(changes: readonly Change[]): void {
  for (const change of changes) {
    if (change.kind !== 'change-table') continue
    for (const column of change.to.columns) {
      const old = change.from.columns.find(({ name }) => name === column.name)
      const where = `${change.to.name}.${column.name}`
      if (old === undefined && !column.nullable && column.defaultTo === null) {
        throw new Error(
          `The new column ${where} is required: give it defaultTo, for the rows that are there.`,
        )
      }
      if (old !== undefined && old.generated !== column.generated) {
        throw new Error(`The column ${where} cannot become or stop being generated.`)
      }
    }
  }
}
