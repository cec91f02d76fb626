// The tasks of the maintenance loop, from the parts that need one.

import type { EpochMs } from '../base/time.ts'
import { sweepQueue } from '../queue/sweep.ts'
import { sweepApprovals } from './approvals/sweep-approvals.ts'
import { wakeBudgetWaits } from './budget-waits.ts'
import { createDueWork, type DueWork } from './due-work.ts'
import type { MaintenanceTask } from './maintenance.ts'
import { type TriggersDeps, triggerTasks } from './triggers/create-triggers.ts'

const APPROVALS_EVERY_MS = 1_000
const BUDGET_WAITS_EVERY_MS = 1_000
/** A job without a worker for its kind waits for a minute before it is set aside: some seconds more do not matter. */
const QUEUE_EVERY_MS = 15_000

export function maintenanceTasks(
  deps: TriggersDeps,
  isTurn: (at: EpochMs) => boolean,
): readonly MaintenanceTask[] {
  const due = createDueWork(deps.db, isTurn)
  /** The task, where one look for all of them says that there is something for it. */
  const whereDue = (task: MaintenanceTask): MaintenanceTask => {
    if (!isPart(task.name)) return task
    const part = task.name
    return { ...task, run: async (at) => ((await due(at))[part] ? task.run(at) : undefined) }
  }
  return [
    ...triggerTasks(deps),
    {
      name: 'approvals',
      everyMs: APPROVALS_EVERY_MS,
      run: async (at: number) => void (await sweepApprovals(deps, at)),
    },
    {
      name: 'budgetWaits',
      everyMs: BUDGET_WAITS_EVERY_MS,
      run: async (at: number) => void (await wakeBudgetWaits(deps, at)),
    },
    {
      name: 'queue',
      everyMs: QUEUE_EVERY_MS,
      run: async (at: number) => void (await sweepQueue(deps, at)),
    },
  ].map(whereDue)
}

const PARTS: ReadonlySet<string> = new Set<keyof DueWork>([
  'schedules',
  'deliveries',
  'approvals',
  'budgetWaits',
])

function isPart(name: string): name is keyof DueWork {
  return PARTS.has(name)
}
