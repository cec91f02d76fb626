// How the cases of the queue's contract are written.

import type { JobEnd } from './handler.ts'
import { type ContractEngine, openStage, type Stage } from './queue-stage.ts'

export const CONTRACT_ENGINES = ['memory', 'sqlite', 'postgres', 'pg-boss', 'bullmq', 'sqs'] as const
type ContractEngineName = (typeof CONTRACT_ENGINES)[number]
/** Why a case says less of an engine than of others, by engine. It is played there all the same. */
export type Deviations = Readonly<Partial<Record<ContractEngineName, string>>>

/** A case that an engine plays, or one that another file's test covers for all engines. */
export type QueueCase =
  | { readonly name: string; readonly deviates?: Deviations; run(engine: ContractEngine): Promise<void> }
  | { readonly name: string; readonly coveredBy: string }

export const LONG_MS = 3_600_000
export const DAY_MS = 86_400_000
export const SKEW_MS = 300_000
/** Longer than any engine and the relay wait before a ticket counts as lost. */
export const TICKETS_LOST_MS = 120_000
/** B's jobs are among so many of the first, however many A has. */
export const FAIR_CLAIMS = 200

export const failed = (retryable: boolean, retryAfterMs?: number): JobEnd => ({
  status: 'failed',
  error: { code: 'job.failed', message: 'It failed.' },
  retryable,
  retryAfterMs,
})

export async function allDone(stage: Stage): Promise<void> {
  await stage.until('every job is done', async () =>
    (await stage.jobs()).every(({ state }) => state === 'done'),
  )
}

/** A case that plays on a stage, which is cleared away after it. */
export function play(
  name: string,
  work: (stage: Stage, engine: ContractEngine) => Promise<void>,
  deviates: Deviations = {},
): QueueCase & { run(engine: ContractEngine): Promise<void> } {
  return {
    name,
    deviates,
    async run(engine) {
      await using stage = openStage(engine)
      await work(stage, engine)
    },
  }
}

/** Numbers that look random and are the same each time (mulberry32). */
export function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
