// The handler of jobs that drive a run: takes the run with its job, drives it under the job's lease, hears that it is
// cancelled, and fails it where its job is given up.

import type { RunId } from '../base/ids.ts'
import { appendRunEvent } from '../events/append.ts'
import type { JobControl, JobEnd, JobHandler } from '../queue/handler.ts'
import type { ClaimedJob } from '../queue/job.ts'
import { closeBelow, closeRun, closingFor } from './agent/close-run.ts'
import type { DriveDeps } from './agent/context.ts'
import type { DriveEnd } from './agent/drive-end.ts'
import { createInterruption, type Interruption } from './agent/interruption.ts'
import { adoptRun, cancelFlag, type RunRow, runById } from './journal/run-store.ts'
import { cancelledBelow } from './journal/run-tree-store.ts'

/** Drives an adopted run to its end, or to where it must wait; it settles the job in its own transaction. */
export type DriveRun = (
  deps: DriveDeps,
  run: RunRow,
  job: ClaimedJob,
  interruption: Interruption,
) => Promise<DriveEnd>

export function createRunHandler(deps: DriveDeps, drive: DriveRun): JobHandler<RunRow> {
  return {
    async adopt(tx, job, at) {
      if (job.runId === null) return undefined
      const tenant = tx.forTenant(job.tenantId)
      // None: the run has ended, and its job had not been told.
      const run = await tenant.first(adoptRun, { id: job.runId, fence: job.fence, at })
      if (run === undefined) return undefined
      const type = run.eventCount <= 2 ? 'run.started' : 'run.resumed'
      const data = { attempt: job.attempt }
      const event = { runId: run.id, runSeq: run.eventCount, actor: deps.worker, data, at }
      await appendRunEvent(tenant, { type, ...event })
      return run
    },
    async run(job, run, control) {
      deps.written(run.id, false)
      const interruption = createInterruption()
      follow(control, interruption)
      const driven = drive(deps, run, job, interruption).catch((error: unknown): DriveEnd => {
        if (interruption.reason() !== 'cancelled') throw error
        deps.observer.trouble('A cancelled run could not be ended.', { runId: run.id, error })
        return { status: 'lost' }
      })
      return endOf(await driven, interruption)
    },
    async beat(tx, job) {
      if (job.runId === null) return false
      const root = await tx.first(cancelFlag, { id: job.runId })
      for (const { id } of await tx.all(cancelledBelow, { rootRunId: job.runId })) {
        deps.active.get(id)?.stop('cancelled')
      }
      return root?.cancelRequestedAt != null
    },
    async bury(job, error) {
      const closing = await closingFor(deps, job.tenantId, { actor: deps.worker, at: deps.clock() })
      let ended: readonly RunId[] = []
      return {
        async write(tx) {
          ended = []
          const run = job.runId === null ? undefined : await tx.first(runById, { id: job.runId })
          if (run === undefined) return
          await closeRun(tx, run.id, { state: 'failed', error: { ...error, code: 'run.lost' } }, closing)
          ended = [run.id, ...(await closeBelow(tx, run, closing))]
        },
        written() {
          for (const id of ended) deps.written(id, true)
        },
      }
    },
  }
}

/** Hands on what the worker says to what stops the run. */
function follow(control: JobControl, interruption: Interruption): void {
  const stop = (): void => {
    const reason = control.reason()
    if (reason !== undefined) interruption.stop(reason)
  }
  const drain = (): void => interruption.drain()
  control.signal.addEventListener('abort', stop, { once: true })
  control.draining.addEventListener('abort', drain, { once: true })
  if (control.signal.aborted) stop()
  if (control.draining.aborted) drain()
}

function endOf(end: DriveEnd, interruption: Interruption): JobEnd {
  // Where the lease holds, nothing could be stored: soon somebody tries again, if the database answers by then.
  const reason = interruption.reason()
  // A cancelled run that could not be stored as such is not done with: its job stays, and lapses.
  if (end.status !== 'lost' || reason === 'lost' || reason === 'cancelled') return { status: 'settled' }
  const message = 'The run could not be stored, or was changed from outside.'
  return { status: 'failed', error: { code: 'run.lost', message }, retryable: true }
}
