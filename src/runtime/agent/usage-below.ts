// What the runs that a run called have used: it counts against the limits of the caller.

import type { RunId } from '../../base/ids.ts'
import type { TenantReader } from '../../storage/database.ts'
import { usageBelow } from '../journal/run-tree-store.ts'
import type { RunTally } from '../run-limits.ts'

/** Adds to a tally what these runs, and all below them, have used. */
export async function addUsageOf(
  reader: TenantReader,
  rootRunId: RunId,
  ids: readonly RunId[],
  tally: RunTally,
): Promise<void> {
  if (ids.length === 0) return
  const rows = await reader.all(usageBelow, { rootRunId })
  const byCaller = Map.groupBy(rows, ({ parentRunId }) => parentRunId)
  const wanted = new Set(ids)
  const open = rows.filter(({ id }) => wanted.has(id))
  for (let row = open.pop(); row !== undefined; row = open.pop()) {
    tally.tokens += row.inputTokens + row.outputTokens
    tally.costNanos += row.costNanos
    tally.unpriced += row.unpricedCount
    open.push(...(byCaller.get(row.id) ?? []))
  }
}
