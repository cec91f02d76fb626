// Watching runs: waiting for one to end, and following one as it goes. Works across processes by looking at the log.

import type { RunId, TenantId } from '../base/ids.ts'
import { TERMINAL_EVENTS } from '../contract/event.ts'
import type { LiveHub } from '../events/live.ts'
import { RUN_EVENTS_PAGE_MAX, readRunEvents } from '../events/read.ts'
import type { Database } from '../storage/database.ts'
import { pause } from './agent/interruption.ts'
import { isTerminal } from './run-state.ts'
import type { Run, RunSignal } from './runtime.ts'

/** How often a watcher looks by itself, for what another process wrote. */
const LOOK_MS = 500
/** Passing text that a slow watcher may be behind; beyond it the oldest is dropped. Events are never dropped. */
const DELTAS_MAX = 1_000

/** `written`: the run's log has grown; `settled`: it may have ended, or wait for somebody. */
export type HubSignal =
  | { readonly type: 'written'; readonly settled: boolean }
  | Extract<RunSignal, { type: 'delta' }>

export interface WatchDeps {
  readonly db: Database
  readonly hub: LiveHub<HubSignal>
  readonly get: (tenantId: TenantId, runId: RunId) => Promise<Run>
}

/** Waits until the run has ended, waits for somebody or for another worker, or the time is over; answers it as it is stored then. */
export async function waitForRun(
  deps: WatchDeps,
  tenantId: TenantId,
  runId: RunId,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Run> {
  const end = performance.now() + timeoutMs
  const bell = createBell()
  const stop = deps.hub.watch(runId, (heard) => {
    if (heard.type === 'written' && heard.settled) bell.ring()
  })
  signal?.addEventListener('abort', bell.ring, { once: true })
  try {
    for (;;) {
      const run = await deps.get(tenantId, runId)
      const left = end - performance.now()
      const rests = isTerminal(run.state) || run.state === 'waiting' || run.blockedBy !== null
      if (rests || left <= 0 || signal?.aborted === true) return run
      await bell.wait(Math.min(left, LOOK_MS))
    }
  } finally {
    signal?.removeEventListener('abort', bell.ring)
    stop()
  }
}

/** Signals after a place, until the run has ended or the signal aborts. Events come from the log; text passes by. */
export async function* tailRun(
  deps: WatchDeps,
  tenantId: TenantId,
  runId: RunId,
  afterSeq: number,
  signal: AbortSignal,
): AsyncGenerator<RunSignal> {
  const bell = createBell()
  let deltas: RunSignal[] = []
  const stop = deps.hub.watch(runId, (heard) => {
    if (heard.type === 'delta') {
      if (deltas.length >= DELTAS_MAX) deltas.shift()
      deltas.push(heard)
    }
    bell.ring()
  })
  signal.addEventListener('abort', bell.ring, { once: true })
  let after = afterSeq
  try {
    await deps.get(tenantId, runId)
    while (!signal.aborted) {
      const events = await readRunEvents(deps.db, tenantId, runId, { after, limit: RUN_EVENTS_PAGE_MAX })
      const passing = deltas
      deltas = []
      yield* passing
      for (const event of events) {
        after = event.runSeq
        yield { type: 'event', event }
        if (TERMINAL_EVENTS.has(event.type)) return
      }
      if (events.length === 0 && deltas.length === 0) {
        // A run whose last event was seen before has nothing more to say.
        if (
          isTerminal((await deps.get(tenantId, runId)).state) &&
          (await nothingAfter(deps, tenantId, runId, after))
        )
          return
        await bell.wait(LOOK_MS)
      }
    }
  } finally {
    signal.removeEventListener('abort', bell.ring)
    stop()
  }
}

async function nothingAfter(
  deps: WatchDeps,
  tenantId: TenantId,
  runId: RunId,
  after: number,
): Promise<boolean> {
  return (await readRunEvents(deps.db, tenantId, runId, { after, limit: 1 })).length === 0
}

/** Rings once for many; a ring before the wait counts. */
function createBell(): { readonly ring: () => void; wait(ms: number): Promise<void> } {
  let rung = false
  let wake: AbortController | undefined
  return {
    ring: () => {
      rung = true
      wake?.abort()
    },
    async wait(ms) {
      if (!rung) {
        wake = new AbortController()
        await pause(ms, wake.signal)
        wake = undefined
      }
      rung = false
    },
  }
}
