// Where budgets stand now, for those who look or change: a budget that cannot be asked does not hide the others.

import type { BudgetId } from '../../../base/ids.ts'
import type { EpochMs } from '../../../base/time.ts'
import type { TenantReader } from '../../../storage/database.ts'
import { type Budget, countingAt } from '../budget.ts'
import { type BudgetStanding, standingsOf } from '../budget-status.ts'

/** None of those that are archived, not begun or ended, or whose time zone this host does not know. */
export function standingsNow(
  reader: TenantReader,
  budgets: readonly Budget[],
  at: EpochMs,
): Promise<ReadonlyMap<BudgetId, BudgetStanding>> {
  const active = budgets.filter(({ state }) => state === 'active')
  const counting = countingAt(active, at).budgets.map(({ budget }) => budget)
  return standingsOf(reader, counting, at)
}

export async function standingNow(
  reader: TenantReader,
  budget: Budget,
  at: EpochMs,
): Promise<BudgetStanding | undefined> {
  return (await standingsNow(reader, [budget], at)).get(budget.id)
}
