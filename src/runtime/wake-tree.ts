// The runs from a root down to one in its tree: locked together, and woken once what they waited for has come.

import type { RunId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import { wakeJob } from '../queue/job-changes.ts'
import type { TenantTransaction } from '../storage/database.ts'
import { lockRun, type RunRow, runById, wakeRun } from './journal/run-store.ts'

/**
 * The run and those above it, root first, as they are now; empty where there is no such run. They are locked until the
 * transaction ends: one of them that is about to wait either sees this change, or is waiting when it is woken.
 */
export async function lockTree(tx: TenantTransaction, id: RunId): Promise<readonly RunRow[]> {
  const path: RunId[] = []
  for (let next: RunId | null = id; next !== null; ) {
    path.unshift(next)
    const row: RunRow | undefined = await tx.first(runById, { id: next })
    next = row?.parentRunId ?? null
  }
  const rows: RunRow[] = []
  for (const at of path) {
    const row = await tx.first(lockRun, { id: at })
    if (row !== undefined) rows.push(row)
  }
  return rows
}

/** Wakes those of the runs that wait, and the job of the root, so that a worker goes on with the tree. */
export async function wakeTree(tx: TenantTransaction, tree: readonly RunRow[], at: EpochMs): Promise<void> {
  for (const { id } of tree) await tx.run(wakeRun, { id, at })
  const root = tree[0]
  if (root !== undefined) await wakeJob(tx, root.id, at)
}
