// Waiting between attempts.

import { setTimeout as sleep } from 'node:timers/promises'

export interface Backoff {
  readonly firstMs: number
  readonly mostMs: number
}

/** Waits before the attempt after `attempt` (from 1): doubling, up to a limit, half of it at random. */
export async function waitBefore(attempt: number, { firstMs, mostMs }: Backoff): Promise<void> {
  const ms = Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 16))
  await sleep(ms / 2 + (Math.random() * ms) / 2)
}
