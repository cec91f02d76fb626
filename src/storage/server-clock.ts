// The database server's clock, as its clients follow it: hosts whose clocks disagree agree on leases, timers and ticks.

import { sql } from 'kysely'
import type { Clock, EpochMs } from '../base/time.ts'
import type { Database } from './database.ts'
import { systemStatement } from './statement.ts'

/** How often a client looks how far its own clock is off. */
export const CLOCK_SYNC_MS = 60_000
/** Less than this is the way there and back, and is left alone. */
export const CLOCK_OFF_MS_MIN = 500

export interface ServerClock extends AsyncDisposable {
  readonly now: Clock
  /** How far the host's clock is behind the server's, in milliseconds; 0 where they agree. */
  offsetMs(): number
  /** Looks again. */
  sync(): Promise<void>
}

/**
 * Follows the server's clock from now on. SQLite has none but the host's own. Where the server does not answer, what
 * was known last holds.
 */
export async function followServerClock(db: Database, host: Clock): Promise<ServerClock> {
  let offset = 0
  const sync = async (): Promise<void> => {
    const before = host()
    const row = await db.system.read((reader) => reader.first(serverTime, {}))
    const after = host()
    if (row === undefined) return
    const off = Math.round(Number(row.at) - (before + after) / 2)
    offset = Math.abs(off) < CLOCK_OFF_MS_MIN ? 0 : off
  }
  if (db.dialect === 'sqlite') {
    return {
      now: host,
      offsetMs: () => 0,
      sync: async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    }
  }
  await sync()
  const timer = setInterval(() => void sync().catch(() => undefined), CLOCK_SYNC_MS)
  timer.unref()
  return {
    now: () => host() + offset,
    offsetMs: () => offset,
    sync,
    [Symbol.asyncDispose]: async () => clearInterval(timer),
  }
}

const serverTime = systemStatement('server.time', 'the time belongs to no tenant', (db) =>
  db.selectNoFrom(sql<EpochMs>`(extract(epoch from clock_timestamp()) * 1000)::bigint`.as('at')),
)
