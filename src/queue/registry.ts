// Who takes jobs: a row for each worker while its process lives, kept fresh by its heartbeat. Nothing is decided by it
// but what people see, and which jobs nobody can do; leases alone decide who holds a job.

import type { EpochMs } from '../base/time.ts'
import type { SystemReader, SystemTransaction } from '../storage/database.ts'
import type { RowOf } from '../storage/schema/tables.ts'
import { type SystemBind, systemStatement } from '../storage/statement.ts'
import { LEASE_MS } from './job.ts'

/** A worker whose heartbeat is older is lost: its leases lapse as well by then. */
export const WORKER_LOST_MS = LEASE_MS
/** How long a lost worker's row stays, for people to see. */
export const WORKER_KEPT_MS = 3_600_000
/** More than this no platform has at once. */
export const WORKERS_MAX = 1_000

export interface RegisteredWorker {
  readonly id: string
  readonly version: string
  readonly engine: string
  readonly kinds: readonly string[]
  readonly codeTools: readonly string[]
  readonly concurrency: number
  readonly active: number
  readonly startedAt: EpochMs
  readonly heartbeatAt: EpochMs
  readonly drainingAt: EpochMs | null
  readonly state: 'live' | 'draining' | 'lost'
}

/** Records the worker as it is now; its first record and each heartbeat are the same. */
export async function recordWorker(
  tx: SystemTransaction,
  worker: Omit<RegisteredWorker, 'state'>,
): Promise<void> {
  const { kinds, codeTools, ...rest } = worker
  await tx.run(upsertWorker, { ...rest, kinds: JSON.stringify(kinds), codeTools: JSON.stringify(codeTools) })
}

/** A worker that lives, takes jobs of the same kinds by the same engine, and does not drain. */
export interface AlikeWorker {
  readonly id: string
  /** It could take a job now. */
  readonly free: boolean
}

/** The workers that could stand in for this one, and itself where it was recorded. */
export async function alikeWorkers(
  reader: SystemReader,
  { engine, kinds, at }: { engine: string; kinds: readonly string[]; at: EpochMs },
): Promise<readonly AlikeWorker[]> {
  const since = at - WORKER_LOST_MS
  const rows = await reader.all(liveAlike, {
    engine,
    kinds: JSON.stringify(kinds),
    since,
    limit: WORKERS_MAX,
  })
  return rows.map(({ id, concurrency, active }) => ({ id, free: active < concurrency }))
}

export async function removeWorker(tx: SystemTransaction, id: string): Promise<void> {
  await tx.run(deleteWorker, { id })
}

/** Forgets workers that were lost long ago. Answers how many. */
export function pruneWorkers(tx: SystemTransaction, at: EpochMs): Promise<number> {
  return tx.run(deleteOld, { before: at - WORKER_KEPT_MS })
}

/** The workers, those that started first before the others. */
export async function listWorkers(reader: SystemReader, at: EpochMs): Promise<readonly RegisteredWorker[]> {
  const rows = await reader.all(registeredWorkers, { limit: WORKERS_MAX })
  return rows.map((row) => ({
    ...row,
    kinds: JSON.parse(row.kinds) as readonly string[],
    codeTools: JSON.parse(row.codeTools) as readonly string[],
    state: stateOf(row, at),
  }))
}

function stateOf(row: RowOf<'workers'>, at: EpochMs): RegisteredWorker['state'] {
  if (row.heartbeatAt < at - WORKER_LOST_MS) return 'lost'
  return row.drainingAt === null ? 'live' : 'draining'
}

const REASON = 'workers belong to the platform, not to a tenant'

const upsertWorker = systemStatement('workers.record', REASON, (db, p: SystemBind<RowOf<'workers'>>) =>
  db
    .insertInto('workers')
    .values({
      id: p.id,
      version: p.version,
      engine: p.engine,
      kinds: p.kinds,
      codeTools: p.codeTools,
      concurrency: p.concurrency,
      active: p.active,
      startedAt: p.startedAt,
      heartbeatAt: p.heartbeatAt,
      drainingAt: p.drainingAt,
    })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet({
        active: p.active,
        heartbeatAt: p.heartbeatAt,
        drainingAt: p.drainingAt,
      }),
    ),
)

const deleteWorker = systemStatement('workers.remove', REASON, (db, p: SystemBind<{ id: string }>) =>
  db.deleteFrom('workers').where('id', '=', p.id),
)

const deleteOld = systemStatement('workers.prune', REASON, (db, p: SystemBind<{ before: EpochMs }>) =>
  db.deleteFrom('workers').where('heartbeatAt', '<', p.before),
)

const liveAlike = systemStatement(
  'workers.alike',
  REASON,
  (db, p: SystemBind<{ engine: string; kinds: string; since: EpochMs; limit: number }>) =>
    db
      .selectFrom('workers')
      .select(['id', 'concurrency', 'active'])
      .where('heartbeatAt', '>=', p.since)
      .where('drainingAt', 'is', null)
      .where('engine', '=', p.engine)
      .where('kinds', '=', p.kinds)
      .orderBy('id')
      .limit(p.limit),
)

const registeredWorkers = systemStatement(
  'workers.registered',
  REASON,
  (db, p: SystemBind<{ limit: number }>) =>
    db.selectFrom('workers').selectAll().orderBy('startedAt').orderBy('id').limit(p.limit),
)
