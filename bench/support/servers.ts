// The servers of the queue benches: those of the tests, set as an operator has them who loses nothing. Postgres commits to
// the disk (fsync, synchronous_commit and full_page_writes on); Redis keeps an append-only file, flushed every second.

import { createDatabase, startPostgres } from '../../test/support/postgres.ts'
import { startRedis } from '../../test/support/redis.ts'

export interface BenchPostgres extends AsyncDisposable {
  /** The address of a new database, which ends with the server. */
  database(): Promise<string>
}

export async function benchPostgres(): Promise<BenchPostgres> {
  const server = await startPostgres({ durable: true, synced: true })
  return {
    database: async () => (await createDatabase(server.url)).url,
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

export function benchRedis() {
  return startRedis(['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'])
}

/** A server, or why there is none here. */
export type Found<T> =
  | { readonly state: 'ready'; readonly server: T }
  | { readonly state: 'missing'; readonly reason: string }

/** Opens a server that this machine may lack; the figures that need it then say so. */
export async function findServer<T extends AsyncDisposable>(
  open: () => Promise<T>,
  opened: AsyncDisposableStack,
): Promise<Found<T>> {
  try {
    return { state: 'ready', server: opened.use(await open()) }
  } catch (error) {
    return { state: 'missing', reason: error instanceof Error ? error.message : String(error) }
  }
}
