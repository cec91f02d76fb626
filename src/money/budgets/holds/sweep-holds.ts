// Holds whose owner is gone: their estimate is charged and marked. They are never freed silently, for the call may have
// been made. Several processes sweep at once: who ends a hold first has ended it.

import type { EpochMs } from '../../../base/time.ts'
import type { MaintenanceTask } from '../../../runtime/maintenance.ts'
import type { Database } from '../../../storage/database.ts'
import { type EndingDeps, estimate } from './end-hold.ts'
import { expiredHolds } from './hold-store.ts'

const EVERY_MS = 15_000
/** How many holds one pass ends. */
export const SWEPT_MAX = 500
/** How many of them at the same moment: on SQLite they share a commit, on Postgres they stand in each other's way. */
const AT_ONCE = { sqlite: 50, postgres: 4 } as const

export interface SweepDeps extends EndingDeps {
  readonly db: Database
}

/** Charges the estimates of holds that expired before the moment, the oldest first. Answers how many this pass ended. */
export async function sweepHolds(deps: SweepDeps, at: EpochMs): Promise<number> {
  const { db } = deps
  const expired = await db.system.read((reader) => reader.all(expiredHolds, { at, limit: SWEPT_MAX }))
  const atOnce = AT_ONCE[db.dialect]
  let count = 0
  for (let from = 0; from < expired.length; from += atOnce) {
    const ended = await Promise.all(
      expired
        .slice(from, from + atOnce)
        .map(({ tenantId, owner }) =>
          db.tenant(tenantId).write((tx) => estimate(deps, tx, { owner, expiredBefore: at, at })),
        ),
    )
    count += ended.filter(Boolean).length
  }
  return count
}

export function sweepTask(deps: SweepDeps): MaintenanceTask {
  return {
    name: 'budget-holds',
    everyMs: EVERY_MS,
    run: async (at) => void (await sweepHolds(deps, at)),
  }
}
