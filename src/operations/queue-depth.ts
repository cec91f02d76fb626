// How full the queue is and who works on it, over all tenants, for metrics and the doctor.

import { sql } from 'kysely'
import type { Clock } from '../base/time.ts'
import { WORKER_LOST_MS } from '../queue/registry.ts'
import type { Database } from '../storage/database.ts'
import { type SystemBind, systemStatement } from '../storage/statement.ts'

export interface QueueDepth {
  /** Jobs by the states that somebody may have to do something about; those that are done are not counted. */
  readonly jobs: Readonly<Record<CountedState, number>>
  /** How long the job that is due for the longest has waited; 0 where none is queued. */
  readonly oldestQueuedMs: number
  /** Queued jobs for which a ticket was sent that no worker has taken yet. */
  readonly ticketsInFlight: number
  /** Workers whose heartbeat is not old. */
  readonly workers: number
}

const COUNTED = ['scheduled', 'leased', 'unroutable', 'dead'] as const
type CountedState = 'queued' | (typeof COUNTED)[number]

const REASON = 'an operator watches the queue of all tenants'

export function createQueueDepth(db: Database, clock: Clock): () => Promise<QueueDepth> {
  return () =>
    db.system.read(async (reader) => {
      const at = clock()
      const [queued, workers, ...counts] = await Promise.all([
        reader.first(queuedFigures, {}),
        reader.first(countWorkers, { since: at - WORKER_LOST_MS }),
        ...COUNTED.map((state) => reader.first(COUNT[state], {})),
      ])
      const [scheduled = 0, leased = 0, unroutable = 0, dead = 0] = counts.map((row) => row?.count ?? 0)
      const oldest = queued?.oldest ?? null
      return {
        jobs: { queued: queued?.count ?? 0, scheduled, leased, unroutable, dead },
        oldestQueuedMs: oldest === null ? 0 : Math.max(0, at - oldest),
        ticketsInFlight: Number(queued?.ticketed ?? 0),
        workers: workers?.count ?? 0,
      }
    })
}

// The states are written out, not bound: only so does SQLite use the index that holds just these rows.
const countOf = (state: (typeof COUNTED)[number]) =>
  systemStatement(`jobs.count-${state}`, REASON, (db, _p: SystemBind<object>) =>
    db
      .selectFrom('jobs')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('state', '=', sql.lit(state)),
  )

const COUNT = {
  scheduled: countOf('scheduled'),
  leased: countOf('leased'),
  unroutable: countOf('unroutable'),
  dead: countOf('dead'),
} as const

const queuedFigures = systemStatement('jobs.queued-figures', REASON, (db, _p: SystemBind<object>) =>
  db
    .selectFrom('jobs')
    .select((eb) => [
      eb.fn.countAll<number>().as('count'),
      eb.fn.min('notBefore').as('oldest'),
      eb.fn.sum<number>(eb.case().when('ticketedAt', '>', 0).then(1).else(0).end()).as('ticketed'),
    ])
    .where('state', '=', sql.lit('queued')),
)

const countWorkers = systemStatement('workers.count', REASON, (db, p: SystemBind<{ since: number }>) =>
  db
    .selectFrom('workers')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('heartbeatAt', '>=', p.since),
)
