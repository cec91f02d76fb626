// What a run waits for while it is driven. As long as something else works, a wait is looked after here; once nothing
// does, the run comes to rest and may be parked.

import type { RunId } from '../../base/ids.ts'
import type { Clock, EpochMs } from '../../base/time.ts'
import type { TenantDatabase, TenantReader } from '../../storage/database.ts'
import { type Interruption, Stopped } from '../agent/interruption.ts'
import type { RunRow } from '../journal/run-store.ts'
import type { StepRow } from '../journal/step-store.ts'
import { waitingInTree, waitingSeqs } from './node-store.ts'

/** How often what is waited for is looked at while something else works. */
const LOOK_MS = 1_000

export type Reason = NonNullable<StepRow['waitingReason']>

/** `step`: its row waits. `child`: the run below it waits. */
export type Waiting =
  | { readonly on: 'step'; readonly seq: number; readonly reason: Reason; readonly dueAt: EpochMs | null }
  | { readonly on: 'child'; readonly runId: RunId }

export interface Waits {
  /** What works, or reads or writes: the run is not at rest meanwhile. */
  busy<T>(work: () => Promise<T>): Promise<T>
  /** Waits until there is an answer, or it is due. Throws `Stopped` with the interruption. */
  until(waiting: Waiting, interruption: Interruption): Promise<'answered' | 'due'>
  /** Resolves once nothing works and something waits. */
  rest(): Promise<'rest'>
  /** Wakes what has its answer or is due. */
  look(): Promise<void>
  list(): readonly Waiting[]
  [Symbol.dispose](): void
}

interface Waiter {
  readonly waiting: Waiting
  readonly wake: (why: 'answered' | 'due') => void
}

export function createWaits(db: TenantDatabase, clock: Clock, run: Pick<RunRow, 'id' | 'rootRunId'>): Waits {
  const waiters = new Set<Waiter>()
  let working = 0
  let resting: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined

  const settle = (): void => {
    if (working > 0 || waiters.size === 0) return
    // What has just ended goes on before it is said that nothing does.
    setImmediate(() => {
      if (working > 0 || waiters.size === 0) return
      resting?.()
      resting = undefined
    })
  }
  const busy = async <T>(work: () => Promise<T>): Promise<T> => {
    working += 1
    try {
      return await work()
    } finally {
      working -= 1
      settle()
    }
  }
  const look = (): Promise<void> =>
    busy(async () => {
      if (waiters.size === 0) return
      const found = await db.read((reader) => read(reader, run, [...waiters]))
      const now = clock()
      for (const waiter of [...waiters]) {
        const { waiting, wake } = waiter
        const state =
          waiting.on === 'step'
            ? { waits: found.seqs.has(waiting.seq), dueAt: waiting.dueAt }
            : { waits: found.children.has(waiting.runId), dueAt: found.dueAt(waiting.runId) }
        if (!state.waits) wake('answered')
        else if (state.dueAt !== null && state.dueAt <= now) wake('due')
      }
    })
  const watch = (): void => {
    timer ??= setInterval(() => {
      if (working > 0 && waiters.size > 0) look().catch(() => undefined)
    }, LOOK_MS).unref()
  }
  return {
    busy,
    look,
    list: () => [...waiters].map(({ waiting }) => waiting),
    until(waiting, interruption) {
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          waiters.delete(waiter)
          interruption.signal.removeEventListener('abort', stop)
          interruption.resting.removeEventListener('abort', stop)
        }
        const stop = (): void => {
          leave()
          reject(new Stopped(interruption.reason() ?? 'shutdown'))
        }
        const waiter: Waiter = {
          waiting,
          wake: (why) => {
            leave()
            resolve(why)
          },
        }
        if (interruption.resting.aborted) return stop()
        const due = waiting.on === 'step' && waiting.dueAt !== null && waiting.dueAt <= clock()
        if (due) return resolve('due')
        waiters.add(waiter)
        interruption.signal.addEventListener('abort', stop, { once: true })
        interruption.resting.addEventListener('abort', stop, { once: true })
        watch()
        settle()
      })
    },
    rest: () =>
      new Promise((resolve) => {
        resting = () => resolve('rest')
        settle()
      }),
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

async function read(reader: TenantReader, run: Pick<RunRow, 'id' | 'rootRunId'>, waiters: readonly Waiter[]) {
  const seqs = await reader.all(waitingSeqs, { runId: run.id })
  const below = waiters.some(({ waiting }) => waiting.on === 'child')
    ? await reader.all(waitingInTree, { rootRunId: run.rootRunId })
    : []
  return {
    seqs: new Set(seqs.map(({ seq }) => seq)),
    children: new Set(below.map(({ id }) => id)),
    dueAt: (id: RunId) => dueBelow(below, id),
  }
}

type WaitingRun = Pick<RunRow, 'id' | 'parentRunId'> & { readonly dueAt: EpochMs | null }

/** When a waiting run, or one that waits below it, goes on by itself. */
export function dueBelow(waiting: readonly WaitingRun[], id: RunId): EpochMs | null {
  const dues: EpochMs[] = []
  const inside = [id]
  for (let next = inside.pop(); next !== undefined; next = inside.pop()) {
    for (const run of waiting) {
      if (run.id === next && run.dueAt !== null) dues.push(Number(run.dueAt))
      if (run.parentRunId === next) inside.push(run.id)
    }
  }
  return dues.length === 0 ? null : Math.min(...dues)
}
