// Jobs: the queue's rules. A job makes a worker advance a run; its row in the database is the truth.

import { isId, type JobId, type RunId, type TenantId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'

/** How long a claim holds without a heartbeat. */
export const LEASE_MS = 15_000
export const HEARTBEAT_MS = 5_000
/** How often an idle worker looks for jobs that nobody told it of. */
export const POLL_MS = 1_000
export const PRIORITY_DEFAULT = 100

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
  readonly runId: RunId
  readonly fence: number
  readonly attempt: number
  readonly leaseUntil: EpochMs
}
