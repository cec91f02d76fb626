// Load: the same work again and again, so many at a time, for so long.

import { type Quantiles, quantilesOf } from './statistics.ts'

export interface LoadOptions {
  readonly concurrency: number
  readonly durationMs: number
}

export interface Load {
  readonly count: number
  readonly perSecond: number
  readonly latencyMs: Quantiles
}

/** `work` receives a number that no other call of it has. A failure ends the load. */
export async function load(
  work: (n: number) => Promise<void>,
  { concurrency, durationMs }: LoadOptions,
): Promise<Load> {
  const latencies: number[] = []
  const startedAt = performance.now()
  const end = startedAt + durationMs
  const lane = async (): Promise<void> => {
    for (let before = performance.now(); before < end; ) {
      await work(nextNumber())
      const after = performance.now()
      latencies.push(after - before)
      before = after
    }
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  const seconds = (performance.now() - startedAt) / 1_000
  return {
    count: latencies.length,
    perSecond: latencies.length / seconds,
    latencyMs: quantilesOf(latencies),
  }
}

let last = 0

/** Numbers that this process has not given before. */
export function nextNumber(): number {
  last += 1
  return last
}
