// The relay: the fair scheduler where an engine carries tickets. It owns when a job gets its ticket and that a lost one is
// issued again; it never runs a job. Any number of processes have one: a lock lets one at a time choose.

import type { Clock, EpochMs } from '../base/time.ts'
import type { Database, SystemTransaction } from '../storage/database.ts'
import { FIRST_TENANT, promoteDue } from './claim.ts'
import { LEASE_MS } from './job.ts'
import { forgetTickets, liveConcurrency, lockRelay, requeueLapsed, takeBackTickets } from './ticket-store.ts'
import { giveTickets, type Ticketed } from './ticketing.ts'
import type { Ticket, Transport } from './transport.ts'

/** A ticket that was not used for so long counts as lost: its job gets another. */
export const TICKET_TTL_MS = 15_000
/** How often the relay looks, unasked. */
export const PASS_MS = 500
/** How soon it looks again where a cap or the window held jobs back; longer each time that nothing changed. */
const LIMITED_PASS_MS = 5
/** How many tickets may be under way for each job that the live workers do at a time, and at least. */
const WINDOW_PER_SLOT = 1
const WINDOW_MIN = 16
/**
 * Where the engine is emptied faster than that, as many as are used in this time: who comes behind a backlog waits so long
 * for what lies in the engine.
 */
export const WINDOW_MS = 25
/** Where passes take longer than half of it, as many as are used within so many of them: no worker waits for a pass. */
const WINDOW_PASSES = 2
/** How long it is measured how fast tickets are used. */
const RATE_SAMPLE_MS = 4
/** How much of a slower rate is believed at once: tickets of other relays hide what was used. */
const RATE_FALL = 0.25

export interface RelayObserver {
  /** A pass failed; the relay goes on. */
  failed(error: unknown): void
  /** A pass was made. */
  passed?(tickets: number): void
}

export interface RelayDeps {
  readonly db: Database
  readonly clock: Clock
  readonly transport: Pick<Transport, 'send' | 'sendIn'>
  /** How many jobs a tenant may have at a time, where it has no number of its own. */
  readonly tenantCap?: number | undefined
  /** How many tickets may be under way. Default: what the live workers can take soon, so that a backlog waits where it is fair. */
  readonly window?: number | undefined
  /** After how long a ticket counts as lost. */
  readonly ticketTtlMs?: number | undefined
  readonly observer?: RelayObserver | undefined
  readonly random?: (() => number) | undefined
}

export interface Relay {
  /** There may be something to do: a pass follows soon. Calls that come together make one. */
  kick(): void
  start(): void
  /** Makes no more passes; resolves when the one under way is over. */
  stop(): Promise<void>
  /** One pass; answers how many tickets were sent. */
  pass(): Promise<number>
  /** When the last pass ended well; 0: none has. */
  lastPassAt(): EpochMs
}

export function createRelay(deps: RelayDeps): Relay {
  const { clock, observer, random = Math.random } = deps
  const passes = createPasses(deps)
  let started = false
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let kicked = false
  let limitedMs = LIMITED_PASS_MS
  let lastPassAt = 0

  const pass = async (): Promise<Ticketed> => {
    const made = await passes.make()
    lastPassAt = clock()
    observer?.passed?.(made.tickets.length)
    return made
  }
  const after = (ms: number): void => {
    clearTimeout(timer)
    timer = setTimeout(run, ms).unref()
  }
  const run = (): void => {
    clearTimeout(timer)
    kicked = false
    running = turn().then((ms) => {
      running = undefined
      if (started) after(kicked ? Math.min(ms, LIMITED_PASS_MS) : ms)
    })
  }
  /** Answers when to look again. */
  const turn = async (): Promise<number> => {
    try {
      const made = await pass()
      if (!made.limited) limitedMs = LIMITED_PASS_MS
      else {
        limitedMs = made.tickets.length > 0 ? LIMITED_PASS_MS : Math.min(limitedMs * 2, PASS_MS)
        return limitedMs
      }
    } catch (error) {
      observer?.failed(error)
    }
    return PASS_MS * (0.75 + random() / 2)
  }

  return {
    kick: () => {
      if (!started || kicked) return
      kicked = true
      if (running === undefined) after(0)
    },
    start: () => {
      if (started) return
      started = true
      if (running === undefined) after(0)
    },
    stop: async () => {
      started = false
      clearTimeout(timer)
      await running
    },
    pass: async () => (await pass()).tickets.length,
    lastPassAt: () => lastPassAt,
  }
}

/** Makes passes one after another, each from where the last one stopped. */
function createPasses({ db, clock, transport, tenantCap, window, ticketTtlMs = TICKET_TTL_MS }: RelayDeps) {
  let served: string = FIRST_TENANT
  const flow = createFlow()
  let last: Promise<unknown> = Promise.resolve()

  const choose = async (tx: SystemTransaction, at: EpochMs): Promise<Ticketed> => {
    await tx.first(lockRelay, {})
    await promoteDue(tx, at)
    await tx.run(requeueLapsed, { at })
    await tx.run(forgetTickets, { before: at - ticketTtlMs })
    const most = window ?? Math.max(flow.window(), await usualWindow(tx, at))
    const made = await giveTickets(tx, { at, window: most, tenantCap, after: served })
    await transport.sendIn?.(tx, made.tickets)
    return made
  }
  const makeOne = async (): Promise<Ticketed> => {
    const at = clock()
    const made = await db.system.write((tx) => choose(tx, at))
    served = made.after
    flow.passed(made, at)
    if (transport.sendIn === undefined && made.tickets.length > 0) {
      try {
        await transport.send(made.tickets)
      } catch (error) {
        await takeBack(db, made.tickets, at)
        throw error
      }
    }
    return made
  }
  return {
    make: (): Promise<Ticketed> => {
      const made = last.then(makeOne)
      last = made.catch(() => undefined)
      return made
    },
  }
}

/** How fast tickets are used, from what is left of them at each pass while there are more to give. */
function createFlow() {
  let perMs = 0
  let passMs = 0
  let since: { readonly at: EpochMs; readonly outstanding: number } | undefined
  let used = 0
  return {
    /** How many tickets the engine may hold. */
    window: (): number => Math.ceil(perMs * Math.max(WINDOW_MS, passMs * WINDOW_PASSES)),
    passed(made: Ticketed, at: EpochMs): void {
      const outstanding = made.outstanding + made.tickets.length
      if (!made.limited) {
        // All that there was has its ticket: how fast those are used says nothing of the next backlog.
        perMs = 0
        used = 0
        since = undefined
        return
      }
      if (since === undefined) {
        since = { at, outstanding }
        return
      }
      used += Math.max(since.outstanding - made.outstanding, 0)
      const passed = at - since.at
      since = { at: passed < RATE_SAMPLE_MS ? since.at : at, outstanding }
      if (passed < RATE_SAMPLE_MS) return
      const measured = used / passed
      used = 0
      passMs = Math.min(passed, WINDOW_MS)
      perMs = measured > perMs ? measured : perMs + (measured - perMs) * RATE_FALL
    },
  }
}

async function usualWindow(tx: SystemTransaction, at: EpochMs): Promise<number> {
  const workers = await tx.first(liveConcurrency, { since: at - LEASE_MS })
  return Math.max(WINDOW_PER_SLOT * Number(workers?.total ?? 0), WINDOW_MIN)
}

/** What was not sent gets a ticket in the next pass. */
async function takeBack(db: Database, tickets: readonly Ticket[], at: EpochMs): Promise<void> {
  await db.system.write(async (tx) => {
    for (const [tenantId, of] of Map.groupBy(tickets, (ticket) => ticket.tenantId)) {
      const ids = JSON.stringify(of.map(({ jobId }) => jobId))
      await tx.forTenant(tenantId).run(takeBackTickets, { at, ids })
    }
  })
}
