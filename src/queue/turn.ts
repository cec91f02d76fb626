// A job's turn in a worker: what is held, what stops it, and how it is settled. Every write carries the job's fence.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, EpochMs } from '../base/time.ts'
import type { Database } from '../storage/database.ts'
import type { DoneGroup } from './done-group.ts'
import type { JobControl, JobEnd, JobHandler } from './handler.ts'
import { type ClaimedJob, retryDelayMs } from './job.ts'
import { buryJob, extendLease, failJob, settleJob, setUnroutable } from './job-store.ts'

/** Waiting between attempts to settle a job while the database does not answer; the lease's end is the last moment. */
const SETTLE_RETRY_MS = 200
const SETTLE_RETRY_MS_MAX = 2_000

export type StopReason = 'cancelled' | 'shutdown' | 'lost'

/** A job that this worker does. One may be held twice for a moment: a lost lease is let go of, and claimed anew. */
export interface Turn {
  readonly job: ClaimedJob
  readonly handler: JobHandler
  /** What the handler took with it; `poison`: too many workers were lost with this job, and it is given up. */
  readonly adopted: { readonly value: unknown } | 'poison'
  leaseUntil: EpochMs
  /** JSON text. */
  progress: string | null
  reason: StopReason | undefined
  readonly signal: AbortController
  readonly draining: AbortController
}

export interface TurnDeps {
  readonly db: Database
  readonly clock: Clock
  readonly random: () => number
  readonly done: DoneGroup
  readonly leaseMs: number
  /** A job was put back in the queue. */
  readonly queued: () => void
  readonly trouble: (message: string, facts: Readonly<Record<string, unknown>>) => void
}

export function createTurn(job: ClaimedJob, handler: JobHandler, adopted: Turn['adopted']): Turn {
  const { leaseUntil } = job
  const signal = new AbortController()
  const draining = new AbortController()
  return { job, handler, adopted, leaseUntil, progress: null, reason: undefined, signal, draining }
}

/** The first reason stays. */
export function stopTurn(turn: Turn, reason: StopReason): void {
  if (turn.reason !== undefined) return
  turn.reason = reason
  turn.signal.abort(new Error(`The job was stopped: ${reason}.`))
  turn.draining.abort()
}

/** Does the job and settles it. Never throws. */
export async function runTurn(deps: TurnDeps, turn: Turn): Promise<void> {
  const end = await endOf(deps, turn)
  let waitMs = SETTLE_RETRY_MS
  for (;;) {
    try {
      await settle(deps, turn, end)
      return
    } catch (error) {
      const late = deps.clock() > turn.leaseUntil || turn.reason === 'lost' || turn.reason === 'shutdown'
      const outlook = late ? 'it is taken up again when its lease lapses' : 'this is tried again'
      deps.trouble(`A job could not be settled; ${outlook}.`, { job: turn.job.jobId, error })
      if (late) return
    }
    // A worker that stops waits no longer.
    await sleep(waitMs, undefined, { signal: turn.signal.signal }).catch(() => undefined)
    waitMs = Math.min(waitMs * 2, SETTLE_RETRY_MS_MAX)
  }
}

/** Prolongs the lease, stores the progress, and hears what was asked of the job. */
export async function keepTurn(deps: TurnDeps, turn: Turn, isHeld: () => boolean): Promise<void> {
  const { job, handler, progress } = turn
  const leaseUntil = deps.clock() + deps.leaseMs
  const found = await deps.db.tenant(job.tenantId).write(async (tx) => {
    const lease = await extendLease(tx, job, leaseUntil, progress)
    if (lease !== 'held') return lease
    return (await handler.beat?.(tx, job)) === true ? 'cancelled' : 'held'
  })
  // A job that was settled between the look and the write is not lost.
  if (!isHeld()) return
  turn.leaseUntil = leaseUntil
  if (turn.progress === progress) turn.progress = null
  if (found !== 'held') stopTurn(turn, found)
}

async function endOf(deps: TurnDeps, turn: Turn): Promise<JobEnd> {
  const { job, handler, adopted } = turn
  if (adopted === 'poison') {
    const message = `${job.attempt - 1} workers died or were lost while they did this.`
    return { status: 'failed', error: { code: 'run.lost', message }, retryable: false }
  }
  const control: JobControl = {
    signal: turn.signal.signal,
    draining: turn.draining.signal,
    reason: () => turn.reason,
    progress(value) {
      turn.progress = JSON.stringify(value)
    },
  }
  try {
    return await handler.run(job, adopted.value, control)
  } catch (error) {
    deps.trouble('The handler of a job failed unexpectedly.', { job: job.jobId, kind: job.kind, error })
    const message = error instanceof Error ? error.message : String(error)
    return { status: 'failed', error: { code: 'job.failed', message }, retryable: true }
  }
}

async function settle(deps: TurnDeps, turn: Turn, end: JobEnd): Promise<void> {
  const { job, reason } = turn
  if (reason === 'lost' || end.status === 'settled') return
  if (end.status === 'done') {
    await deps.done.settle(job)
    return
  }
  const at = deps.clock()
  const dies = reason === undefined && end.status === 'failed' && isLast(job, end)
  const burial = dies ? await turn.handler.bury?.(job, end.error) : undefined
  const put = await deps.db.tenant(job.tenantId).write(async (tx): Promise<'waits' | 'ended'> => {
    if (reason === 'cancelled') {
      await settleJob(tx, job, 'cancelled', at)
      return 'ended'
    }
    switch (end.status) {
      case 'released':
        await settleJob(tx, job, 'queued', at)
        return 'waits'
      case 'unroutable':
        await setUnroutable(tx, job, end.error, at)
        return 'ended'
      case 'failed': {
        // A drain that made it fail is no attempt of its own.
        if (reason === 'shutdown') {
          await settleJob(tx, job, 'queued', at)
          return 'waits'
        }
        if (dies) {
          if (await buryJob(tx, job, end.error, at)) await burial?.write(tx)
          return 'ended'
        }
        await failJob(tx, job, end.error, at, at + retryDelayMs(job.attempt, deps.random, end.retryAfterMs))
        return 'waits'
      }
      default:
        return end satisfies never
    }
  })
  burial?.written()
  if (put === 'waits') deps.queued()
}

function isLast({ attempt, maxAttempts }: ClaimedJob, end: JobEnd & { status: 'failed' }): boolean {
  return !end.retryable || attempt >= maxAttempts
}
