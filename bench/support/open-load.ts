// Open load: work begins when it is due by the clock, whether what was begun before has ended or not, so that one who
// falls behind is seen to.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { nextNumber } from './load.ts'

export interface OpenLoadOptions {
  readonly perSecond: number
  readonly durationMs: number
}

/**
 * `work` receives a number of its own and when it was due, as `performance.now()` says it. A failure ends the load.
 * Between two it turns the event loop instead of setting a timer, whose milliseconds would be measured too.
 */
export async function openLoad(
  work: (n: number, dueAt: number) => Promise<void>,
  { perSecond, durationMs }: OpenLoadOptions,
): Promise<{ readonly perSecond: number }> {
  const everyMs = 1_000 / perSecond
  const count = Math.floor(durationMs / everyMs)
  const begun: Promise<void>[] = []
  const failures: unknown[] = []
  const startedAt = performance.now()
  for (let n = 0; n < count && failures.length === 0; n++) {
    const dueAt = startedAt + n * everyMs
    while (performance.now() < dueAt) await nextTurn()
    begun.push(work(nextNumber(), dueAt).catch((error: unknown) => void failures.push(error)))
  }
  await Promise.all(begun)
  if (failures.length > 0) throw failures[0]
  return { perSecond: (count * 1_000) / (performance.now() - startedAt) }
}
