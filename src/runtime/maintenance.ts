// What has to be done from time to time, with or without a worker: ticks of schedules, events to hand on, sweeps.
// Several processes do it at once; each task is such that this does no harm.

import type { Clock, EpochMs } from '../base/time.ts'
import type { RuntimeObserver } from './observer.ts'
import type { Worker } from './worker.ts'

export interface MaintenanceTask {
  readonly name: string
  readonly everyMs: number
  /** Does what is due at that moment, in bounded portions. */
  run(at: EpochMs): Promise<void>
}

export interface MaintenanceDeps {
  readonly tasks: readonly MaintenanceTask[]
  readonly clock: Clock
  readonly observer: RuntimeObserver
}

export interface Maintenance {
  /** Each task is done every so often, the first time after that time; started twice, it is started once. */
  start(): void
  /** Begins no task any more; answers when those that were begun have ended. */
  stop(): Promise<void>
}

/** A task never overlaps itself, and one that fails or hangs keeps no other from its turn. */
export function createMaintenance({ tasks, clock, observer }: MaintenanceDeps): Maintenance {
  const busy = new Map<string, Promise<void>>()
  let timers: readonly NodeJS.Timeout[] | undefined

  const turn = (task: MaintenanceTask): void => {
    if (timers === undefined || busy.has(task.name)) return
    const work = Promise.resolve()
      .then(() => task.run(clock()))
      .catch((error: unknown) => observer.trouble('A maintenance task failed.', { task: task.name, error }))
      .finally(() => busy.delete(task.name))
    busy.set(task.name, work)
  }

  return {
    start() {
      if (timers !== undefined) return
      timers = tasks.map((task) => setInterval(() => turn(task), task.everyMs).unref())
    },
    async stop() {
      for (const timer of timers ?? []) clearInterval(timer)
      timers = undefined
      await Promise.all(busy.values())
    },
  }
}

/** The worker, with which the maintenance starts and stops. */
export function maintained(worker: Worker, maintenance: Maintenance): Worker {
  return {
    ...worker,
    async start() {
      maintenance.start()
      await worker.start()
    },
    async stop(drainMs) {
      await maintenance.stop()
      await worker.stop(drainMs)
    },
  }
}
