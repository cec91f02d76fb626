// A batch: units that run one after another in one transaction, each failing alone, and one commit for all.

import { waitBefore } from '../backoff.ts'
import type { SqliteConnection } from './connection.ts'
import { isBusy, sqliteError } from './sqlite-errors.ts'
import { Unit } from './unit.ts'

/** A unit that waits for its turn, or work that wants the connection alone and without a transaction. */
export interface Task {
  readonly work: (unit: Unit) => Promise<unknown>
  readonly alone: boolean
  resolve(value: unknown): void
  reject(error: unknown): void
}

export interface BatchLimits {
  /** How long a unit may take. */
  readonly unitMsMax: number
  /** How long to try for a lock that another process holds. */
  readonly lockWaitMsMax: number
}

const LOCK_BACKOFF = { firstMs: 1, mostMs: 20 }
const OVER = new Error(
  'The transaction is over: its statements are awaited inside the work that was given to write.',
)

/** Runs the units and settles every task: after the commit, or when nothing of it was stored. Never throws. */
export async function runBatch(
  connection: SqliteConnection,
  tasks: readonly Task[],
  limits: BatchLimits,
): Promise<void> {
  const done: (readonly [Task, unknown])[] = []
  const savepoint = tasks.length > 1
  using watchdog = createWatchdog(limits.unitMsMax)
  try {
    await retryWhileBusy(() => connection.control('begin immediate'), limits.lockWaitMsMax)
    for (const task of tasks) {
      const value = await runUnit(connection, task, savepoint, watchdog)
      if (value !== FAILED) done.push([task, value])
    }
    watchdog.stop()
    if (connection.inTransaction)
      await retryWhileBusy(() => connection.control('commit'), limits.lockWaitMsMax)
  } catch (error) {
    if (connection.inTransaction) connection.control('rollback')
    const failure = sqliteError('commit', error)
    for (const task of tasks) task.reject(failure)
    return
  }
  for (const [task, value] of done) task.resolve(value)
}

const FAILED = Symbol('failed')

/** Runs one unit. A failure rolls back that unit alone; it throws where SQLite gave up the whole transaction. */
async function runUnit(
  connection: SqliteConnection,
  task: Task,
  savepoint: boolean,
  watchdog: Watchdog,
): Promise<unknown> {
  const unit = new Unit(connection)
  if (savepoint) connection.control('savepoint unit')
  try {
    const value = await watchdog.watch(task.work(unit))
    if (unit.refusal !== undefined) throw unit.refusal
    if (savepoint) connection.control('release unit')
    return value
  } catch (error) {
    if (savepoint && !connection.inTransaction) throw error
    if (savepoint) {
      connection.control('rollback to unit')
      connection.control('release unit')
    } else if (connection.inTransaction) connection.control('rollback')
    task.reject(error)
    return FAILED
  } finally {
    unit.refusal = OVER
  }
}

interface Watchdog extends Disposable {
  watch<T>(work: Promise<T>): Promise<T>
  stop(): void
}

/** One timer for a whole batch: it can only fire while a unit awaits something that is not the transaction. */
function createWatchdog(ms: number): Watchdog {
  let timer: NodeJS.Timeout | undefined
  let fired = Promise.withResolvers<never>()
  const stop = (): void => {
    clearTimeout(timer)
    timer = undefined
  }
  const start = (): void => {
    fired = Promise.withResolvers<never>()
    fired.promise.catch(() => undefined)
    timer = setTimeout(() => {
      timer = undefined
      fired.reject(
        new Error(
          `A write did not end within ${ms} ms and was rolled back: it may await nothing but its transaction.`,
        ),
      )
    }, ms)
  }
  return {
    watch: (work) => {
      if (timer === undefined) start()
      return Promise.race([work, fired.promise])
    },
    stop,
    [Symbol.dispose]: stop,
  }
}

/** Tries again while another process holds the lock, without blocking the event loop. */
export async function retryWhileBusy<T>(work: () => T, waitMsMax: number): Promise<T> {
  const end = performance.now() + waitMsMax
  for (let attempt = 1; ; attempt++) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() > end) throw error
    }
    await waitBefore(attempt, LOCK_BACKOFF)
  }
}
