// The database queue: rows are claimed with a lease and a fencing token, on SQLite and Postgres alike.

import type { Kysely, SelectQueryBuilder } from 'kysely'
import type { JobId, RunId, TenantId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import type { SystemTransaction, TenantTransaction } from '../storage/database.ts'
import { forUpdateSkipLocked } from '../storage/dialect.ts'
import type { Bind, SystemBind, Tables } from '../storage/statement.ts'
import { statement, systemStatement } from '../storage/statement.ts'
import type { ClaimedJob } from './job.ts'
import { PRIORITY_CLASS, readyRank } from './job.ts'

/** Puts a run's job in the queue, in the transaction that records the run. */
export async function enqueueJob(
  tx: TenantTransaction,
  job: { id: JobId; runId: RunId; at: EpochMs },
): Promise<void> {
  const priority = PRIORITY_CLASS.normal
  await tx.run(insertJob, { ...job, priority, readyRank: readyRank(job.at, priority) })
}

/** Claims up to `limit` jobs that are due, and with `lapsed` those whose lease has lapsed. They are held until `at + leaseMs`. */
export async function claimJobs(
  tx: SystemTransaction,
  claim: { owner: string; limit: number; at: EpochMs; leaseMs: number; lapsed: boolean },
): Promise<readonly ClaimedJob[]> {
  const { owner, limit, at } = claim
  const params = { owner, limit, at, leaseUntil: at + claim.leaseMs }
  const due = await tx.all(claimQueued, params)
  if (!claim.lapsed || due.length >= claim.limit) return due
  return [...due, ...(await tx.all(claimLapsed, { ...params, limit: claim.limit - due.length }))]
}

/** Prolongs a lease; false where it was lost. */
export async function extendLease(tx: TenantTransaction, job: ClaimedJob, until: EpochMs): Promise<boolean> {
  return (await tx.run(updateLease, { jobId: job.jobId, fence: job.fence, until })) === 1
}

/**
 * Ends a held job: `done` for good, `parked` until somebody answers, `queued` for the next worker, which burns no
 * attempt. False where the lease was lost.
 */
export async function settleJob(
  tx: TenantTransaction,
  job: { jobId: JobId; fence: number },
  state: 'done' | 'parked' | 'queued',
  at: EpochMs,
): Promise<boolean> {
  const unused = state === 'queued' ? 1 : 0
  return (await tx.run(updateHeld, { jobId: job.jobId, fence: job.fence, state, unused, at })) === 1
}

/** Puts a parked job back in the queue. False where it was not parked. */
export async function wakeJob(tx: TenantTransaction, runId: RunId, at: EpochMs): Promise<boolean> {
  return (await tx.run(updateParked, { runId, at })) === 1
}

/** Ends a job that no worker holds. False where one does, or it had ended. */
export async function withdrawJob(tx: TenantTransaction, runId: RunId, at: EpochMs): Promise<boolean> {
  return (await tx.run(updateUnheld, { runId, at })) === 1
}

/** Frees at once what an owner held that is known to be dead. Answers how many. */
export async function releaseOwner(tx: SystemTransaction, owner: string, at: EpochMs): Promise<number> {
  return tx.run(updateOwner, { owner, at })
}

export const leaseOwners = systemStatement(
  'jobs.owners',
  'a worker looks for dead owners of any tenant',
  (db, _p: SystemBind<object>) =>
    db.selectFrom('jobs').select('leaseOwner').distinct().where('state', '=', 'leased'),
)

export const jobById = statement('jobs.get', (db, p: Bind<{ id: JobId }>) =>
  db.selectFrom('jobs').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

const insertJob = statement(
  'jobs.insert',
  (db, p: Bind<{ id: JobId; runId: RunId; at: EpochMs; priority: number; readyRank: number }>) =>
    db.insertInto('jobs').values({
      tenantId: p.tenantId,
      id: p.id,
      kind: 'agent',
      runId: p.runId,
      payload: null,
      definitionId: null,
      definitionCap: null,
      state: 'queued',
      priority: p.priority,
      readyRank: p.readyRank,
      notBefore: p.at,
      attempt: 0,
      maxAttempts: 20,
      leaseOwner: null,
      leaseUntil: 0,
      fence: 0,
      ticketedAt: 0,
      dedupKey: null,
      cancelRequestedAt: null,
      progress: null,
      errorCode: null,
      errorMessage: null,
      traceparent: null,
      createdAt: p.at,
      updatedAt: p.at,
      finishedAt: null,
    }),
)

interface ClaimValues {
  readonly owner: string
  readonly limit: number
  readonly at: EpochMs
  readonly leaseUntil: EpochMs
}

const CLAIM_REASON = 'a worker serves every tenant'

const claimQueued = systemStatement(
  'jobs.claim-queued',
  CLAIM_REASON,
  (db, p: SystemBind<ClaimValues>, dialect) =>
    claim(
      db,
      p,
      forUpdateSkipLocked(dialect)(
        db
          .selectFrom('jobs')
          .select(['tenantId', 'id'])
          .where('state', '=', 'queued')
          .where('notBefore', '<=', p.at)
          .orderBy('priority')
          .orderBy('notBefore')
          .orderBy('id')
          .limit(p.limit),
      ),
    ),
)

const claimLapsed = systemStatement(
  'jobs.claim-lapsed',
  CLAIM_REASON,
  (db, p: SystemBind<ClaimValues>, dialect) =>
    claim(
      db,
      p,
      forUpdateSkipLocked(dialect)(
        db
          .selectFrom('jobs')
          .select(['tenantId', 'id'])
          .where('state', '=', 'leased')
          .where('leaseUntil', '<', p.at)
          .orderBy('leaseUntil')
          .limit(p.limit),
      ),
    ),
)

/**
 * Leases the jobs that a select finds, with a fence above every earlier one. The select is made once, apart: inside a
 * condition, Postgres may plan to make it again and again, and each time it would lock the next rows.
 */
function claim(
  db: Kysely<Tables>,
  p: SystemBind<ClaimValues>,
  found: SelectQueryBuilder<Tables, 'jobs', { tenantId: TenantId; id: JobId }>,
) {
  return db
    .with(
      (cte) => cte('found').materialized(),
      () => found,
    )
    .updateTable('jobs')
    .set((eb) => ({
      state: 'leased' as const,
      leaseOwner: p.owner,
      leaseUntil: p.leaseUntil,
      fence: eb('fence', '+', 1),
      attempt: eb('attempt', '+', 1),
      updatedAt: p.at,
    }))
    .where((eb) =>
      eb(
        eb.refTuple('tenantId', 'id'),
        'in',
        eb.selectFrom('found').select(['found.tenantId', 'found.id']).$asTuple('tenantId', 'id'),
      ),
    )
    .returning([
      'tenantId',
      'id as jobId',
      'kind',
      'runId',
      'payload',
      'fence',
      'attempt',
      'maxAttempts',
      'leaseUntil',
      'traceparent',
    ])
}

const updateLease = statement('jobs.extend', (db, p: Bind<{ jobId: JobId; fence: number; until: EpochMs }>) =>
  db
    .updateTable('jobs')
    .set({ leaseUntil: p.until })
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.jobId)
    .where('fence', '=', p.fence)
    .where('state', '=', 'leased'),
)

const updateHeld = statement(
  'jobs.settle',
  (
    db,
    p: Bind<{
      jobId: JobId
      fence: number
      state: 'done' | 'parked' | 'queued'
      unused: number
      at: EpochMs
    }>,
  ) =>
    db
      .updateTable('jobs')
      .set((eb) => ({
        state: p.state,
        leaseOwner: null,
        attempt: eb('attempt', '-', p.unused),
        updatedAt: p.at,
      }))
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.jobId)
      .where('fence', '=', p.fence)
      .where('state', '=', 'leased'),
)

const updateParked = statement('jobs.wake', (db, p: Bind<{ runId: RunId; at: EpochMs }>) =>
  db
    .updateTable('jobs')
    .set({ state: 'queued', notBefore: p.at, attempt: 0, updatedAt: p.at })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('state', '=', 'parked'),
)

const updateUnheld = statement('jobs.withdraw', (db, p: Bind<{ runId: RunId; at: EpochMs }>) =>
  db
    .updateTable('jobs')
    .set({ state: 'done', updatedAt: p.at })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('state', 'in', ['queued', 'parked']),
)

const updateOwner = systemStatement(
  'jobs.release-owner',
  'a dead worker held jobs of any tenant',
  (db, p: SystemBind<{ owner: string; at: EpochMs }>) =>
    db
      .updateTable('jobs')
      .set({ leaseUntil: 0, updatedAt: p.at })
      .where('state', '=', 'leased')
      .where('leaseOwner', '=', p.owner),
)
