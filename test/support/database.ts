// Databases for tests: fresh, migrated, and closed by the test that opened them.

import { describe } from 'node:test'
import type { Database } from '../../src/storage/database.ts'
import { migrate } from '../../src/storage/migrations/migrate.ts'
import { openDatabase } from '../../src/storage/open.ts'
import { createDatabase } from './postgres.ts'
import { type TestDatabase, testDatabases } from './test-databases.ts'

/** A database of its own with all tables and no row: SQLite in memory by default. */
export async function openTestDatabase(kind: TestDatabase = 'sqlite'): Promise<Database> {
  const db = kind === 'sqlite' ? await openDatabase('sqlite::memory:') : await openPostgres()
  await migrate(db)
  return db
}

/** Registers the suite once for each database of TEST_DATABASES; `open` gives a fresh one each time. */
export function forEachDatabase(suite: (name: TestDatabase, open: () => Promise<Database>) => void): void {
  for (const name of testDatabases()) describe(name, () => suite(name, () => openTestDatabase(name)))
}

async function openPostgres(): Promise<Database> {
  const server = process.env.TEST_POSTGRES_URL
  if (server === undefined)
    throw new Error('TEST_POSTGRES_URL is not set: run the tests with --test-global-setup=test/setup.ts.')
  const created = await createDatabase(server)
  const db = await openDatabase(created.url)
  // Closing the database also drops it.
  const close = db[Symbol.asyncDispose].bind(db)
  return Object.assign(db, {
    [Symbol.asyncDispose]: async () => {
      await close()
      await created[Symbol.asyncDispose]()
    },
  })
}
