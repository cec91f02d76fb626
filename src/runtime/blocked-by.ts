// Why a run is not driven: what its job says while no worker can do it, or the budget that has no room for it.

import { formatUsd } from '../base/money.ts'
import { formatTime } from '../base/time.ts'
import { jobIdOf } from '../queue/job.ts'
import { jobById } from '../queue/job-store.ts'
import type { TenantReader } from '../storage/database.ts'
import { budgetWaitOf } from './budget-waits.ts'
import type { RunRow } from './journal/run-store.ts'
import type { Run } from './runtime.ts'

/** Null where the run may be taken by a worker, or waits for something else than money. A run below another waits for the job of the one at the top. */
export async function blockedBy(
  reader: TenantReader,
  run: Pick<RunRow, 'id' | 'state' | 'waitingReason' | 'rootRunId'>,
): Promise<Run['blockedBy']> {
  if (run.state === 'waiting' && run.waitingReason === 'budget') return unmet(reader, run.id)
  if (run.state !== 'queued') return null
  const job = await reader.first(jobById, { id: jobIdOf(run.rootRunId) })
  if (job?.state !== 'unroutable') return null
  const code = job.errorCode ?? 'job.unroutable'
  return { code, message: job.errorMessage ?? code }
}

async function unmet(reader: TenantReader, runId: RunRow['id']): Promise<Run['blockedBy']> {
  const wait = await budgetWaitOf(reader, runId)
  if (wait === undefined) return null
  const { budgetId, neededNanos, againAt } = wait
  const until = againAt === null ? '' : `, or wait until ${formatTime(againAt)}`
  const message = `The budget ${budgetId} has no room for ${formatUsd(neededNanos)} USD: top it up (budget top-up ${budgetId})${until}.`
  return { code: 'budget.exceeded', message }
}
