// Waits until a run has ended, in long polls.

import { ROUTES } from '../contract/routes.ts'
import { type Run, TERMINAL_STATES } from '../contract/run.ts'
import { pause } from './retry.ts'
import type { CallOptions, Transport } from './transport.ts'

export interface WaitOptions extends CallOptions {
  /** The longest wait in all; then the run is answered as it is. Without it the wait has no end. */
  readonly waitMs?: number | undefined
  /** Go on waiting when the run waits for somebody (an approval, a step in doubt). */
  readonly untilEnded?: boolean | undefined
}

/** How long one request waits: below the idle limits of proxies. */
export const POLL_SECONDS = 25
const PAUSE_MS = 500

/** The run once it has ended or waits for somebody, or as it is when the time is over. */
export async function waitForRun(
  transport: Transport,
  runId: string,
  options: WaitOptions = {},
): Promise<Run> {
  const until = options.waitMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + options.waitMs
  const stop = AbortSignal.any(options.signal ? [transport.closed, options.signal] : [transport.closed])
  for (;;) {
    const begunAt = Date.now()
    const wait = Math.max(0, Math.min(POLL_SECONDS, Math.floor((until - begunAt) / 1_000)))
    const run = await transport.send(ROUTES.getRun, { params: { id: runId }, query: { wait } }, options)
    if (hasSettled(run, options.untilEnded === true) || Date.now() >= until) return run
    // An answer that came at once (the run waits, the server stops) is not asked for again at once.
    const pauseMs = Math.min(PAUSE_MS - (Date.now() - begunAt), until - Date.now())
    if (pauseMs > 0) await pause(pauseMs, stop)
  }
}

/** Whether waiting any longer needs somebody. */
export function hasSettled(run: Run, untilEnded: boolean): boolean {
  if (TERMINAL_STATES.has(run.state)) return true
  return !untilEnded && (run.state === 'waiting' || run.blockedBy !== null)
}
