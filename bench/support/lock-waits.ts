// How many connections of a Postgres wait for a lock of another one, looked at every few milliseconds.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin } from '../../src/storage/admin.ts'

export interface LockWaits {
  /** On average over all looks. */
  readonly waiting: number
  /** Transactions that the server ended because they waited for each other. */
  readonly deadlocks: number
}

export interface LockWatch extends AsyncDisposable {
  stop(): Promise<LockWaits>
}

const LOOK_MS = 20
const WAITING = `select count(*)::int as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
const DEADLOCKS =
  'select deadlocks::int as deadlocks from pg_stat_database where datname = current_database()'

export function watchLocks(admin: Admin): LockWatch {
  const ending = new AbortController()
  const watching = admin.session(async ({ rows }): Promise<LockWaits> => {
    const count = async (sql: string, column: string): Promise<number> =>
      Number((await rows(sql))[0]?.[column])
    const before = await count(DEADLOCKS, 'deadlocks')
    let sum = 0
    let looks = 0
    for (; !ending.signal.aborted; looks++) {
      sum += await count(WAITING, 'waiting')
      await sleep(LOOK_MS, undefined, { signal: ending.signal }).catch(() => undefined)
    }
    return { waiting: sum / looks, deadlocks: (await count(DEADLOCKS, 'deadlocks')) - before }
  })
  // Nobody may ask for it where the load failed.
  watching.catch(() => undefined)
  const stop = (): Promise<LockWaits> => {
    ending.abort()
    return watching
  }
  return { stop, [Symbol.asyncDispose]: async () => void (await stop()) }
}
