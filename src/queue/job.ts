// Jobs: the queue's rules. A job makes a worker do something, most often advance a run; its row in the database is the
// truth, whatever engine carries tickets for it.

import { isId, type JobId, type RunId, type TenantId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'

/** How long a claim holds without a heartbeat. */
export const LEASE_MS = 12_000
export const HEARTBEAT_MS = 4_000
/** How often an idle worker looks for jobs that nobody told it of. */
export const POLL_MS = 1_000

/** How many times a job may be taken up without a result before it is given up, unless it says otherwise. */
export const JOB_ATTEMPTS_MAX = 20

/** Classes of priority, and what `jobs.priority` holds for each. */
export const PRIORITY_CLASS = { high: 0, normal: 1, low: 2 } as const
export type PriorityClass = (typeof PRIORITY_CLASS)[keyof typeof PRIORITY_CLASS]
/** A job that waited this much longer than one of the next higher class goes first: nothing waits for ever. */
export const CLASS_AGE_MS = 60_000

/** Where a job stands in its tenant's queue: lower goes first. Constant while it waits, so that ageing costs nothing. */
export function readyRank(dueAt: EpochMs, priority: number): number {
  return dueAt + priority * CLASS_AGE_MS
}

/** Waiting between attempts: doubles from the first, up to the most, and full jitter spreads those that failed together. */
export const RETRY_BASE_MS = 1_000
export const RETRY_FACTOR = 2
export const RETRY_MS_MAX = 300_000

/**
 * How long a job waits after its failed attempt number `attempt` (from 1): at random between 0 and the exponential
 * delay (full jitter, AWS Architecture Blog, "Exponential Backoff and Jitter"), but not less than the other side asked.
 */
export function retryDelayMs(attempt: number, random: () => number, retryAfterMs = 0): number {
  const most = Math.min(RETRY_MS_MAX, RETRY_BASE_MS * RETRY_FACTOR ** Math.max(attempt - 1, 0))
  return Math.max(Math.floor(random() * most), retryAfterMs)
}

/** The id of the job that drives a run and those below it: derived from the run at the top, so that each leads to the other. */
export function jobIdOf(rootRunId: RunId): JobId {
  const id = `job_${rootRunId.slice('run_'.length)}`
  if (!isId('job', id)) throw new Error(`"${rootRunId}" is not the id of a run.`)
  return id
}

/** A job that this worker holds until its lease ends. Every write carries the fence; a later claim has a higher one. */
export interface ClaimedJob {
  readonly tenantId: TenantId
  readonly jobId: JobId
  readonly kind: string
  /** The run that it drives; null for a job of another kind. */
  readonly runId: RunId | null
  /** JSON text. */
  readonly payload: string | null
  readonly fence: number
  readonly attempt: number
  readonly maxAttempts: number
  readonly leaseUntil: EpochMs
  readonly traceparent: string | null
  /** Somebody asked for it to be cancelled while no worker could hear of it. */
  readonly cancelRequestedAt: EpochMs | null
}
