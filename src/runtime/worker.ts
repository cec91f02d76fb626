// The worker inside a process: claims jobs, drives their runs, keeps their leases, lets go of them when it stops.

import { AppError } from '../base/errors.ts'
import type { RunId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import { appendRunEvent } from '../events/append.ts'
import { HEARTBEAT_MS, LEASE_MS, POLL_MS, type RunJob } from '../queue/job.ts'
import { claimJobs, extendLease, leaseOwners, releaseOwner, settleJob } from '../queue/job-store.ts'
import type { DriveDeps } from './agent/context.ts'
import { driveRun } from './agent/drive.ts'
import { failUnloaded } from './agent/finish.ts'
import { createInterruption, type Interruption } from './agent/interruption.ts'
import { adoptRun, cancelFlag, type RunRow } from './journal/run-store.ts'
import { cancelledBelow } from './journal/run-tree-store.ts'
import { dropName, holdName, isDead } from './worker-owner.ts'

/** How many times a job may be taken up without being settled before its run is given up. */
export const JOB_ATTEMPTS_MAX = 20

export interface Worker {
  readonly name: string
  /** How many runs it drives now. */
  active(): number
  /** When it last looked for jobs. */
  lastPollAt(): number
  start(): Promise<void>
  /** There may be something to do. */
  wake(): void
  /** Stops a run that this worker drives, also one below another. */
  cancel(runId: RunId): void
  /** Takes no more jobs, lets the runs reach their next step within the time, and gives them back to the queue. */
  stop(drainMs: number): Promise<void>
}

export interface WorkerOptions {
  readonly concurrency: number
  readonly leaseMs?: number | undefined
  readonly heartbeatMs?: number | undefined
}

/** A job that this worker drives. One run may be held twice for a moment: a lost lease is let go of, and claimed anew. */
interface Held {
  readonly job: RunJob
  readonly interruption: Interruption
  leaseUntil: EpochMs
}

export function createWorker(deps: DriveDeps, options: WorkerOptions): Worker {
  const { db, clock, worker: name, observer } = deps
  const { concurrency, leaseMs = LEASE_MS, heartbeatMs = HEARTBEAT_MS } = options
  const held = new Set<Held>()
  const driving = new Set<Promise<void>>()
  let running = false
  let filling: Promise<void> | undefined
  let again = false
  let lastPollAt = clock()
  let lastLapsedAt = 0
  const timers: NodeJS.Timeout[] = []

  const trouble = (what: string) => (error: unknown) => observer.trouble(what, { worker: name, error })

  const fill = async (): Promise<void> => {
    do {
      again = false
      const free = concurrency - held.size
      if (!running || free <= 0) return
      const at = clock()
      lastPollAt = at
      const lapsed = at - lastLapsedAt >= POLL_MS
      if (lapsed) {
        lastLapsedAt = at
        // Where this process stood still, its own leases have lapsed as well: it goes on with what nobody took.
        if ([...held].some((mine) => mine.leaseUntil < at)) await beat()
      }
      const taken = await db.system.write(async (tx) => {
        const jobs = await claimJobs(tx, { owner: name, limit: free, at, leaseMs, lapsed })
        const runs: { job: RunJob; run: RunRow }[] = []
        for (const claimed of jobs) {
          if (claimed.runId === null) continue
          const job = { ...claimed, runId: claimed.runId }
          const tenant = tx.forTenant(job.tenantId)
          const run = await tenant.first(adoptRun, { id: job.runId, fence: job.fence, at })
          if (run === undefined) {
            // The run has ended, and its job had not been told.
            await settleJob(tenant, job, 'done', at)
            continue
          }
          const type = run.eventCount <= 2 ? 'run.started' : 'run.resumed'
          const data = { attempt: job.attempt }
          await appendRunEvent(tenant, { type, runId: run.id, runSeq: run.eventCount, actor: name, data, at })
          runs.push({ job, run })
        }
        return runs
      })
      for (const { job, run } of taken) {
        deps.written(run.id, false)
        take(job, run)
      }
    } while (again)
  }

  const take = (job: RunJob, run: RunRow): void => {
    const interruption = createInterruption()
    const mine: Held = { job, interruption, leaseUntil: job.leaseUntil }
    held.add(mine)
    if (!running) interruption.stop('shutdown')
    const drive = async (): Promise<void> => {
      if (job.attempt > JOB_ATTEMPTS_MAX) {
        const times = `${JOB_ATTEMPTS_MAX} workers died or were lost while they ran this.`
        await failUnloaded(deps, run, job, new AppError('run.lost', times))
        return
      }
      await driveRun(deps, run, job, interruption)
    }
    const done: Promise<void> = drive()
      .catch(trouble('A run could not be driven.'))
      .finally(() => {
        held.delete(mine)
        driving.delete(done)
        wake()
      })
    driving.add(done)
  }

  const wake = (): void => {
    if (!running) return
    again = true
    filling ??= fill()
      .catch(trouble('Jobs could not be claimed.'))
      .finally(() => {
        filling = undefined
        if (again && running && held.size < concurrency) setImmediate(wake)
      })
  }

  const beat = async (): Promise<void> => {
    // Each for itself: one that cannot be kept costs no other its lease.
    await Promise.all([...held].map((mine) => keep(mine).catch(trouble('A lease could not be kept.'))))
  }

  const keep = async (mine: Held): Promise<void> => {
    const { job, interruption } = mine
    const leaseUntil = clock() + leaseMs
    const cancelled = await db.tenant(job.tenantId).write(async (tx) => {
      if (!(await extendLease(tx, job, leaseUntil))) return undefined
      const root = await tx.first(cancelFlag, { id: job.runId })
      const below = await tx.all(cancelledBelow, { rootRunId: job.runId })
      const ids = below.map(({ id }) => id)
      return root?.cancelRequestedAt == null ? ids : [job.runId, ...ids]
    })
    // A run that was settled between the look and the write is not lost.
    if (!held.has(mine)) return
    mine.leaseUntil = leaseUntil
    if (cancelled === undefined) interruption.stop('lost')
    else for (const id of cancelled) deps.active.get(id)?.stop('cancelled')
  }

  const releaseDead = async (): Promise<void> => {
    const owners = await db.system.read((reader) => reader.all(leaseOwners, {}))
    for (const { leaseOwner } of owners) {
      if (leaseOwner === null || !isDead(leaseOwner, name)) continue
      await db.system.write((tx) => releaseOwner(tx, leaseOwner, clock()))
    }
  }

  const every = (ms: number, what: string, work: () => Promise<void> | void): void => {
    let busy = false
    const timer = setInterval(() => {
      if (busy) return
      busy = true
      Promise.resolve()
        .then(work)
        .catch(trouble(what))
        .finally(() => {
          busy = false
        })
    }, ms)
    timer.unref()
    timers.push(timer)
  }

  return {
    name,
    active: () => held.size,
    lastPollAt: () => lastPollAt,
    async start() {
      running = true
      holdName(name)
      await releaseDead()
      if (!running) return
      every(POLL_MS, 'Polling failed.', wake)
      every(heartbeatMs, 'A heartbeat failed.', beat)
      wake()
    },
    wake,
    cancel: (runId) => deps.active.get(runId)?.stop('cancelled'),
    async stop(drainMs) {
      running = false
      await filling
      for (const { interruption } of held) interruption.drain()
      const late = setTimeout(() => {
        for (const { interruption } of held) interruption.stop('shutdown')
      }, drainMs)
      // The heartbeat goes on meanwhile: the leases hold until their runs have let go.
      await Promise.all(driving)
      clearTimeout(late)
      for (const timer of timers.splice(0)) clearInterval(timer)
      dropName(name)
    },
  }
}
