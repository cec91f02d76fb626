// A run that this worker cannot drive, because its host lacks what the definition names: it is set aside, not failed, and
// waits, visibly, for a worker that can.

import { AppError, type ErrorCode } from '../../base/errors.ts'
import { withoutNul } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import { appendRunEvent } from '../../events/append.ts'
import type { ClaimedJob } from '../../queue/job.ts'
import { setUnroutable } from '../../queue/job-store.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import type { Bind } from '../../storage/statement.ts'
import { statement } from '../../storage/statement.ts'
import { countEvent, type RunRow } from '../journal/run-store.ts'

/** What is amiss with the worker, not with the run. */
const OF_THE_WORKER: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'tool.unregistered',
  'model.not-configured',
])

/** A run below met something that this worker lacks: the whole tree waits for one that has it. */
export class Unroutable extends Error {
  override readonly name = 'Unroutable'
  readonly reason: AppError

  constructor(reason: AppError) {
    super(reason.message)
    this.reason = reason
  }
}

export function lacksOf(error: unknown): AppError | undefined {
  return error instanceof AppError && OF_THE_WORKER.has(error.code) ? error : undefined
}

/** Sets a run aside, in the transaction that has proved its fence: no attempt is burned and no time of its limit runs. */
export async function setAsideUnroutable(
  tx: TenantTransaction,
  run: Pick<RunRow, 'id' | 'fence'>,
  job: ClaimedJob | undefined,
  reason: Pick<AppError, 'code' | 'message'>,
  facts: { readonly actor: string; readonly at: EpochMs },
): Promise<void> {
  const counted = await tx.first(countEvent, { id: run.id })
  const event = { type: 'run.unroutable', runId: run.id, data: { code: reason.code }, ...facts } as const
  if (counted !== undefined) await appendRunEvent(tx, { ...event, runSeq: counted.eventCount })
  await tx.run(queueAgain, { id: run.id, fence: run.fence })
  const error = { code: reason.code, message: withoutNul(reason.message) }
  if (job !== undefined) await setUnroutable(tx, job, error, facts.at)
}

const queueAgain = statement('runs.unroutable', (db, p: Bind<{ id: RunRow['id']; fence: number }>) =>
  db
    .updateTable('runs')
    .set({ state: 'queued', waitingReason: null, activeSince: null })
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .where('fence', '=', p.fence)
    .where('state', '=', 'running'),
)
