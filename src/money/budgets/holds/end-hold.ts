// Ends holds: settled with what it cost, released, or charged with the estimate where nobody knows; and counts costs that
// nothing was set aside for. A threshold that is reached and a limit that is passed are told in the same transaction.

import type { BudgetId, RunId } from '../../../base/ids.ts'
import { formatUsd, type Nanos } from '../../../base/money.ts'
import type { EpochMs } from '../../../base/time.ts'
import type { Dimensions } from '../../../contract/money.ts'
import { appendAudit } from '../../../events/append.ts'
import type { TenantTransaction } from '../../../storage/database.ts'
import {
  type Account,
  type Balance,
  type Budget,
  checkAmount,
  checkSum,
  countingAt,
  crossedBy,
  limitOf,
  wentOver,
} from '../budget.ts'
import { FOREVER_MS, isInWindow, windowOf } from '../budget-period.ts'
import { lockApplicable, lockBudgets } from '../budget-store.ts'
import {
  addToPeriods,
  markCrossed,
  moveInPeriods,
  type PeriodBalance,
  windowBalances,
} from '../period-store.ts'
import { chargeEstimate, type EndedHold, endHold } from './hold-store.ts'

/** Told of budgets that have more room than before, in the transaction that made it: those who wait can go on. */
export type Freed = (tx: TenantTransaction, budgetIds: readonly BudgetId[], at: EpochMs) => Promise<void>

export interface EndingDeps {
  readonly freed: Freed
}

/** What an ending adds to the periods of a hold; below zero where it takes. */
interface Move {
  readonly heldNanos: Nanos
  readonly settledNanos: Nanos
}

const ACTOR = 'system'

/**
 * What it really cost takes the place of what was set aside. Where the sweeper had charged the estimate meanwhile, the
 * real cost takes the place of that. Nothing where the owner has no hold, or ended it before.
 */
export async function settle(
  deps: EndingDeps,
  tx: TenantTransaction,
  owner: string,
  costNanos: Nanos | undefined,
  at: EpochMs,
): Promise<void> {
  if (costNanos === undefined) await estimate(deps, tx, { owner, expiredBefore: FOREVER_MS, at })
  else await end(deps, tx, { owner, to: 'settled', costNanos, at })
}

/** Gives back what was set aside, or what the sweeper charged: it was certainly not spent. */
export function release(deps: EndingDeps, tx: TenantTransaction, owner: string, at: EpochMs): Promise<void> {
  return end(deps, tx, { owner, to: 'released', costNanos: 0n, at })
}

/** Charges the estimate and says so. False where the hold has ended, or does not expire before that moment. */
export async function estimate(
  deps: EndingDeps,
  tx: TenantTransaction,
  what: { readonly owner: string; readonly expiredBefore: EpochMs; readonly at: EpochMs },
): Promise<boolean> {
  const hold = await chargeEstimate(tx, what)
  if (hold === undefined) return false
  const { id, runId, owner, amountNanos, estimateNanos, budgets } = hold
  await apply(deps, tx, hold, { heldNanos: -amountNanos, settledNanos: estimateNanos }, what.at)
  await appendAudit(tx, {
    type: 'budget.hold-estimated',
    actor: ACTOR,
    subject: id,
    data: {
      owner,
      runId,
      heldUsd: formatUsd(amountNanos),
      chargedUsd: formatUsd(estimateNanos),
      budgets: idsOf(budgets),
    },
    at: what.at,
  })
  return true
}

/** Counts a cost that nothing was set aside for, in every budget that applies: it happened, whatever the limits say. */
export async function charge(
  tx: TenantTransaction,
  of: Dimensions,
  rootRunId: RunId | null,
  costNanos: Nanos,
  at: EpochMs,
): Promise<void> {
  checkAmount(costNanos)
  if (costNanos === 0n) return
  const { budgets } = countingAt(await lockApplicable(tx, of, rootRunId), at)
  if (budgets.length === 0) return
  const rows = await addToPeriods(
    tx,
    budgets.map(({ budget, period }) => ({ budgetId: budget.id, period, settledNanos: costNanos })),
    at,
  )
  for (const row of rows) checkSum(row)
  await tell(
    tx,
    budgets.map(({ budget }) => budget),
    rows,
    { heldNanos: 0n, settledNanos: costNanos },
    at,
  )
}

async function end(
  deps: EndingDeps,
  tx: TenantTransaction,
  { owner, to, costNanos, at }: { owner: string; to: 'settled' | 'released'; costNanos: Nanos; at: EpochMs },
): Promise<void> {
  checkAmount(costNanos)
  const ending = { owner, to, settledNanos: costNanos, at }
  const held = await endHold(tx, { ...ending, from: 'held' })
  if (held !== undefined) {
    await apply(deps, tx, held, { heldNanos: -held.amountNanos, settledNanos: costNanos }, at)
    return
  }
  const estimated = await endHold(tx, { ...ending, from: 'estimated' })
  if (estimated === undefined) return
  await apply(deps, tx, estimated, { heldNanos: 0n, settledNanos: costNanos - estimated.estimateNanos }, at)
}

async function apply(
  deps: EndingDeps,
  tx: TenantTransaction,
  hold: EndedHold,
  move: Move,
  at: EpochMs,
): Promise<void> {
  // The lock is sent first; nobody waits for it before the change is sent.
  const [budgets, rows] = await Promise.all([
    lockBudgets(tx, idsOf(hold.budgets)),
    moveInPeriods(tx, hold.budgets, move, at),
  ])
  await tell(tx, budgets, rows, move, at)
  if (move.heldNanos + move.settledNanos >= 0n) return
  const asking = budgets.filter(({ mode, state }) => mode === 'ask' && state === 'active')
  if (asking.length > 0)
    await deps.freed(
      tx,
      asking.map(({ id }) => id),
      at,
    )
}

async function tell(
  tx: TenantTransaction,
  budgets: readonly Budget[],
  rows: readonly PeriodBalance[],
  move: Move,
  at: EpochMs,
): Promise<void> {
  const added = move.heldNanos + move.settledNanos
  const telling = budgets.filter(
    ({ state, thresholds }) =>
      state === 'active' && ((move.settledNanos > 0n && thresholds.length > 0) || added > 0n),
  )
  if (telling.length === 0) return
  const rowOf = new Map(rows.map((row) => [row.budgetId, row]))
  const windowOfBudget = new Map<BudgetId, Balance>(
    (
      await windowBalances(
        tx,
        telling.filter(({ period }) => period === 'rolling'),
        at,
      )
    ).map((sums) => [sums.budgetId, sums]),
  )
  for (const budget of telling) {
    const row = rowOf.get(budget.id)
    if (row === undefined) continue
    // What was set aside so long ago that its bucket has left the window changes nothing that counts now.
    if (budget.period === 'rolling' && !isInWindow(windowOf(budget), row, at)) continue
    const balance = windowOfBudget.get(budget.id) ?? row
    await tellOf(tx, { budget, balance }, row.periodKey, added, at)
  }
}

async function tellOf(
  tx: TenantTransaction,
  account: Pick<Account, 'budget' | 'balance'>,
  periodKey: string,
  added: Nanos,
  at: EpochMs,
): Promise<void> {
  const { budget, balance } = account
  const told = {
    name: budget.name,
    period: periodKey,
    settledUsd: formatUsd(balance.settledNanos),
    heldUsd: formatUsd(balance.heldNanos),
    limitUsd: formatUsd(limitOf(account)),
  }
  const crossed = crossedBy(account)
  for (const percent of crossed) {
    const data = { ...told, percent }
    await appendAudit(tx, { type: 'budget.crossed', actor: ACTOR, subject: budget.id, data, at })
  }
  const highest = crossed.at(-1)
  if (highest !== undefined) await markCrossed(tx, { budgetId: budget.id, periodKey, crossed: highest })
  if (wentOver(account, added))
    await appendAudit(tx, { type: 'budget.exceeded', actor: ACTOR, subject: budget.id, data: told, at })
}

function idsOf(budgets: string): readonly BudgetId[] {
  return (JSON.parse(budgets) as readonly { readonly budget_id: BudgetId }[]).map(
    ({ budget_id }) => budget_id,
  )
}
