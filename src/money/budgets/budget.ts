// Budgets: what they are, and the rules of what is spent and set aside. No SQL, no clock.

import { AppError } from '../../base/errors.ts'
import { formatUsd, type Nanos } from '../../base/money.ts'
import type { EpochMs } from '../../base/time.ts'
import type { RowOf } from '../../storage/schema/tables.ts'
import { isInWindow, type Period, periodAt, windowOf } from './budget-period.ts'

export type BudgetRow = Omit<RowOf<'budgets'>, 'tenantId'>
export type Budget = Omit<BudgetRow, 'thresholds'> & { readonly thresholds: readonly number[] }

/** Of a period; of a rolling budget of its whole window. */
export interface Balance {
  readonly settledNanos: Nanos
  readonly heldNanos: Nanos
  /** Topped up for this period alone. */
  readonly extraNanos: Nanos
  /** The highest threshold that was told of, in percent; 0: none. */
  readonly crossed: number
}

export interface InPeriod {
  readonly budget: Budget
  readonly period: Period
}

export interface Account extends InPeriod {
  readonly balance: Balance
}

/** The largest limit, with what is topped up: a billion USD. Sums stay far inside the 64 bits of the database. */
export const LIMIT_NANOS_MAX: Nanos = 1_000_000_000_000_000_000n
/** The largest amount of one reservation or cost: a million USD. */
export const AMOUNT_NANOS_MAX: Nanos = 1_000_000_000_000_000n
/** More than this is never counted in a period: the next largest amounts would come near the 64 bits. */
export const SUM_NANOS_MAX: Nanos = 8_000_000_000_000_000_000n
export const PERCENT_MAX = 100n

export const NOTHING: Balance = { settledNanos: 0n, heldNanos: 0n, extraNanos: 0n, crossed: 0 }

/** The budget as it is stored, with its thresholds read. */
export function budgetOf(row: BudgetRow & { readonly tenantId?: unknown }): Budget {
  const { tenantId: _, ...budget } = row
  return { ...budget, thresholds: JSON.parse(row.thresholds) as number[] }
}

export function limitOf({ budget, balance }: Pick<Account, 'budget' | 'balance'>): Nanos {
  return budget.limitNanos + balance.extraNanos
}

export function usedOf({ settledNanos, heldNanos }: Balance): Nanos {
  return settledNanos + heldNanos
}

/** Below zero where a limit was lowered under what is spent, or a cost came without being set aside. */
export function leftOf(account: Pick<Account, 'budget' | 'balance'>): Nanos {
  return limitOf(account) - usedOf(account.balance)
}

/** Whether the amount can be set aside. A soft budget is counted and never says no. Zero is zero. */
export function hasRoom(account: Account, amount: Nanos): boolean {
  return account.budget.mode === 'soft' || leftOf(account) >= amount
}

/** The thresholds that what is spent has reached and nobody was told of, rising. Nothing spent reaches none. */
export function crossedBy({ budget, balance }: Pick<Account, 'budget' | 'balance'>): readonly number[] {
  if (balance.settledNanos <= 0n) return []
  const limit = limitOf({ budget, balance })
  return budget.thresholds
    .filter(
      (percent) => percent > balance.crossed && balance.settledNanos * PERCENT_MAX >= limit * BigInt(percent),
    )
    .toSorted((a, b) => a - b)
}

/** Whether adding so much took it from within its limit to beyond it. */
export function wentOver(account: Pick<Account, 'budget' | 'balance'>, added: Nanos): boolean {
  const left = leftOf(account)
  return account.budget.mode !== 'soft' && left < 0n && left + added >= 0n
}

/** A part of a rolling window. */
export interface Bucket {
  readonly endsAt: EpochMs
  readonly settledNanos: Nanos
  readonly heldNanos: Nanos
  readonly extraNanos: Nanos
}

/** When there is room for the amount by itself, if nobody spends meanwhile; undefined: only when somebody raises it. */
export function roomAgainAt(
  { budget, period }: Account,
  amount: Nanos,
  buckets: readonly Bucket[],
): EpochMs | undefined {
  if (budget.period === 'once' || amount > budget.limitNanos) return undefined
  if (budget.period !== 'rolling') return period.endsAt
  const windowMs = windowOf(budget)
  const leaving = buckets.toSorted((a, b) => a.endsAt - b.endsAt)
  return leaving
    .map(({ endsAt }) => endsAt + windowMs)
    .find((at) => {
      const kept = leaving.filter((bucket) => isInWindow(windowMs, bucket, at))
      const left = kept.reduce(
        (sum, { settledNanos, heldNanos, extraNanos }) => sum + extraNanos - settledNanos - heldNanos,
        budget.limitNanos,
      )
      return left >= amount
    })
}

/** One line for people. */
export function noRoomMessage(account: Account, amount: Nanos): string {
  const { budget, period } = account
  const left = leftOf(account)
  const over = left < 0n ? 0n : left
  return `The budget "${budget.name}" has ${formatUsd(over)} USD left of ${formatUsd(limitOf(account))} USD (${period.key}), and up to ${formatUsd(amount)} USD is needed: raise it or top it up (budget top-up ${budget.id}).`
}

/**
 * Those that count at that moment. `unknown`: the first that cannot be asked and refuses then (`onFailure`). A budget
 * cannot be asked where this host does not know its time zone. A failure of the database itself is no case of it: it
 * fails the whole transaction, with the run that asked, whatever the budget says.
 */
export function countingAt(
  budgets: readonly Budget[],
  at: EpochMs,
): { readonly budgets: readonly InPeriod[]; readonly unknown: Budget | undefined } {
  const counting: InPeriod[] = []
  let unknown: Budget | undefined
  for (const budget of budgets) {
    try {
      const period = periodAt(budget, at)
      if (period !== undefined) counting.push({ budget, period })
    } catch {
      if (budget.onFailure === 'closed' && budget.mode !== 'soft') unknown ??= budget
    }
  }
  return { budgets: counting, unknown }
}

/** Throws where the amount is none: a mistake of the program below zero, of who told of it above. */
export function checkAmount(nanos: Nanos): void {
  if (nanos < 0n) throw new RangeError(`An amount is never below zero: ${nanos}.`)
  if (nanos > AMOUNT_NANOS_MAX)
    throw new AppError('request.invalid', `An amount is at most ${formatUsd(AMOUNT_NANOS_MAX)} USD.`)
}

/** Throws where a period has counted more than can be counted safely. */
export function checkSum(balance: Balance): void {
  if (usedOf(balance) > SUM_NANOS_MAX)
    throw new AppError(
      'request.invalid',
      `A budget counts up to ${formatUsd(SUM_NANOS_MAX)} USD in a period.`,
    )
}
