// Sets money aside before it is spent: in one transaction over every budget that applies, all or nothing. Locks are taken
// in one order everywhere: the hold, then the budgets by their ids, then their periods.

import { AppError } from '../../../base/errors.ts'
import { type BudgetId, newId } from '../../../base/ids.ts'
import { formatUsd, type Nanos } from '../../../base/money.ts'
import type { EpochMs } from '../../../base/time.ts'
import type { Budgets, Reservation, Reserved } from '../../../runtime/budgets.ts'
import type { TenantReader, TenantTransaction } from '../../../storage/database.ts'
import {
  type Account,
  type Balance,
  type Budget,
  checkAmount,
  countingAt,
  hasRoom,
  type InPeriod,
  leftOf,
  NOTHING,
  noRoomMessage,
  roomAgainAt,
  SUM_NANOS_MAX,
  usedOf,
} from '../budget.ts'
import { applicableBudgets, lockBudgets } from '../budget-store.ts'
import { addToPeriods, balancesOf, bucketsOf, keysOf, windowBalances } from '../period-store.ts'
import { charge, type EndingDeps, release, settle } from './end-hold.ts'
import { holdStateOf, insertHold, takeBack } from './hold-store.ts'

/** What the runtime asks of budgets. */
export function createReservations(deps: EndingDeps): Budgets {
  return {
    reserve,
    settle: (tx, owner, costNanos, at) => settle(deps, tx, owner, costNanos, at),
    release: (tx, owner, at) => release(deps, tx, owner, at),
    charge,
    admit,
  }
}

/**
 * Looks first without a lock: what there is no room for then is refused, and stands in nobody's way. What has room is
 * written under the lock and looked at again: where others came first, it is taken back.
 */
async function reserve(tx: TenantTransaction, reservation: Reservation): Promise<Reserved> {
  const { owner, of, rootRunId, worstNanos, at } = reservation
  if (worstNanos !== undefined) checkAmount(worstNanos)
  const budgets = await applicableBudgets(tx, of, rootRunId)
  if (budgets.length === 0) return FREE
  const counting = countingAt(budgets, at)
  if (counting.unknown !== undefined) return unavailable(counting.unknown)
  if (counting.budgets.length === 0) return FREE
  const balances = await balancesOf(tx, counting.budgets, at)
  const accounts = accountsOf(counting.budgets, balances)
  const no = await refusalOf(tx, accounts, worstNanos, at)
  if (no === undefined) return hold(tx, accounts, reservation)
  if (await isHeld(tx, owner)) return HELD
  return no.outcome === 'wait' ? waitUnderLock(tx, accounts, reservation) : no
}

/**
 * Who waits is woken by who frees a budget, under its lock: what is freed after this look finds the wait on record, and
 * what was freed before is seen here. Without the lock it would fall between.
 */
async function waitUnderLock(
  tx: TenantTransaction,
  accounts: readonly Account[],
  reservation: Reservation,
): Promise<Reserved> {
  const { worstNanos, at } = reservation
  const ids = accounts.map(({ budget }) => budget.id)
  const byId = new Map((await lockBudgets(tx, ids)).map((budget) => [budget.id, budget]))
  const budgets = accounts.map(({ budget, period }) => ({ budget: byId.get(budget.id) ?? budget, period }))
  const now = accountsOf(budgets, await balancesOf(tx, budgets, at))
  return (await refusalOf(tx, now, worstNanos, at)) ?? hold(tx, now, reservation)
}

const FREE: Reserved = { outcome: 'free' }
const HELD: Reserved = { outcome: 'held' }

async function isHeld(tx: TenantTransaction, owner: string): Promise<boolean> {
  const state = await holdStateOf(tx, owner)
  return state !== undefined && state !== 'released'
}

/** Undefined where there is room. */
async function refusalOf(
  tx: TenantTransaction,
  accounts: readonly Account[],
  worstNanos: Nanos | undefined,
  at: EpochMs,
): Promise<Reserved | undefined> {
  if (worstNanos === undefined) {
    const strict = accounts.find(({ budget }) => budget.mode !== 'soft')
    if (strict !== undefined) return unpriced(strict)
  }
  const amount = worstNanos ?? 0n
  const full = accounts.filter((account) => !fits(account, amount))
  return full.length > 0 ? noRoom(tx, full, amount, at) : undefined
}

async function hold(
  tx: TenantTransaction,
  accounts: readonly Account[],
  { owner, of, worstNanos, estimateNanos, at, expiresAt }: Reservation,
): Promise<Reserved> {
  const amount = worstNanos ?? 0n
  const id = newId('hold')
  const added = accounts.map(({ budget, period }) => ({ budgetId: budget.id, period, heldNanos: amount }))
  // Sent at once, done in this order: how long the locks are held is not for the network to say, and the hold needs none.
  const [isNew, locked, rows, windows] = await Promise.all([
    insertHold(tx, {
      id,
      owner,
      runId: of.runId,
      amountNanos: amount,
      // An estimate above the worst case would pass the limit that the worst case was checked against.
      estimateNanos: worstNanos !== undefined && estimateNanos > worstNanos ? worstNanos : estimateNanos,
      budgets: keysOf(accounts),
      createdAt: at,
      expiresAt,
    }),
    lockBudgets(
      tx,
      accounts.map(({ budget }) => budget.id),
    ),
    addToPeriods(tx, added, at),
    windowBalances(
      tx,
      accounts.map(({ budget }) => budget).filter(({ period }) => period === 'rolling'),
      at,
    ),
  ])
  const now = new Map<BudgetId, Balance>([...rows, ...windows].map((row) => [row.budgetId, row]))
  const byId = new Map(locked.map((budget) => [budget.id, budget]))
  const before = accounts.map(({ budget, period }) => ({
    budget: byId.get(budget.id) ?? budget,
    period,
    balance: without(now.get(budget.id) ?? NOTHING, amount),
  }))
  const no = isNew ? await refusalOf(tx, before, worstNanos, at) : HELD
  if (no === undefined) return HELD
  await addToPeriods(
    tx,
    added.map((change) => ({ ...change, heldNanos: -amount })),
    at,
  )
  if (isNew) await takeBack(tx, { id, owner, at })
  return no
}

function accountsOf(
  budgets: readonly InPeriod[],
  balances: ReadonlyMap<BudgetId, Balance>,
): readonly Account[] {
  return budgets.map((one) => ({ ...one, balance: balances.get(one.budget.id) ?? NOTHING }))
}

function without(balance: Balance, amount: Nanos): Balance {
  return { ...balance, heldNanos: balance.heldNanos - amount }
}

/** A soft budget has room until its sums would come near the 64 bits of the database. */
function fits(account: Account, amount: Nanos): boolean {
  return hasRoom(account, amount) && usedOf(account.balance) + amount <= SUM_NANOS_MAX
}

/** What refuses refuses, also where another would only have waited. */
async function noRoom(
  tx: TenantTransaction,
  full: readonly Account[],
  amount: Nanos,
  at: EpochMs,
): Promise<Reserved> {
  const refusing = full.find(({ budget }) => budget.mode !== 'ask')
  if (refusing !== undefined) {
    return {
      outcome: 'refused',
      code: 'budget.exceeded',
      budgetId: refusing.budget.id,
      message: noRoomMessage(refusing, amount),
    }
  }
  const asking = full[0] as Account
  const { budget } = asking
  const buckets = budget.period === 'rolling' ? await bucketsOf(tx, budget, at) : []
  return {
    outcome: 'wait',
    budgetId: budget.id,
    neededNanos: amount,
    message: noRoomMessage(asking, amount),
    againAt: roomAgainAt(asking, amount, buckets),
  }
}

function unpriced({ budget }: Account): Reserved {
  return {
    outcome: 'refused',
    code: 'budget.unpriced',
    budgetId: budget.id,
    message: `The budget "${budget.name}" cannot hold this call: nobody knows what it can cost. Set a price for the model (prices set).`,
  }
}

function unavailable({ id, name, timeZone }: Budget): Reserved {
  return {
    outcome: 'refused',
    code: 'budget.unavailable',
    budgetId: id,
    message: `The budget "${name}" cannot be asked: this host does not know the time zone "${timeZone}".`,
  }
}

async function admit(reader: TenantReader, of: Parameters<Budgets['admit']>[1], at: EpochMs): Promise<void> {
  const budgets = (await applicableBudgets(reader, of, of.runId)).filter(({ mode }) => mode === 'hard')
  if (budgets.length === 0) return
  const counting = countingAt(budgets, at)
  if (counting.unknown !== undefined) {
    const { code, message } = unavailable(counting.unknown) as Extract<Reserved, { outcome: 'refused' }>
    throw new AppError(code, message)
  }
  const balances = await balancesOf(reader, counting.budgets, at)
  for (const { budget, period } of counting.budgets) {
    const balance = balances.get(budget.id) ?? NOTHING
    if (leftOf({ budget, balance }) > 0n) continue
    throw new AppError(
      'budget.exceeded',
      `The budget "${budget.name}" has nothing left of ${formatUsd(budget.limitNanos + balance.extraNanos)} USD (${period.key}): raise it or top it up (budget top-up ${budget.id}).`,
    )
  }
}
