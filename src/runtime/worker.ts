// The worker inside a process, as the runtime gives it: the queue's worker with the handlers of the runtime's jobs.

import type { RunId } from '../base/ids.ts'
import type { JobHandler } from '../queue/handler.ts'
import type { Transport } from '../queue/transport.ts'
import { createJobWorker, type JobWorker, type JobWorkerOptions } from '../queue/worker.ts'
import type { DriveDeps } from './agent/context.ts'
import { driveByKind, RUN_KINDS } from './drive-by-kind.ts'
import { createRunHandler } from './run-handler.ts'

export interface Worker extends JobWorker {
  /** Stops a run that this worker drives, also one below another. */
  cancel(runId: RunId): void
}

export type WorkerOptions = Omit<JobWorkerOptions, 'name'>

export interface WorkerDeps extends DriveDeps {
  /** Handlers of jobs that drive no run, by kind. */
  readonly handlers?: ReadonlyMap<string, JobHandler> | undefined
  readonly transport?: Transport | undefined
  readonly queued?: (() => void) | undefined
}

export function createWorker(deps: WorkerDeps, options: WorkerOptions): Worker {
  const { db, clock, random, observer, transport, queued } = deps
  const runs = createRunHandler(deps, driveByKind)
  const handlers = new Map<string, JobHandler>(deps.handlers)
  for (const kind of RUN_KINDS) handlers.set(kind, runs)
  const trouble = observer.trouble.bind(observer)
  const worker = createJobWorker(
    { db, clock, random, handlers, transport, queued, trouble },
    { name: deps.worker, ...options },
  )
  return { ...worker, cancel: (runId) => deps.active.get(runId)?.stop('cancelled') }
}
