// A budget is changed, topped up or archived. Each change holds the budget's lock, so that no call is let through meanwhile by
// what was before, and is told of in the audit log in the same transaction.

import type { BudgetId } from '../../../base/ids.ts'
import { formatUsd } from '../../../base/money.ts'
import type { TopUpBudget, UpdateBudget } from '../../../contract/budget.ts'
import type { Principal } from '../../../contract/principal.ts'
import { type Budget, LIMIT_NANOS_MAX } from '../budget.ts'
import { periodAt } from '../budget-period.ts'
import { budgetByName, lockBudgets, updateBudget as storeChange } from '../budget-store.ts'
import { addExtra } from '../period-store.ts'
import { invalid, nanosOf, positiveNanosOf, thresholdErrors, throwAll } from './budget-terms.ts'
import type { ChangeContext, DetailedBudget } from './managed-budget.ts'
import {
  audit,
  detailOf,
  differences,
  lockActive,
  type ManageDeps,
  nameTaken,
  notFound,
  standInLine,
} from './record.ts'
import { standingNow } from './standing-now.ts'

/** A limit may go below what is spent: then nothing more is let through. */
export async function changeBudget(
  { db, clock, freed }: ManageDeps,
  principal: Principal,
  id: BudgetId,
  change: UpdateBudget,
  context: ChangeContext,
): Promise<DetailedBudget> {
  const at = clock()
  throwAll(thresholdErrors(change.thresholds ?? []))
  const limitNanos = change.limitUsd === undefined ? undefined : nanosOf(change.limitUsd, '/limit_usd')
  return db.tenant(principal.tenantId).write(async (tx) => {
    if (change.name !== undefined) await standInLine(tx)
    const before = await lockActive(tx, id)
    if (change.name !== undefined && change.name !== before.name) {
      if ((await budgetByName(tx, change.name)) !== undefined) throw nameTaken(change.name)
    }
    const after: Budget = {
      ...before,
      name: change.name ?? before.name,
      mode: change.mode ?? before.mode,
      limitNanos: limitNanos ?? before.limitNanos,
      thresholds: change.thresholds ?? before.thresholds,
      onFailure: change.onFailure ?? before.onFailure,
      revision: before.revision + 1,
      updatedAt: at,
    }
    const data = differences(before, after)
    if (Object.keys(data).length === 0) return detailOf(tx, before, at)
    await storeChange(tx, after)
    await audit(tx, { principal, context, at }, { type: 'budget.updated', subject: id, data })
    // Who waits tries again; where the limit was lowered or the mode is `hard` now, that says so.
    await freed(tx, [id], at)
    return detailOf(tx, after, at)
  })
}

/** Adds to the present period alone; of a rolling budget to its present bucket, with which it leaves the window again. */
export async function topUpBudget(
  { db, clock, freed }: ManageDeps,
  principal: Principal,
  id: BudgetId,
  { amountUsd, reason }: TopUpBudget,
  context: ChangeContext,
): Promise<DetailedBudget> {
  const at = clock()
  const amount = positiveNanosOf(amountUsd, '/amount_usd')
  return db.tenant(principal.tenantId).write(async (tx) => {
    const budget = await lockActive(tx, id)
    const standing = await standingNow(tx, budget, at)
    const period = standing && periodAt(budget, at)
    if (period === undefined || standing === undefined)
      throw invalid([{ path: '', message: 'the budget does not count now: it begins later or has ended' }])
    if (standing.limitNanos + amount > LIMIT_NANOS_MAX)
      throw invalid([
        {
          path: '/amount_usd',
          message: `is too much: limit and top-ups may be ${formatUsd(LIMIT_NANOS_MAX)}`,
        },
      ])
    await addExtra(tx, id, period, amount, at)
    const { extraNanos } = standing
    const data = {
      period: period.key,
      amountUsd: formatUsd(amount),
      before: { extraUsd: formatUsd(extraNanos) },
      after: { extraUsd: formatUsd(extraNanos + amount) },
      reason: reason ?? null,
    }
    await audit(tx, { principal, context, at }, { type: 'budget.topped-up', subject: id, data })
    await freed(tx, [id], at)
    await context.inTransaction?.(tx, id)
    return detailOf(tx, budget, at)
  })
}

/** Does nothing where it is archived already. Its holds are settled as before; it refuses nothing any more. */
export async function archiveBudget(
  { db, clock, freed }: ManageDeps,
  principal: Principal,
  id: BudgetId,
  context: ChangeContext,
): Promise<void> {
  const at = clock()
  await db.tenant(principal.tenantId).write(async (tx) => {
    const [before] = await lockBudgets(tx, [id])
    if (before === undefined) throw notFound(id)
    if (before.state === 'archived') return
    const after: Budget = { ...before, state: 'archived', updatedAt: at }
    await storeChange(tx, after)
    const data = differences(before, after)
    await audit(tx, { principal, context, at }, { type: 'budget.archived', subject: id, data })
    await freed(tx, [id], at)
  })
}
