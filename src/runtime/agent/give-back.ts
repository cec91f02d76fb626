// A run is given back to the queue, with what is gathered: another worker goes on with it.

import type { AppError } from '../../base/errors.ts'
import type { ClaimedJob } from '../../queue/job.ts'
import { settleJob } from '../../queue/job-store.ts'
import { setAside } from '../journal/run-store.ts'
import type { DrivenRun } from './context.ts'
import { setAsideUnroutable } from './unroutable.ts'

/** With a reason, `unroutable`, a worker that has what this one lacks goes on. */
export async function giveBack(
  { journal, run, deps }: Pick<DrivenRun, 'journal' | 'run' | 'deps'>,
  job: ClaimedJob | undefined,
  unroutable?: Pick<AppError, 'code' | 'message'>,
): Promise<void> {
  const at = deps.clock()
  journal.add(async (tx) => {
    if (unroutable !== undefined)
      return setAsideUnroutable(tx, run, job, unroutable, { actor: deps.worker, at })
    await tx.run(setAside, { id: run.id, fence: run.fence, state: 'queued', waitingReason: null })
    if (job !== undefined) await settleJob(tx, job, 'queued', at)
  })
  await journal.flush()
  if (unroutable !== undefined) deps.written(run.id, true)
}
