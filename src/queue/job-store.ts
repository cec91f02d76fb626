// Jobs in the database: their rows are the truth, on SQLite and Postgres alike. Every write of a worker carries its
// fence and finds a leased row, or changes nothing. How they come in is in enqueue.ts, how they are taken in claim.ts,
// what others change of them in job-changes.ts.

import type { JobId } from '../base/ids.ts'
import { withoutNul } from '../base/json.ts'
import type { EpochMs } from '../base/time.ts'
import type { SystemTransaction, TenantTransaction } from '../storage/database.ts'
import type { RowOf } from '../storage/schema/tables.ts'
import type { Bind, SystemBind } from '../storage/statement.ts'
import { statement, systemStatement } from '../storage/statement.ts'
import { CLASS_AGE_MS, type ClaimedJob } from './job.ts'

export type JobRow = RowOf<'jobs'>
export type JobState = JobRow['state']
export type JobError = { readonly code: string; readonly message: string }
/** What a worker's write needs of a job that it holds. */
export type HeldJob = Pick<ClaimedJob, 'jobId' | 'fence' | 'attempt'>

export interface HeldUpdate {
  /** When a `scheduled` job is due. */
  readonly notBefore?: EpochMs | undefined
}

/**
 * Ends a held job's turn: `done` for good, `parked` until somebody answers, `scheduled` until a time, `queued` for the
 * next worker. None of them burns an attempt. False where the lease was lost.
 */
export function settleJob(
  tx: TenantTransaction,
  job: HeldJob,
  state: 'done' | 'cancelled' | 'parked' | 'queued' | 'scheduled',
  at: EpochMs,
  more: HeldUpdate = {},
): Promise<boolean> {
  const unused = state === 'queued' ? job.attempt - 1 : job.attempt
  const attempt = state === 'scheduled' ? 0 : unused
  return setHeld(tx, job, { state, attempt, notBefore: more.notBefore, error: undefined, at })
}

/** Schedules another attempt at a held job that failed. False where the lease was lost. */
export function failJob(
  tx: TenantTransaction,
  job: HeldJob,
  error: JobError,
  at: EpochMs,
  retryAt: EpochMs,
): Promise<boolean> {
  return setHeld(tx, job, { state: 'scheduled', attempt: job.attempt, notBefore: retryAt, error, at })
}

/** Lets a held job wait for a worker that can do it, without burning an attempt. False where the lease was lost. */
export function setUnroutable(
  tx: TenantTransaction,
  job: HeldJob,
  error: JobError,
  at: EpochMs,
): Promise<boolean> {
  return setHeld(tx, job, { state: 'unroutable', attempt: job.attempt - 1, notBefore: undefined, error, at })
}

/** Gives a held job up. False where the lease was lost. */
export function buryJob(tx: TenantTransaction, job: HeldJob, error: JobError, at: EpochMs): Promise<boolean> {
  return setHeld(tx, job, { state: 'dead', attempt: job.attempt, notBefore: undefined, error, at })
}

const FINAL: ReadonlySet<JobState> = new Set(['done', 'dead', 'cancelled'])

async function setHeld(
  tx: TenantTransaction,
  { jobId, fence }: HeldJob,
  to: {
    state: Exclude<JobState, 'leased'>
    attempt: number
    notBefore: EpochMs | undefined
    error: JobError | undefined
    at: EpochMs
  },
): Promise<boolean> {
  const changed = await tx.run(updateHeld, {
    jobId,
    fence,
    state: to.state,
    attempt: to.attempt,
    notBefore: to.notBefore ?? null,
    errorCode: to.error?.code ?? null,
    errorMessage: to.error === undefined ? null : withoutNul(to.error.message),
    finishedAt: FINAL.has(to.state) ? to.at : null,
    at: to.at,
  })
  return changed === 1
}

/** Prolongs a lease and stores how far the job has come. `lost`: the lease was; `cancelled`: somebody asked for it. */
export async function extendLease(
  tx: TenantTransaction,
  job: HeldJob,
  until: EpochMs,
  progress: string | null = null,
): Promise<'held' | 'cancelled' | 'lost'> {
  const row = await tx.first(updateLease, { jobId: job.jobId, fence: job.fence, until, progress })
  if (row === undefined) return 'lost'
  return row.cancelRequestedAt === null ? 'held' : 'cancelled'
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

const updateLease = statement(
  'jobs.extend',
  (db, p: Bind<{ jobId: JobId; fence: number; until: EpochMs; progress: string | null }>) =>
    db
      .updateTable('jobs')
      .set((eb) => ({ leaseUntil: p.until, progress: eb.fn.coalesce(eb.val(p.progress), 'progress') }))
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.jobId)
      .where('fence', '=', p.fence)
      .where('state', '=', 'leased')
      .returning('cancelRequestedAt'),
)

const updateHeld = statement(
  'jobs.settle',
  (
    db,
    p: Bind<{
      jobId: JobId
      fence: number
      state: Exclude<JobState, 'leased'>
      attempt: number
      notBefore: EpochMs | null
      errorCode: string | null
      errorMessage: string | null
      finishedAt: EpochMs | null
      at: EpochMs
    }>,
  ) =>
    db
      .updateTable('jobs')
      .set((eb) => ({
        state: p.state,
        // Who set it aside: what one worker lacks says nothing of those that start later.
        leaseOwner: eb
          .case()
          .when(eb.val(p.state), '=', 'unroutable')
          .then(eb.ref('leaseOwner'))
          .else(null)
          .end(),
        attempt: p.attempt,
        notBefore: eb.fn.coalesce(eb.val(p.notBefore), 'notBefore'),
        readyRank: eb.fn.coalesce(
          eb(eb('priority', '*', CLASS_AGE_MS), '+', eb.val(p.notBefore)),
          'readyRank',
        ),
        errorCode: p.errorCode,
        errorMessage: p.errorMessage,
        finishedAt: p.finishedAt,
        updatedAt: p.at,
      }))
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.jobId)
      .where('fence', '=', p.fence)
      .where('state', '=', 'leased'),
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
