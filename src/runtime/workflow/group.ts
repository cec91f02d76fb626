// Things that run at the same time. The first that fails stops the others; all have come to rest before it is told.

import { AppError } from '../../base/errors.ts'
import { type Interruption, interruptBelow, Stopped } from '../agent/interruption.ts'
import { isStorageTrouble } from '../agent/storage-trouble.ts'
import { NodeFailed } from './node-failed.ts'

export interface Group {
  /** Of what runs in the group. */
  readonly interruption: Interruption
  start(work: () => Promise<void>): void
  /** Waits for all, also those that are started meanwhile, and throws what one of them failed of. */
  settle(): Promise<void>
}

/** `run` is the interruption of the whole run, `outer` that of what the group is part of. */
export function createGroup(run: Interruption, outer: Interruption): Group {
  const inner = interruptBelow(outer)
  const failures: unknown[] = []
  const open = new Set<Promise<void>>()
  return {
    interruption: inner,
    start(work) {
      const task: Promise<void> = work()
        .catch((error: unknown) => {
          failures.push(error)
          // What was told to stop stops nobody else: whoever told it tells the others.
          if (error instanceof Stopped) return
          const fails = error instanceof NodeFailed || error instanceof AppError
          if (fails && !isStorageTrouble(error)) inner.stop('cancelled')
          // The run has not failed, and yet this process cannot go on with it: nothing more is begun or given up.
          else run.drain()
        })
        .finally(() => open.delete(task))
      open.add(task)
    },
    async settle() {
      while (open.size > 0) await Promise.race(open)
      inner[Symbol.dispose]()
      if (failures.length > 0) throw gravest(failures)
    },
  }
}

/** What says nothing of the workflow first, then its own limits, then the node that failed first, also when told again. */
function gravest(failures: readonly unknown[]): unknown {
  const nodes = failures.filter((error) => error instanceof NodeFailed)
  const rest = failures.filter((error) => !(error instanceof NodeFailed) && !(error instanceof Stopped))
  const first = nodes.toSorted((a, b) => a.at - b.at || a.seq - b.seq)[0]
  const limits = rest.find((error) => error instanceof AppError)
  return rest.find((error) => !(error instanceof AppError)) ?? limits ?? first ?? failures[0]
}
