// The worker inside a process: takes jobs (from the database itself, or by an engine's tickets), hands them to the
// handler of their kind, keeps their leases, settles them, and lets go of them when it stops. It knows no run.

import type { Clock, EpochMs } from '../base/time.ts'
import type { Database, SystemTransaction } from '../storage/database.ts'
import { type ClaimTerms, claimJobs, claimTickets, randomCursor } from './claim.ts'
import { anyToTake } from './claim-statements.ts'
import { createDoneGroup } from './done-group.ts'
import type { JobHandler } from './handler.ts'
import { type ClaimedJob, HEARTBEAT_MS, LEASE_MS, POLL_MS } from './job.ts'
import { leaseOwners, releaseOwner, settleJob } from './job-store.ts'
import { createLookTurns } from './look-turns.ts'
import { alikeWorkers, recordWorker, removeWorker } from './registry.ts'
import { createSlots } from './slots.ts'
import { putBackFor } from './sweep.ts'
import type { Consumer, Ticket, Transport } from './transport.ts'
import { createTurn, keepTurn, runTurn, stopTurn, type Turn, type TurnDeps } from './turn.ts'
import { dropName, holdName, isDead } from './worker-owner.ts'

/** How soon a worker tries again where another was counting a tenant's jobs. */
const CONTENDED_MS = 25

export interface JobWorkerDeps {
  readonly db: Database
  readonly clock: Clock
  readonly random: () => number
  readonly handlers: ReadonlyMap<string, JobHandler>
  /** The engine that carries tickets; none: the worker asks the database. */
  readonly transport?: Transport | undefined
  /** A job was put back in the queue: tickets may be sent for it. */
  readonly queued?: (() => void) | undefined
  /** Something went wrong that no caller sees: for the log. */
  readonly trouble: (message: string, facts: Readonly<Record<string, unknown>>) => void
}

export interface JobWorkerOptions {
  /** As leases name it; see `workerName`. */
  readonly name: string
  /** How many jobs it does at a time. */
  readonly concurrency: number
  /** The kinds that it takes of those that it has handlers for; none named: all. */
  readonly kinds?: readonly string[] | undefined
  /** How many jobs of one tenant may be held at a time, where the tenant has no number of its own. */
  readonly tenantCap?: number | undefined
  readonly version?: string | undefined
  /** The host's own tools, which tell whether it can run a definition. */
  readonly codeToolNames?: readonly string[] | undefined
  readonly leaseMs?: number | undefined
  readonly heartbeatMs?: number | undefined
  readonly pollMs?: number | undefined
}

export interface JobWorker {
  readonly name: string
  /** The kinds that it takes. */
  readonly kinds: readonly string[]
  readonly pollMs: number
  /** Whether it is this worker's turn to look for what nobody in particular is told of: those alike take turns. */
  isTurn(at: EpochMs): boolean
  /** How many jobs it does now. */
  active(): number
  /** When it, or the engine for it, last looked for jobs. */
  lastPollAt(): number
  start(): Promise<void>
  /** There may be something to do. */
  wake(): void
  /** Takes no more jobs, lets those it has come to a resting place within the time, and gives them back to the queue. */
  stop(drainMs: number): Promise<void>
}

export function createJobWorker(deps: JobWorkerDeps, options: JobWorkerOptions): JobWorker {
  const { db, clock, random, handlers, transport } = deps
  const { name, concurrency, leaseMs = LEASE_MS, heartbeatMs = HEARTBEAT_MS, pollMs = POLL_MS } = options
  const kinds = [...handlers.keys()].filter((kind) => options.kinds?.includes(kind) ?? true)
  const slots = createSlots(concurrency)
  const held = new Set<Turn>()
  const driving = new Set<Promise<void>>()
  const timers = new Set<NodeJS.Timeout>()
  let running = false
  let filling: Promise<void> | undefined
  let again = false
  let lastPollAt = clock()
  let lastLapsedAt = 0
  let after: string | undefined
  let consumer: Consumer | undefined
  let startedAt = lastPollAt
  let drainingAt: EpochMs | null = null
  let recording: Promise<void> = Promise.resolve()
  const engine = transport?.engine ?? 'database'
  const polls = createLookTurns(name, pollMs)
  const others = createLookTurns(name, pollMs)

  const trouble = (what: string) => (error: unknown) => deps.trouble(what, { worker: name, error })
  const turnDeps: TurnDeps = {
    db,
    clock,
    random,
    leaseMs,
    done: createDoneGroup(db, clock),
    queued: () => deps.queued?.(),
    trouble: (what, facts) => deps.trouble(what, { worker: name, ...facts }),
  }
  const terms = (at: EpochMs): ClaimTerms => {
    const { tenantCap } = options
    return { owner: name, at, leaseMs, kinds, tenantCap }
  }

  const fill = async (): Promise<void> => {
    do {
      again = false
      const free = slots.free()
      if (!running || free <= 0) return
      const at = clock()
      lastPollAt = at
      const lapsed = at - lastLapsedAt >= pollMs
      if (lapsed) {
        lastLapsedAt = at
        // Where this process stood still, its own leases have lapsed as well: it goes on with what nobody took.
        if ([...held].some((turn) => turn.leaseUntil < at)) await beat()
      }
      const claimed = await db.system.write(async (tx) => {
        const from = after ?? (await randomCursor(tx, random))
        const claim = await claimJobs(tx, { ...terms(at), limit: free, lapsed, after: from })
        return { ...claim, turns: await adoptAll(tx, claim.jobs, at) }
      })
      after = claimed.after
      slots.take(claimed.turns.length)
      for (const turn of claimed.turns) take(turn)
      if (claimed.contended) soon()
      // As many as it asked for, and not all of them were anything to do: there may be more.
      if (claimed.jobs.length === free) lastLapsedAt = 0
      again ||= claimed.jobs.length === free && slots.free() > 0
    } while (again)
  }

  /** Takes what the jobs drive, in the transaction of their claim; settles those that have nothing left to do. */
  const adoptAll = async (
    tx: SystemTransaction,
    jobs: readonly ClaimedJob[],
    at: EpochMs,
  ): Promise<readonly Turn[]> => {
    const turns: Turn[] = []
    for (const job of jobs) {
      const handler = handlers.get(job.kind)
      if (handler === undefined) continue
      if (job.cancelRequestedAt !== null) {
        await settleJob(tx.forTenant(job.tenantId), job, 'cancelled', at)
      } else if (job.attempt > job.maxAttempts) {
        turns.push(createTurn(job, handler, 'poison'))
      } else if (handler.adopt === undefined) {
        turns.push(createTurn(job, handler, { value: undefined }))
      } else {
        const value = await handler.adopt(tx, job, at)
        if (value === undefined) await settleJob(tx.forTenant(job.tenantId), job, 'done', at)
        else turns.push(createTurn(job, handler, { value }))
      }
    }
    return turns
  }

  /** Does a job that a slot was taken for. */
  const take = (turn: Turn): void => {
    held.add(turn)
    if (!running) stopTurn(turn, 'shutdown')
    const work: Promise<void> = runTurn(turnDeps, turn).finally(() => {
      held.delete(turn)
      driving.delete(work)
      slots.give(1)
      wake()
    })
    driving.add(work)
  }

  const wake = (): void => {
    if (!running || transport !== undefined) return
    again = true
    filling ??= fill()
      .catch(trouble('Jobs could not be claimed.'))
      .finally(() => {
        filling = undefined
        if (again && running && slots.free() > 0) setImmediate(wake)
      })
  }

  /** Looks unasked: a claim is a transaction, and is opened only where it may find something. */
  const poll = async (): Promise<void> => {
    if (filling !== undefined || slots.free() <= 0) return wake()
    const at = clock()
    const late = [...held].some((turn) => turn.leaseUntil < at)
    lastPollAt = at
    if (!late && !polls.due(at)) return
    const any = await db.system.read((reader) => reader.first(anyToTake, { at }))
    const found = late || Object.values(any ?? {}).some((id) => id !== null)
    if (!found) return
    // What it found may be a lapsed lease.
    lastLapsedAt = 0
    wake()
  }

  const soon = (): void => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      wake()
    }, CONTENDED_MS)
    timer.unref()
    timers.add(timer)
  }

  /** Takes the tickets of one message; each waits for a free place. */
  const takeTickets = async (tickets: readonly Ticket[]): Promise<void> => {
    for (const rest = [...tickets]; rest.length > 0; ) {
      const places = await slots.acquire(rest.length)
      let turns: readonly Turn[] = []
      try {
        const at = clock()
        const claim = { ...terms(at), tickets: rest.splice(0, places) }
        turns = await db.system.write(async (tx) => adoptAll(tx, await claimTickets(tx, claim), at))
      } finally {
        slots.give(places - turns.length)
      }
      for (const turn of turns) take(turn)
    }
  }

  const beat = async (): Promise<void> => {
    // Each for itself: one that cannot be kept costs no other its lease.
    await Promise.all(
      [...held].map((turn) =>
        keepTurn(turnDeps, turn, () => held.has(turn)).catch(trouble('A lease could not be kept.')),
      ),
    )
  }

  /** One after another, so that none comes after the row was deleted. */
  const record = (): Promise<void> => {
    recording = recording.then(() => write()).catch(trouble('A worker could not be recorded.'))
    return recording
  }

  const write = async (): Promise<void> => {
    const at = clock()
    const row = {
      id: name,
      version: options.version ?? '',
      engine,
      kinds,
      codeTools: options.codeToolNames ?? [],
      concurrency,
      active: held.size,
      startedAt,
      heartbeatAt: at,
      drainingAt,
    }
    const alike = await db.system.write(async (tx) => {
      await recordWorker(tx, row)
      return alikeWorkers(tx, { engine, kinds, at })
    })
    polls.share(alike.filter(({ free }) => free).map(({ id }) => id))
    others.share(alike.map(({ id }) => id))
  }

  const releaseDead = async (): Promise<void> => {
    const owners = await db.system.read((reader) => reader.all(leaseOwners, {}))
    for (const { leaseOwner } of owners) {
      if (leaseOwner === null || !isDead(leaseOwner, name)) continue
      await db.system.write(async (tx) => {
        await releaseOwner(tx, leaseOwner, clock())
        await removeWorker(tx, leaseOwner)
      })
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
    timers.add(timer)
  }

  return {
    name,
    kinds,
    pollMs,
    isTurn: (at) => others.due(at),
    active: () => held.size,
    lastPollAt: () => consumer?.lastPollAt() ?? lastPollAt,
    async start() {
      running = true
      startedAt = clock()
      drainingAt = null
      slots.open()
      holdName(name)
      await releaseDead()
      if (!running) return
      await record()
      if ((await db.system.write((tx) => putBackFor(tx, { kinds }, clock()))) > 0) deps.queued?.()
      if (!running) return
      every(heartbeatMs, 'A heartbeat failed.', beat)
      every(heartbeatMs, 'A worker could not be recorded.', record)
      if (transport === undefined) every(pollMs, 'Polling failed.', poll)
      else consumer = await transport.consume(takeTickets, { concurrency })
      wake()
    },
    wake,
    async stop(drainMs) {
      running = false
      drainingAt ??= clock()
      slots.close()
      await filling
      for (const turn of held) turn.draining.abort()
      void record()
      const late = setTimeout(() => {
        for (const turn of held) stopTurn(turn, 'shutdown')
      }, drainMs)
      const consuming = consumer
      consumer = undefined
      // The heartbeat goes on meanwhile: the leases hold until their jobs have let go.
      await Promise.all([consuming?.stop().catch(trouble('The engine could not be left.')), ...driving])
      await Promise.all(driving)
      clearTimeout(late)
      for (const timer of timers) clearInterval(timer)
      timers.clear()
      await recording
      await db.system.write((tx) => removeWorker(tx, name)).catch(trouble('A worker could not be forgotten.'))
      dropName(name)
    },
  }
}
