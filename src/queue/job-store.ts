// Jobs in the database: their rows are the truth, on SQLite and Postgres alike. Every write of a worker carries its
// fence and finds a leased row, or changes nothing. How they are taken is in claim.ts.

import type { JobId, RunId } from '../base/ids.ts'
import { withoutNul } from '../base/json.ts'
import type { EpochMs } from '../base/time.ts'
import type { SystemTransaction, TenantTransaction } from '../storage/database.ts'
import type { RowOf } from '../storage/schema/tables.ts'
import type { Bind, SystemBind } from '../storage/statement.ts'
import { statement, systemStatement } from '../storage/statement.ts'
import {
  CLASS_AGE_MS,
  type ClaimedJob,
  JOB_ATTEMPTS_MAX,
  PRIORITY_CLASS,
  type PriorityClass,
  readyRank,
} from './job.ts'

export type JobRow = RowOf<'jobs'>
export type JobState = JobRow['state']
export type JobError = { readonly code: string; readonly message: string }
/** What a worker's write needs of a job that it holds. */
export type HeldJob = Pick<ClaimedJob, 'jobId' | 'fence' | 'attempt'>

export interface NewJob {
  readonly id: JobId
  readonly kind: string
  readonly at: EpochMs
  readonly runId?: RunId | undefined
  /** JSON text. */
  readonly payload?: string | null | undefined
  readonly definitionId?: string | null | undefined
  /** How many jobs of the definition may be held at a time. */
  readonly definitionCap?: number | null | undefined
  readonly priority?: PriorityClass | undefined
  readonly notBefore?: EpochMs | undefined
  readonly maxAttempts?: number | undefined
  readonly dedupKey?: string | null | undefined
  readonly traceparent?: string | null | undefined
}

/**
 * Puts a job in the queue, in the transaction that records what it is about. Where an open job of its kind has its
 * `dedupKey`, nothing is inserted. Answers the id of the job that stands for it.
 */
export async function enqueueJob(tx: TenantTransaction, job: NewJob): Promise<JobId> {
  const { id, kind, at, notBefore = at, priority = PRIORITY_CLASS.normal, dedupKey = null } = job
  const row = {
    id,
    kind,
    at,
    runId: job.runId ?? null,
    payload: job.payload ?? null,
    definitionId: job.definitionId ?? null,
    definitionCap: job.definitionCap ?? null,
    state: notBefore > at ? ('scheduled' as const) : ('queued' as const),
    priority,
    readyRank: readyRank(notBefore, priority),
    notBefore,
    maxAttempts: job.maxAttempts ?? JOB_ATTEMPTS_MAX,
    dedupKey,
    traceparent: job.traceparent ?? null,
  }
  for (;;) {
    if ((await tx.run(insertJob, row)) === 1) return id
    // None: it has ended between the two statements, and its key is free.
    const open = await tx.first(openByDedup, { kind, dedupKey })
    if (open !== undefined) return open.id
  }
}

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

/**
 * Puts a run's job that waits (for somebody, for a time, for a worker) back in the queue. One that waited for its time
 * is only due sooner. False where it did not wait.
 */
export async function wakeJob(tx: TenantTransaction, runId: RunId, at: EpochMs): Promise<boolean> {
  return (await tx.run(updateWaiting, { runId, at })) === 1
}

/** Cancels a run's job that no worker holds. False where one does, or it had ended. */
export async function withdrawJob(tx: TenantTransaction, runId: RunId, at: EpochMs): Promise<boolean> {
  return (await tx.run(updateUnheld, { runId, at })) === 1
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

const OPEN_STATES = ['queued', 'scheduled', 'leased', 'parked', 'unroutable'] as const

const openByDedup = statement('jobs.by-dedup', (db, p: Bind<{ kind: string; dedupKey: string | null }>) =>
  db
    .selectFrom('jobs')
    .select('id')
    .where('tenantId', '=', p.tenantId)
    .where('kind', '=', p.kind)
    .where('dedupKey', '=', p.dedupKey)
    .where('state', 'in', [...OPEN_STATES]),
)

const insertJob = statement(
  'jobs.insert',
  (
    db,
    p: Bind<
      Pick<
        JobRow,
        | 'id'
        | 'kind'
        | 'runId'
        | 'payload'
        | 'definitionId'
        | 'definitionCap'
        | 'priority'
        | 'readyRank'
        | 'notBefore'
        | 'maxAttempts'
        | 'dedupKey'
        | 'traceparent'
      > & { state: 'queued' | 'scheduled'; at: EpochMs }
    >,
  ) =>
    db
      .insertInto('jobs')
      .values({
        tenantId: p.tenantId,
        id: p.id,
        kind: p.kind,
        runId: p.runId,
        payload: p.payload,
        definitionId: p.definitionId,
        definitionCap: p.definitionCap,
        state: p.state,
        priority: p.priority,
        readyRank: p.readyRank,
        notBefore: p.notBefore,
        attempt: 0,
        maxAttempts: p.maxAttempts,
        leaseOwner: null,
        leaseUntil: 0,
        fence: 0,
        ticketedAt: 0,
        dedupKey: p.dedupKey,
        cancelRequestedAt: null,
        progress: null,
        errorCode: null,
        errorMessage: null,
        traceparent: p.traceparent,
        createdAt: p.at,
        updatedAt: p.at,
        finishedAt: null,
      })
      .onConflict((conflict) =>
        conflict
          .columns(['tenantId', 'kind', 'dedupKey'])
          .where('dedupKey', 'is not', null)
          .where('state', 'in', [...OPEN_STATES])
          .doNothing(),
      ),
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

const updateWaiting = statement('jobs.wake', (db, p: Bind<{ runId: RunId; at: EpochMs }>) =>
  db
    .updateTable('jobs')
    .set((eb) => ({
      state: 'queued' as const,
      notBefore: p.at,
      readyRank: eb(eb('priority', '*', CLASS_AGE_MS), '+', p.at),
      attempt: eb.case().when('state', '=', 'parked').then(0).else(eb.ref('attempt')).end(),
      ticketedAt: 0,
      errorCode: null,
      errorMessage: null,
      updatedAt: p.at,
    }))
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('state', 'in', ['parked', 'scheduled', 'unroutable']),
)

const updateUnheld = statement('jobs.withdraw', (db, p: Bind<{ runId: RunId; at: EpochMs }>) =>
  db
    .updateTable('jobs')
    .set({ state: 'cancelled', finishedAt: p.at, updatedAt: p.at })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('state', 'in', ['queued', 'scheduled', 'parked', 'unroutable']),
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
