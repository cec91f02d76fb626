import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTestDatabase } from '../../test/support/database.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { Database } from './database.ts'
import { databaseContract } from './database-contract.ts'
import { migrate } from './migrations/migrate.ts'
import { openDatabase } from './open.ts'

async function openFile(): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-factory-sqlite-'))
  const db = await openDatabase(`sqlite:${join(folder, 'data.db')}`)
  await migrate(db)
  const close = db[Symbol.asyncDispose].bind(db)
  return Object.assign(db, {
    [Symbol.asyncDispose]: async () => {
      await close()
      await rm(folder, { recursive: true, force: true })
    },
  })
}

databaseContract('SQLite file', openFile)
databaseContract('SQLite in memory', () => openTestDatabase('sqlite'))
if (testDatabases().includes('postgres')) databaseContract('Postgres', () => openTestDatabase('postgres'))
