// What a run may still spend: its own money limit, and that of each run above it. One process drives the whole tree under
// one lease, so what is under way is accounted for in memory: it is set aside before it is spent, and never more than is left.

import { AppError } from '../../base/errors.ts'
import type { RunId } from '../../base/ids.ts'
import { formatUsd, type Nanos } from '../../base/money.ts'
import type { Interruption } from './interruption.ts'

/** The limit of one run, and what that run and all below it have used of it. */
export interface MoneyLimit {
  readonly runId: RunId
  readonly nanos: Nanos
  /** What is on record. */
  spent: Nanos
  /** What is under way and can cost so much, by who settles it. */
  readonly aside: Map<string, Aside>
  /** Something cost nobody knows how much: nothing more is spent under this limit. */
  unknown: boolean
  /** Those who wait for something to be settled. */
  readonly waiting: Set<() => void>
}

export interface Aside {
  readonly nanos: Nanos
  /** Settled by this process, soon; else an earlier one left it, and may have spent it. */
  readonly live: boolean
}

export interface Allowance {
  /** The limits that may not be passed, the run's own first. */
  readonly binding: readonly MoneyLimit[]
  /** The limits in which what is spent is counted. */
  readonly counting: readonly MoneyLimit[]
}

export const UNLIMITED: Allowance = { binding: [], counting: [] }

/** The allowance of a run with a limit of its own, below another. */
export function allowanceBelow(above: Allowance, own: MoneyLimit): Allowance {
  return { binding: [own, ...above.binding], counting: [own, ...above.counting] }
}

/** Bound by no limit; what it spends is counted still. */
export function unbound({ counting }: Allowance): Allowance {
  return { binding: [], counting }
}

export interface Ask {
  /** Who settles it. */
  readonly owner: string
  /** For people: what it is that costs. */
  readonly what: string
  /** The most that it can cost as it is wanted, and in the least form that is of use. Undefined: nobody knows. */
  readonly wantedNanos: Nanos | undefined
  readonly leastNanos: Nanos | undefined
}

export type Granted =
  | { readonly outcome: 'granted'; readonly nanos: Nanos }
  | { readonly outcome: 'refused'; readonly error: AppError }

/**
 * Sets aside what is wanted, or as much of it as is left where that is enough to be of use. Where something under way keeps
 * it out, it waits until that is settled: it may cost less than it can. Throws `Stopped` with the interruption.
 */
export async function setAside(allowance: Allowance, ask: Ask, interruption: Interruption): Promise<Granted> {
  const { owner, wantedNanos: wanted, leastNanos: least } = ask
  if (allowance.binding.length > 0 && (wanted === undefined || least === undefined))
    return { outcome: 'refused', error: unpriced(ask) }
  if (wanted === undefined || least === undefined) return { outcome: 'granted', nanos: 0n }
  for (;;) {
    const error = lostCost(allowance)
    if (error !== undefined) return { outcome: 'refused', error }
    const full = allowance.binding.find((limit) => wanted > leftOf(limit, owner) && isBusy(limit, owner))
    if (full === undefined) break
    await nextSettled(full, interruption)
    interruption.check()
  }
  // From here on nothing waits: what is found to be left is taken.
  const tightest = allowance.binding.toSorted((a, b) => (leftOf(a, owner) < leftOf(b, owner) ? -1 : 1))[0]
  const left = tightest === undefined ? wanted : leftOf(tightest, owner)
  const nanos = wanted < left ? wanted : left
  if (tightest !== undefined && wanted > 0n && nanos < least)
    return { outcome: 'refused', error: beyond(tightest, allowance, ask, least) }
  const granted = wanted === 0n ? 0n : nanos
  for (const limit of allowance.counting) limit.aside.set(owner, { nanos: granted, live: true })
  return { outcome: 'granted', nanos: granted }
}

/** What it really cost takes the place of what was set aside. Undefined: nobody knows. */
export function settle({ counting }: Allowance, owner: string, costNanos: Nanos | undefined): void {
  for (const limit of counting) {
    limit.aside.delete(owner)
    if (costNanos === undefined) limit.unknown = true
    else limit.spent += costNanos
    wake(limit)
  }
}

/** It was certainly not spent. */
export function giveBackAside({ counting }: Allowance, owner: string): void {
  for (const limit of counting) if (limit.aside.delete(owner)) wake(limit)
}

/** Why nothing more may be spent, whatever it costs; undefined where it may. */
export function lostCost({ binding }: Allowance): AppError | undefined {
  if (!binding.some(({ unknown }) => unknown)) return undefined
  return new AppError(
    'limit.money',
    'The run has a money limit, and the cost of an earlier model call is not known, so it may not go on.',
  )
}

/** What is not spent of the limit of this very run; undefined where it has none. */
export function unspent({ binding }: Allowance, runId: RunId): Nanos | undefined {
  const own = binding.find((limit) => limit.runId === runId)
  if (own === undefined) return undefined
  return own.nanos > own.spent ? own.nanos - own.spent : 0n
}

function leftOf({ nanos, spent, aside }: MoneyLimit, owner: string): Nanos {
  let left = nanos - spent
  for (const [other, { nanos: taken }] of aside) if (other !== owner) left -= taken
  return left
}

function isBusy({ aside }: MoneyLimit, owner: string): boolean {
  for (const [other, { live }] of aside) if (live && other !== owner) return true
  return false
}

function nextSettled({ waiting }: MoneyLimit, { resting }: Interruption): Promise<void> {
  if (resting.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      waiting.delete(done)
      resting.removeEventListener('abort', done)
      resolve()
    }
    waiting.add(done)
    resting.addEventListener('abort', done, { once: true })
  })
}

function wake({ waiting }: MoneyLimit): void {
  for (const done of [...waiting]) done()
}

function unpriced({ what }: Ask): AppError {
  return new AppError(
    'limit.money',
    `The run has a money limit (limits.max_cost_usd), and what ${what} costs is not known. Set a price for it, or take the limit away.`,
  )
}

function beyond(limit: MoneyLimit, { binding }: Allowance, { what }: Ask, needed: Nanos): AppError {
  const own = limit === binding[0]
  const whose = own ? 'The money limit' : `The money limit of the run ${limit.runId} above it`
  const aside = [...limit.aside.values()].reduce((sum, { nanos }) => sum + nanos, 0n)
  const underWay = aside === 0n ? '' : `, up to $${formatUsd(aside)} is under way`
  return new AppError(
    'limit.money',
    `${whose} is $${formatUsd(limit.nanos)} (limits.max_cost_usd): $${formatUsd(limit.spent)} is spent${underWay}, and ${what} needs up to $${formatUsd(needed)}.`,
  )
}
