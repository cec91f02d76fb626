// Jobs: the queue's rules. A job makes a worker do something, most often advance a run; its row in the database is the
// truth, whatever engine carries tickets for it.

import { isId, type JobId, type RunId, type TenantId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'

/** How long a claim holds without a heartbeat. */
export const LEASE_MS = 15_000
export const HEARTBEAT_MS = 5_000
/** How often an idle worker looks for jobs that nobody told it of. */
export const POLL_MS = 1_000

/** Classes of priority, and what `jobs.priority` holds for each. */
export const PRIORITY_CLASS = { high: 0, normal: 1, low: 2 } as const
export type PriorityClass = (typeof PRIORITY_CLASS)[keyof typeof PRIORITY_CLASS]
/** A job that waited this much longer than one of the next higher class goes first: nothing waits for ever. */
export const CLASS_AGE_MS = 60_000

/** Where a job stands in its tenant's queue: lower goes first. Constant while it waits, so that ageing costs nothing. */
export function readyRank(dueAt: EpochMs, priority: number): number {
  return dueAt + priority * CLASS_AGE_MS
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
}

/** A job that drives a run. */
export type RunJob = ClaimedJob & { readonly runId: RunId }
