// How a job comes into the queue: its row is inserted, or the open job that has its key stands for it.

import type { JobId, RunId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import type { TenantTransaction } from '../storage/database.ts'
import { type Bind, statement } from '../storage/statement.ts'
import { JOB_ATTEMPTS_MAX, PRIORITY_CLASS, type PriorityClass, readyRank } from './job.ts'
import type { JobRow } from './job-store.ts'

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
