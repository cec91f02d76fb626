// Which migrations a database has had: the table schema_migrations, which no schema declares.

import { AppError } from '../../base/errors.ts'
import type { AdminSession } from '../admin.ts'
import type { Migration } from './migration-files.ts'

export interface AppliedMigration {
  readonly version: number
  readonly name: string
  readonly checksum: string
  /** Milliseconds since 1970. */
  readonly appliedAt: number
  /** The version of the program that applied it. */
  readonly program: string
}

const CREATE = `create table if not exists schema_migrations (
  version bigint not null primary key, name text not null, checksum text not null, applied_at bigint not null, program text not null)`

export async function createHistory(session: AdminSession): Promise<void> {
  await session.script(CREATE)
}

/** The migrations that were applied, in order; none where the database is new. One query. */
export async function readHistory(session: AdminSession): Promise<readonly AppliedMigration[]> {
  const rows = await session.rows(READ).catch((error: unknown) => {
    if (isMissingTable(error)) return []
    throw error
  })
  return rows.map((row) => ({
    version: Number(row.version),
    name: String(row.name),
    checksum: String(row.checksum),
    appliedAt: Number(row.applied_at),
    program: String(row.program),
  }))
}

const READ = 'select version, name, checksum, applied_at, program from schema_migrations order by version'
/** Postgres: undefined_table. */
const UNDEFINED_TABLE = '42P01'

function isMissingTable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ('code' in error && error.code === UNDEFINED_TABLE) || error.message.startsWith('no such table')
}

export async function addToHistory(session: AdminSession, applied: AppliedMigration): Promise<void> {
  const places = [1, 2, 3, 4, 5].map((n) => `${session.dialect === 'sqlite' ? '?' : '$'}${n}`).join(', ')
  await session.rows(
    `insert into schema_migrations (version, name, checksum, applied_at, program) values (${places})`,
    [applied.version, applied.name, applied.checksum, applied.appliedAt, applied.program],
  )
}

export async function removeFromHistory(session: AdminSession, version: number): Promise<void> {
  await session.rows(
    `delete from schema_migrations where version = ${session.dialect === 'sqlite' ? '?1' : '$1'}`,
    [version],
  )
}

/** Throws where the database is newer than the program, or a file changed after it was applied. */
export function checkHistory(known: readonly Migration[], applied: readonly AppliedMigration[]): void {
  for (const { version, name, checksum, program } of applied) {
    const migration = known[version - 1]
    const label = `${String(version).padStart(4, '0')}_${name}`
    if (migration === undefined) {
      throw new AppError(
        'storage.newer-schema',
        `The database was migrated by a newer program (${label}, by version ${program}): start that version, or a newer one.`,
      )
    }
    if (migration.checksum !== checksum || migration.name !== name) {
      throw new AppError(
        'storage.checksum-mismatch',
        `The migration ${label} is not the one that was applied to this database: restore its file, and add a new migration for the change.`,
      )
    }
  }
}
