// A part of a limit moves from one budget to another, in one transaction that holds both. What is settled or held stays
// covered: only what is left can be moved, so that a transfer never takes a budget below what was let through.

import { type BudgetId, isId } from '../../../base/ids.ts'
import { formatUsd, type Nanos } from '../../../base/money.ts'
import type { TransferBudget } from '../../../contract/budget.ts'
import type { Principal } from '../../../contract/principal.ts'
import type { TenantTransaction } from '../../../storage/database.ts'
import { type Budget, LIMIT_NANOS_MAX } from '../budget.ts'
import { lockBudgets, updateBudget as storeChange } from '../budget-store.ts'
import { invalid, positiveNanosOf } from './budget-terms.ts'
import type { ChangeContext, DetailedBudget } from './managed-budget.ts'
import { audit, type Change, detailOf, type ManageDeps, requireActive } from './record.ts'
import { standingNow } from './standing-now.ts'

export async function transferBudget(
  { db, clock, freed }: ManageDeps,
  principal: Principal,
  id: BudgetId,
  input: TransferBudget,
  context: ChangeContext,
): Promise<DetailedBudget> {
  const at = clock()
  const amount = positiveNanosOf(input.amountUsd, '/amount_usd')
  const toId = isId('budget', input.toBudgetId) ? input.toBudgetId : undefined
  return db.tenant(principal.tenantId).write(async (tx) => {
    const locked = await lockBudgets(tx, toId === undefined ? [id] : [id, toId])
    const from = requireActive(
      locked.find((budget) => budget.id === id),
      id,
    )
    const to = locked.find((budget) => budget.id === toId)
    if (to === undefined || to.state === 'archived') throw wrongTarget('is the id of no active budget here')
    if (to.id === from.id) throw wrongTarget('is the budget itself')
    if (to.period !== from.period || to.rollingMs !== from.rollingMs)
      throw wrongTarget(`has another period, "${to.period}"; this one has "${from.period}"`)
    await checkAmount(tx, from, to, amount, at)
    const less: Budget = {
      ...from,
      limitNanos: from.limitNanos - amount,
      revision: from.revision + 1,
      updatedAt: at,
    }
    const more: Budget = { ...to, limitNanos: to.limitNanos + amount, updatedAt: at }
    await storeChange(tx, less)
    await storeChange(tx, more)
    const change = { principal, context, at }
    await auditMove(tx, change, from, less, { toBudgetId: to.id, ...movedOf(input, amount) })
    await auditMove(tx, change, to, more, { fromBudgetId: from.id, ...movedOf(input, amount) })
    await freed(tx, [to.id], at)
    await context.inTransaction?.(tx, id)
    return detailOf(tx, less, at)
  })
}

async function checkAmount(
  tx: TenantTransaction,
  from: Budget,
  to: Budget,
  amount: Nanos,
  at: number,
): Promise<void> {
  // What was topped up is of this period alone, so that it cannot be moved for good.
  const standing = await standingNow(tx, from, at)
  const left = standing === undefined ? from.limitNanos : standing.leftNanos
  const most = left < from.limitNanos ? left : from.limitNanos
  if (amount > most) {
    const movable = formatUsd(most < 0n ? 0n : most)
    throw invalid([
      { path: '/amount_usd', message: `is more than can be moved: ${movable} USD is neither spent nor held` },
    ])
  }
  if (to.limitNanos + amount > LIMIT_NANOS_MAX)
    throw invalid([
      {
        path: '/amount_usd',
        message: `is too much: a limit may be ${formatUsd(LIMIT_NANOS_MAX)} USD at most`,
      },
    ])
}

function auditMove(
  tx: TenantTransaction,
  change: Change,
  before: Budget,
  after: Budget,
  move: { readonly amountUsd: string; readonly reason: string | null } & Readonly<
    Record<string, string | null>
  >,
): Promise<void> {
  const data = {
    ...move,
    before: { limitUsd: formatUsd(before.limitNanos) },
    after: { limitUsd: formatUsd(after.limitNanos) },
  }
  return audit(tx, change, { type: 'budget.moved', subject: after.id, data })
}

function movedOf({ reason }: TransferBudget, amount: Nanos) {
  return { amountUsd: formatUsd(amount), reason: reason ?? null }
}

function wrongTarget(message: string) {
  return invalid([{ path: '/to_budget_id', message }])
}
