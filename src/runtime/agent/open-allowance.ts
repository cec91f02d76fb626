// The allowance of a run that is taken up: what it and those below it have spent is read from the rows.

import type { Nanos } from '../../base/money.ts'
import type { TenantReader } from '../../storage/database.ts'
import { holdOwner } from '../budgets.ts'
import type { RunRow } from '../journal/run-store.ts'
import { openPaidBelow, toolCostsBelow, toolCostsOf, usageBelow } from '../journal/run-tree-store.ts'
import { openPaidSteps } from '../journal/step-store.ts'
import { replayChangesOf } from '../replay/replay-changes.ts'
import { type Allowance, allowanceBelow, type MoneyLimit } from './allowance.ts'
import type { DrivenRun } from './context.ts'

/** `limitNanos` is the run's own limit, where it has one. */
export async function openAllowance(
  ctx: Omit<DrivenRun, 'limits' | 'allowance'>,
  limitNanos: Nanos | undefined,
  above: Allowance,
): Promise<Allowance> {
  if (limitNanos === undefined) return above
  const { run } = ctx
  const own: MoneyLimit = {
    runId: run.id,
    nanos: limitNanos,
    spent: run.costNanos,
    aside: new Map(),
    unknown: run.unpricedCount > 0,
    waiting: new Set(),
  }
  if (run.stepCount > 0) await ctx.db.read((reader) => recall(reader, ctx, own))
  return allowanceBelow(above, own)
}

/** What is on record of the run and those below it, and what an earlier process may have spent that is not. */
async function recall(
  reader: TenantReader,
  { run, prices, deps }: Pick<DrivenRun, 'run' | 'prices' | 'deps'>,
  own: MoneyLimit,
): Promise<void> {
  const { rootRunId } = run
  const runs = await reader.all(usageBelow, { rootRunId })
  const inside = below(run, runs)
  for (const { id, costNanos, unpricedCount } of runs) {
    if (!inside.has(id)) continue
    own.spent += costNanos
    own.unknown ||= unpricedCount > 0
  }
  const paid = [
    ...(await reader.all(toolCostsOf, { runId: run.id })),
    ...(await reader.all(toolCostsBelow, { rootRunId })).filter(({ runId }) => inside.has(runId)),
  ]
  for (const { amountNanos } of paid) own.spent += amountNanos
  const open = [
    ...(await reader.all(openPaidSteps, { runId: run.id })).map((step) => ({ ...step, runId: run.id })),
    ...(await reader.all(openPaidBelow, { rootRunId })).filter(({ runId }) => inside.has(runId)),
  ]
  const free = replayChangesOf(run)?.tools === 'recorded'
  const at = deps.clock()
  for (const { runId, seq, kind, name, state } of open) {
    if (state !== 'intended') continue
    if (kind !== 'tool') own.unknown = true
    const nanos = kind !== 'tool' || free ? undefined : prices.toolPrice(name, at)
    if (nanos !== undefined) own.aside.set(holdOwner(runId, seq), { nanos, live: false })
  }
}

function below(run: RunRow, runs: readonly Pick<RunRow, 'id' | 'parentRunId'>[]): ReadonlySet<RunRow['id']> {
  const byCaller = Map.groupBy(runs, ({ parentRunId }) => parentRunId)
  const inside = new Set<RunRow['id']>()
  const open = [...(byCaller.get(run.id) ?? [])]
  for (let row = open.pop(); row !== undefined; row = open.pop()) {
    inside.add(row.id)
    open.push(...(byCaller.get(row.id) ?? []))
  }
  return inside
}
