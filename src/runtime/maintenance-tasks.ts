// The tasks of the maintenance loop, from the parts that need one.

import { sweepQueue } from '../queue/sweep.ts'
import { sweepApprovals } from './approvals/sweep-approvals.ts'
import type { MaintenanceTask } from './maintenance.ts'
import { type TriggersDeps, triggerTasks } from './triggers/create-triggers.ts'

const APPROVALS_EVERY_MS = 1_000
const QUEUE_EVERY_MS = 5_000

export function maintenanceTasks(deps: TriggersDeps): readonly MaintenanceTask[] {
  return [
    ...triggerTasks(deps),
    {
      name: 'approvals',
      everyMs: APPROVALS_EVERY_MS,
      run: async (at) => void (await sweepApprovals(deps, at)),
    },
    { name: 'queue', everyMs: QUEUE_EVERY_MS, run: async (at) => void (await sweepQueue(deps, at)) },
  ]
}
