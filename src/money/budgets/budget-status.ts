// How budgets stand at a moment: what is spent, set aside and left. It reads; it changes nothing.

import type { BudgetId } from '../../base/ids.ts'
import type { Nanos } from '../../base/money.ts'
import type { EpochMs } from '../../base/time.ts'
import type { TenantReader } from '../../storage/database.ts'
import { type Balance, type Budget, type InPeriod, leftOf, limitOf, NOTHING } from './budget.ts'
import { type Period, periodAt, windowOf } from './budget-period.ts'
import { balancesOf } from './period-store.ts'

export interface BudgetStanding {
  /** Of a rolling budget: its window, with the key `rolling`. */
  readonly period: Period
  /** With what is topped up. */
  readonly limitNanos: Nanos
  readonly extraNanos: Nanos
  readonly settledNanos: Nanos
  readonly heldNanos: Nanos
  /** Below zero where the limit was passed or lowered under it. */
  readonly leftNanos: Nanos
  /** The highest threshold that was told of, in percent; 0: none. */
  readonly crossed: number
}

/** Without those that do not count at that moment. Throws where this host does not know a time zone. */
export async function standingsOf(
  reader: TenantReader,
  budgets: readonly Budget[],
  at: EpochMs,
): Promise<ReadonlyMap<BudgetId, BudgetStanding>> {
  const counting: InPeriod[] = []
  for (const budget of budgets) {
    const period = periodAt(budget, at)
    if (period !== undefined) counting.push({ budget, period })
  }
  const balances = await balancesOf(reader, counting, at)
  return new Map(
    counting.map((one) => [one.budget.id, standing(one, balances.get(one.budget.id) ?? NOTHING, at)]),
  )
}

function standing({ budget, period }: InPeriod, balance: Balance, at: EpochMs): BudgetStanding {
  return {
    period: budget.period === 'rolling' ? windowAt(budget, at) : period,
    limitNanos: limitOf({ budget, balance }),
    leftNanos: leftOf({ budget, balance }),
    extraNanos: balance.extraNanos,
    settledNanos: balance.settledNanos,
    heldNanos: balance.heldNanos,
    crossed: balance.crossed,
  }
}

function windowAt(budget: Budget, at: EpochMs): Period {
  return { key: 'rolling', startsAt: at - windowOf(budget), endsAt: at }
}
