import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import pg from 'pg'
import { createDatabase } from './support/postgres.ts'
import { testDatabases } from './support/test-databases.ts'

if (testDatabases().includes('postgres')) {
  describe('the Postgres of the tests', () => {
    const serverUrl = process.env.TEST_POSTGRES_URL ?? ''

    it('gives each caller an empty database of its own', async () => {
      await using first = await createDatabase(serverUrl)
      await using second = await createDatabase(serverUrl)
      await query(first.url, 'create table mine (id text)')
      const tables = await query(second.url, "select 1 from pg_tables where tablename = 'mine'")
      assert.equal(tables.length, 0)
    })

    it('drops a database that is closed, even while someone is connected', async () => {
      const database = await createDatabase(serverUrl)
      const client = new pg.Client({ connectionString: database.url })
      client.on('error', () => undefined)
      await client.connect()
      await database[Symbol.asyncDispose]()
      await assert.rejects(query(database.url, 'select 1'), /does not exist/)
    })

    it('sorts as people read, as the servers of operators do', async () => {
      const rows = await query(serverUrl, "select 'a' < 'B' as sorted")
      assert.deepEqual(rows, [{ sorted: true }])
    })
  })
}

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query(statement)
    return rows
  } finally {
    await client.end()
  }
}
