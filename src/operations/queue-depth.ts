// How many jobs are in each state that is not done, for metrics.

import { sql } from 'kysely'
import type { Database } from '../storage/database.ts'
import { type SystemBind, systemStatement } from '../storage/statement.ts'

const REASON = 'an operator watches the queue of all tenants'

export function createQueueDepth(db: Database): () => Promise<Readonly<Record<string, number>>> {
  return () =>
    db.system.read(async (reader) => {
      const [queued, leased] = await Promise.all([
        reader.first(countQueued, {}),
        reader.first(countLeased, {}),
      ])
      return { queued: queued?.count ?? 0, leased: leased?.count ?? 0 }
    })
}

// The states are written out, not bound: only so does SQLite use the index that holds just these rows.
const countQueued = systemStatement('jobs.count-queued', REASON, (db, _p: SystemBind<object>) =>
  db
    .selectFrom('jobs')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('state', '=', sql.lit('queued')),
)

const countLeased = systemStatement('jobs.count-leased', REASON, (db, _p: SystemBind<object>) =>
  db
    .selectFrom('jobs')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('state', '=', sql.lit('leased')),
)
