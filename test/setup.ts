// Starts what all tests share, once: one real Postgres, unless TEST_DATABASES leaves it out. Redis and SQS are started by the
// first test that asks for them, and ended here.
// Called by the test runner (--test-global-setup); tests read its address from TEST_POSTGRES_URL.
import { type PostgresServer, startPostgres } from './support/postgres.ts'
import { endSharedServices } from './support/shared-services.ts'
import { testDatabases } from './support/test-databases.ts'

let server: PostgresServer | undefined

/** Called by the test runner before the first test file is loaded. */
export async function globalSetup(): Promise<void> {
  // A database that someone set by hand is never used: tests create and drop databases.
  delete process.env.TEST_POSTGRES_URL
  if (!testDatabases().includes('postgres')) return
  server = await startPostgres()
  process.env.TEST_POSTGRES_URL = server.url
}

/** Called by the test runner after the last test. */
export async function globalTeardown(): Promise<void> {
  await endSharedServices()
  await server?.stop()
}
