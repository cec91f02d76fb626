// Brings a database's tables to the state that this program needs, and back. Each migration is one transaction,
// and of two programs that start at the same moment one migrates and the other waits.

import { readFile } from 'node:fs/promises'
import { AppError } from '../../base/errors.ts'
import { type Clock, systemClock } from '../../base/time.ts'
import { type AdminSession, adminOf } from '../admin.ts'
import type { Database } from '../database.ts'
import { type Migration, readMigrations } from './migration-files.ts'
import {
  type AppliedMigration,
  addToHistory,
  checkHistory,
  createHistory,
  readHistory,
  removeFromHistory,
} from './migration-history.ts'
import { inMigration } from './migration-lock.ts'

export interface MigrateOptions {
  /** The version to stop at; the newest by default. */
  readonly to?: number
  readonly folder?: string
  readonly clock?: Clock
}

export interface MigrationStatus {
  readonly version: number
  readonly name: string
  /** Undefined where it waits to be applied. */
  readonly applied: AppliedMigration | undefined
}

/** Applies what is missing and answers what it applied. One query tells where nothing is to do. */
export async function migrate(db: Database, options: MigrateOptions = {}): Promise<readonly Migration[]> {
  const admin = adminOf(db)
  const known = await readMigrations(admin.dialect, options.folder)
  const target = options.to ?? known.length
  if (target < 0 || target > known.length) {
    throw new AppError('settings.invalid', `There is no migration ${target}; the newest is ${known.length}.`)
  }
  return admin.session(async (session) => {
    const before = await readHistory(session)
    checkHistory(known, before)
    const done: Migration[] = []
    for (const migration of known.slice(before.length, target)) {
      if (await applyOne(session, known, migration, options)) done.push(migration)
    }
    return done
  })
}

/** Takes back the newest migrations, one by default, and answers what it took back. Their data is lost. */
export async function rollback(
  db: Database,
  options: { readonly steps?: number; readonly folder?: string } = {},
): Promise<readonly Migration[]> {
  const admin = adminOf(db)
  const known = await readMigrations(admin.dialect, options.folder)
  return admin.session(async (session) => {
    const applied = await readHistory(session)
    checkHistory(known, applied)
    const back = known.slice(Math.max(0, applied.length - (options.steps ?? 1)), applied.length).toReversed()
    for (const migration of back) {
      await inMigration(session, async () => {
        await session.script(migration.down)
        await removeFromHistory(session, migration.version)
      })
    }
    return back
  })
}

/** Every migration that the program knows, and when it was applied. */
export async function migrationStatus(db: Database, folder?: string): Promise<readonly MigrationStatus[]> {
  const admin = adminOf(db)
  const known = await readMigrations(admin.dialect, folder)
  const applied = await admin.session(readHistory)
  return known.map(({ version, name }) => ({
    version,
    name,
    applied: applied.find((a) => a.version === version),
  }))
}

/** What was applied to this database, in order, whether the program knows it or not. */
export async function migrationHistory(db: Database): Promise<readonly AppliedMigration[]> {
  return adminOf(db).session(readHistory)
}

/** Throws where the program cannot work on this database: it is newer, older, or was changed by other files. */
export async function assertCurrentSchema(db: Database, folder?: string): Promise<void> {
  const admin = adminOf(db)
  const known = await readMigrations(admin.dialect, folder)
  const applied = await admin.session(readHistory)
  checkHistory(known, applied)
  if (applied.length < known.length) {
    const missing = known.length - applied.length
    throw new AppError(
      'settings.invalid',
      `The database lacks ${missing} of ${known.length} migrations: run "db migrate" first.`,
    )
  }
}

/** Applies a migration unless another program did in the meantime. */
async function applyOne(
  session: AdminSession,
  known: readonly Migration[],
  migration: Migration,
  { clock = systemClock }: MigrateOptions,
): Promise<boolean> {
  const program = await programVersion()
  return inMigration(session, async () => {
    await createHistory(session)
    const applied = await readHistory(session)
    checkHistory(known, applied)
    if (applied.length >= migration.version) return false
    await session.script(migration.up)
    const { version, name, checksum } = migration
    await addToHistory(session, { version, name, checksum, appliedAt: clock(), program })
    return true
  })
}

async function programVersion(): Promise<string> {
  const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  return version
}
