// Jobs that no live worker can do: they are set aside visibly, and put back when somebody came who can.

import type { EpochMs } from '../base/time.ts'
import type { Database, SystemTransaction } from '../storage/database.ts'
import { textsOf } from '../storage/dialect.ts'
import { type SystemBind, systemStatement } from '../storage/statement.ts'
import { CLASS_AGE_MS } from './job.ts'
import { givenKeys, keyTexts } from './job-keys.ts'
import { listWorkers, pruneWorkers } from './registry.ts'

/** A job whose kind no worker takes waits this long before it is set aside: a worker may just be restarting. */
export const UNROUTABLE_AFTER_MS = 60_000
/** How many jobs one pass sets aside, and how many it puts back. */
export const SWEPT_MAX = 1_000

export interface Swept {
  readonly setAside: number
  readonly putBack: number
}

/**
 * Sets queued jobs aside whose kind no live worker takes, and puts back those whose kind one takes again. While no
 * worker lives at all, nothing is set aside: any worker that starts may be the one. What a worker itself set aside waits
 * for `putBackFor`: the worker that lacks something still lacks it. Forgets workers that were lost long ago.
 */
export function sweepQueue({ db }: { readonly db: Database }, at: EpochMs): Promise<Swept> {
  return db.system.write(async (tx) => {
    await pruneWorkers(tx, at)
    const live = (await listWorkers(tx, at)).filter(({ state }) => state === 'live')
    if (live.length === 0) return { setAside: 0, putBack: 0 }
    const kinds = JSON.stringify([...new Set(live.flatMap((worker) => worker.kinds))])
    const setAside = await setOrphansAside(tx, kinds, at)
    return { setAside, putBack: await tx.run(putBack, { kinds, at, any: 0, limit: SWEPT_MAX }) }
  })
}

/** A worker starts: whatever was set aside of its kinds is tried again. Answers how many jobs. */
export function putBackFor(
  tx: SystemTransaction,
  worker: { readonly kinds: readonly string[] },
  at: EpochMs,
): Promise<number> {
  return tx.run(putBack, { kinds: JSON.stringify(worker.kinds), at, any: 1, limit: SWEPT_MAX })
}

async function setOrphansAside(tx: SystemTransaction, kinds: string, at: EpochMs): Promise<number> {
  const before = at - UNROUTABLE_AFTER_MS
  const orphans = await tx.all(orphaned, { kinds, before, limit: SWEPT_MAX })
  let count = 0
  for (const [kind, jobs] of Map.groupBy(orphans, (job) => job.kind)) {
    const message = `No live worker takes jobs of the kind "${kind}": start one that does (worker start --kinds ${kind}).`
    count += await tx.run(setAside, { jobs: keyTexts(jobs), message, at })
  }
  return count
}

const REASON = 'jobs of any tenant may lack a worker'

const orphaned = systemStatement(
  'jobs.orphaned',
  REASON,
  (db, p: SystemBind<{ kinds: string; before: EpochMs; limit: number }>, dialect) =>
    db
      .selectFrom('jobs')
      .select(['tenantId', 'id', 'kind', 'fence'])
      .where('state', '=', 'queued')
      .where('kind', 'not in', textsOf<string>(dialect, p.kinds))
      .where('notBefore', '<', p.before)
      .where('updatedAt', '<', p.before)
      .limit(p.limit),
)

const setAside = systemStatement(
  'jobs.set-aside',
  REASON,
  (db, p: SystemBind<{ jobs: string; message: string; at: EpochMs }>, dialect) =>
    db
      .updateTable('jobs')
      .from(givenKeys(dialect, p.jobs))
      .set({
        state: 'unroutable',
        leaseOwner: null,
        errorCode: 'job.unroutable',
        errorMessage: p.message,
        updatedAt: p.at,
      })
      .whereRef('jobs.tenantId', '=', 'given.tenantId')
      .whereRef('jobs.id', '=', 'given.id')
      .where('jobs.state', '=', 'queued'),
)

const putBack = systemStatement(
  'jobs.put-back',
  REASON,
  (db, p: SystemBind<{ kinds: string; any: number; at: EpochMs; limit: number }>, dialect) =>
    db
      .updateTable('jobs')
      .set((eb) => ({
        state: 'queued' as const,
        leaseOwner: null,
        notBefore: p.at,
        readyRank: eb(eb('priority', '*', CLASS_AGE_MS), '+', p.at),
        ticketedAt: 0,
        errorCode: null,
        errorMessage: null,
        updatedAt: p.at,
      }))
      .where((eb) =>
        eb(
          eb.refTuple('tenantId', 'id'),
          'in',
          db
            .selectFrom('jobs as aside')
            .select(['aside.tenantId', 'aside.id'])
            .where('aside.state', '=', 'unroutable')
            .where('aside.kind', 'in', textsOf<string>(dialect, p.kinds))
            .where((or) => or.or([or(or.val(p.any), '=', 1), or('aside.leaseOwner', 'is', null)]))
            .limit(p.limit)
            .$asTuple('tenantId', 'id'),
        ),
      )
      .where('state', '=', 'unroutable'),
)
