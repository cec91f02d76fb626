// Why a queued run is not driven: what its job says while no worker can do it.

import { jobIdOf } from '../queue/job.ts'
import { jobById } from '../queue/job-store.ts'
import type { TenantReader } from '../storage/database.ts'
import type { RunRow } from './journal/run-store.ts'
import type { Run } from './runtime.ts'

/** Null where the run is not queued, or may be taken by a worker. A run below another waits for the job of the one at the top. */
export async function blockedBy(
  reader: TenantReader,
  run: Pick<RunRow, 'state' | 'rootRunId'>,
): Promise<Run['blockedBy']> {
  if (run.state !== 'queued') return null
  const job = await reader.first(jobById, { id: jobIdOf(run.rootRunId) })
  if (job?.state !== 'unroutable') return null
  const code = job.errorCode ?? 'job.unroutable'
  return { code, message: job.errorMessage ?? code }
}
