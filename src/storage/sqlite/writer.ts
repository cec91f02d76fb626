// The one writer of a SQLite database, with group commit: units that wait at the same moment share a commit
// (one flush to disk for all of them). It never blocks on another process.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { stoppingError } from '../storage-errors.ts'
import { type BatchLimits, runBatch, type Task } from './batch.ts'
import type { SqliteConnection } from './connection.ts'
import { Unit } from './unit.ts'

/** How many units share a commit at most. */
const BATCH_UNITS_MAX = 64

export interface Writer {
  /** Runs `work` in a transaction; settles when it is on disk, or rolled back. */
  write<T>(work: (unit: Unit) => Promise<T>): Promise<T>
  /** Runs `work` outside any transaction while no unit runs. */
  alone<T>(work: () => Promise<T>): Promise<T>
  /** Settles when what is written now is committed; undefined where nothing is. */
  readonly open: Promise<void> | undefined
  /** Takes no more work, and settles when what was taken is done. */
  finish(): Promise<void>
}

export function createWriter(connection: SqliteConnection, limits: BatchLimits): Writer {
  const queue: Task[] = []
  let pumping: Promise<void> | undefined
  let open: Promise<void> | undefined
  let finished = false

  const add = <T>(work: (unit: Unit) => Promise<T>, alone: boolean): Promise<T> => {
    if (finished) return Promise.reject(stoppingError())
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    queue.push({ work, alone, resolve: resolve as (value: unknown) => void, reject })
    pumping ??= pump()
    return promise
  }

  /** Waits for the turn of the event loop to end, so that all who write in it share the commit. */
  const pump = async (): Promise<void> => {
    await nextTurn()
    for (let tasks = take(queue); tasks.length > 0; tasks = take(queue)) {
      open = tasks[0]?.alone === true ? runAlone(connection, tasks[0]) : runBatch(connection, tasks, limits)
      await open
      open = undefined
      await nextTurn()
    }
    pumping = undefined
  }

  return {
    write: (work) => add(work, false),
    alone: (work) => add(work, true),
    get open() {
      return open
    },
    finish: async () => {
      finished = true
      await pumping
    },
  }
}

/** The tasks that run next: as many units as share a commit, or one task that runs alone. */
function take(queue: Task[]): Task[] {
  const end = queue.findIndex((task) => task.alone)
  if (end === 0) return queue.splice(0, 1)
  return queue.splice(0, Math.min(BATCH_UNITS_MAX, end < 0 ? queue.length : end))
}

async function runAlone(connection: SqliteConnection, task: Task): Promise<void> {
  try {
    task.resolve(await task.work(new Unit(connection)))
  } catch (error) {
    if (connection.inTransaction) connection.control('rollback')
    task.reject(error)
  }
}
