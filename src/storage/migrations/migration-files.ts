// The migrations that this program brings along, as files: `0001_spine.sqlite.up.sql`, its three companions, and
// `0001_spine.snapshot.json`, the schema after it.

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Dialect } from '../schema/dialect.ts'

/** The folder in the package: it lies at the same distance from the source and from what is built of it. */
export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../../migrations/', import.meta.url))

export interface Migration {
  readonly version: number
  readonly name: string
  readonly up: string
  readonly down: string
  /** SHA-256 of `up`, whatever the line ends. */
  readonly checksum: string
}

const UP_FILE = /^(\d{4})_([a-z0-9-]+)\.(sqlite|postgres)\.up\.sql$/

/** All migrations for the database, in order. Throws where a number is missing or there twice. */
export async function readMigrations(
  dialect: Dialect,
  folder: string = MIGRATIONS_FOLDER,
): Promise<Migration[]> {
  const found = (await readdir(folder)).toSorted().flatMap((file) => {
    const [, version = '', name = '', of = ''] = UP_FILE.exec(file) ?? []
    return of === dialect ? [{ version: Number(version), name, stem: `${version}_${name}.${dialect}` }] : []
  })
  found.forEach(({ version, stem }, i) => {
    if (version !== i + 1) throw new Error(`The migration ${stem} should have the number ${i + 1}.`)
  })
  return Promise.all(found.map(({ version, name, stem }) => readMigration(folder, version, name, stem)))
}

async function readMigration(
  folder: string,
  version: number,
  name: string,
  stem: string,
): Promise<Migration> {
  const read = async (file: string): Promise<string> =>
    (await readFile(`${folder}/${file}`, 'utf8')).replaceAll('\r\n', '\n')
  const [up, down] = await Promise.all([read(`${stem}.up.sql`), read(`${stem}.down.sql`)])
  return { version, name, up, down, checksum: createHash('sha256').update(up).digest('hex') }
}
