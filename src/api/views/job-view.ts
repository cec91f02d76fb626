// Jobs and workers as the wire has them. Pure.

import { formatTime } from '../../base/time.ts'
import { type Job as JobResource, PRIORITIES, type Worker as WorkerResource } from '../../contract/job.ts'
import type { RegisteredWorker } from '../../queue/registry.ts'
import type { Job } from '../../runtime/runtime.ts'
import { timeOrNull } from './time-view.ts'

export function jobView(job: Job): JobResource {
  return {
    id: job.id,
    kind: job.kind,
    runId: job.runId,
    state: job.state,
    priority: PRIORITIES[job.priority] ?? 'low',
    attempt: job.attempt,
    maxAttempts: job.maxAttempts,
    leaseOwner: job.leaseOwner,
    leaseUntil: job.leaseOwner === null ? null : formatTime(job.leaseUntil),
    notBefore: formatTime(job.notBefore),
    progress: job.progress,
    error: job.error,
    createdAt: formatTime(job.createdAt),
    finishedAt: timeOrNull(job.finishedAt),
  }
}

export function workerView(worker: RegisteredWorker): WorkerResource {
  return {
    id: worker.id,
    version: worker.version,
    engine: worker.engine,
    kinds: [...worker.kinds],
    concurrency: worker.concurrency,
    active: worker.active,
    state: worker.state,
    startedAt: formatTime(worker.startedAt),
    heartbeatAt: formatTime(worker.heartbeatAt),
  }
}
