// What a change, a cancellation, a pause and a resumption make of a subscription: decided from plain data, no SQL.

import { formatMinor } from '../../base/currency.ts'
import { AppError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import type { AuditEventType } from '../../contract/event.ts'
import type { CancelSubscription } from '../../contract/subscription.ts'
import { basePrice, type Plan } from '../plans/plan.ts'
import type { Period } from './periods.ts'
import { portion, shareOf } from './proration.ts'
import type { SubscriptionRow } from './subscription-store.ts'

const DAY_MS = 86_400_000

export interface StepFacts {
  readonly row: SubscriptionRow
  readonly plan: Plan
  readonly at: EpochMs
}

/** For the next invoice. */
export interface NewItem {
  readonly kind: 'credit' | 'proration'
  /** Tells the items of one step apart. */
  readonly part: 'unused' | 'rest' | 'surplus'
  readonly currency: string
  readonly amountMinor: bigint
  readonly description: string
  readonly detail: JsonObject
}

export interface Step {
  readonly after: SubscriptionRow
  readonly items: readonly NewItem[]
  readonly event: AuditEventType
}

interface Wanted {
  readonly plan: Plan
  readonly seats: number
  readonly when: 'now' | 'period_end' | undefined
}

/** Another plan or other seats: what costs more at once, what costs less from the next period on, unless `when` says so. */
export function changed(facts: StepFacts, { plan, seats, when }: Wanted): Step {
  const { row } = facts
  checkOpen(facts)
  if (row.state === 'paused') throw conflict('The subscription is paused: resume it first.')
  if (row.cancelAtPeriodEnd === 1)
    throw conflict('The subscription ends with its period: resume it first, then change it.')
  const old = basePrice(facts.plan, row.seats)
  const price = basePrice(plan, seats)
  const sameInterval = plan.interval === facts.plan.interval
  const begun = row.state !== 'trialing' && row.periodEnd > row.periodStart
  if (when === 'now' && begun && !sameInterval) {
    const message = 'A plan that is paid by another interval begins with the next period: use "period_end".'
    throw new AppError('request.invalid', message, { errors: [{ path: '/when', message }] })
  }
  const now = when === 'now' || (when === undefined && (!begun || (sameInterval && price >= old)))
  if (!now) {
    const after = { ...row, nextPlanId: plan.id, nextSeats: seats }
    return { after, items: [], event: 'subscription.changed' }
  }
  // What was used until now is the old plan's to charge: else a change before the end would change what it cost.
  const usageFrom = begun && plan.id !== row.planId ? facts.at : row.usageFrom
  const trial = row.state === 'trialing' ? trialWith(facts, plan) : {}
  const after = { ...row, ...trial, planId: plan.id, seats, usageFrom, nextPlanId: null, nextSeats: null }
  // Nothing was paid for a trial, nor before the first period has begun.
  const items = begun ? prorations(facts, { plan, old, price, label: labelOf(plan, seats) }) : []
  return { after, items, event: 'subscription.changed' }
}

/** A trial is as long as that of the plan: one whose trial is shorter, or that has none, ends it sooner. */
function trialWith({ row, at }: StepFacts, plan: Plan): Partial<SubscriptionRow> {
  const most = Math.max(at, row.periodStart + plan.trialDays * DAY_MS)
  const periodEnd = Math.min(row.periodEnd, most)
  // Periods are counted from where it ends.
  return { periodEnd, trialEndsAt: periodEnd, anchorAt: periodEnd }
}

/** At the end of the period, or now: then the period ends now, and its usage is invoiced. */
export function cancelled(facts: StepFacts, { when = 'period_end', creditUnused }: CancelSubscription): Step {
  const { row, plan, at } = facts
  checkOpen(facts)
  const after = { ...row, cancelAtPeriodEnd: 1, nextPlanId: null, nextSeats: null }
  if (when === 'period_end') {
    if (creditUnused === true) {
      const message = 'Only with "now": a period that is used to its end leaves nothing unused.'
      throw new AppError('request.invalid', message, { errors: [{ path: '/credit_unused', message }] })
    }
    if (row.cancelAtPeriodEnd === 1) throw conflict('The subscription ends with its period already.')
    checkBegun(row)
    return { after, items: [], event: 'subscription.cancelled' }
  }
  const unused = creditUnused === true && wasPaid(row) ? unusedOf(facts, basePrice(plan, row.seats)) : 0n
  const credit: NewItem = {
    kind: 'credit',
    part: 'surplus',
    currency: plan.currency,
    amountMinor: unused,
    description: `Unused time of ${labelOf(plan, row.seats)}`,
    detail: detailOf(facts, basePrice(plan, row.seats)),
  }
  return {
    after: { ...after, periodEnd: Math.min(row.periodEnd, Math.max(at, row.periodStart)) },
    items: unused > 0n ? [credit] : [],
    event: 'subscription.cancelled',
  }
}

/** No new runs and no base price from the next period on; what was paid for stays paid. */
export function paused(facts: StepFacts): Step {
  const { row, at } = facts
  checkOpen(facts)
  if (row.state === 'paused') throw conflict('The subscription is paused already.')
  if (row.state === 'trialing') throw conflict('A trial cannot be paused; cancel it, or wait until it ends.')
  checkBegun(row)
  return { after: { ...row, state: 'paused', pausedAt: at }, items: [], event: 'subscription.paused' }
}

/** Ends a pause: a period that began during it was not paid, so its rest is. Else takes back a cancellation. */
export function resumed(facts: StepFacts): Step {
  const { row, plan } = facts
  checkOpen(facts)
  const event = 'subscription.resumed'
  if (row.state !== 'paused') {
    if (row.cancelAtPeriodEnd === 0) throw conflict('The subscription is neither paused nor about to end.')
    return { after: { ...row, cancelAtPeriodEnd: 0 }, items: [], event }
  }
  const price = basePrice(plan, row.seats)
  const rest = wasPaid(row) ? 0n : unusedOf(facts, price)
  const charge: NewItem = {
    kind: 'proration',
    part: 'rest',
    currency: plan.currency,
    amountMinor: rest,
    description: `Rest of the period with ${labelOf(plan, row.seats)}`,
    detail: detailOf(facts, price),
  }
  return {
    after: { ...row, state: 'active', pausedAt: null },
    items: rest > 0n ? [charge] : [],
    event,
  }
}

/** The old price back and the new one for the rest of the period; where that is less than nothing, one credit. */
function prorations(
  facts: StepFacts,
  to: { readonly plan: Plan; readonly old: bigint; readonly price: bigint; readonly label: string },
): readonly NewItem[] {
  const { row, plan } = facts
  const unused = unusedOf(facts, to.old)
  const rest = unusedOf(facts, to.price)
  const { currency } = plan
  const from = labelOf(plan, row.seats)
  if (rest < unused) {
    return [
      {
        kind: 'credit',
        part: 'surplus',
        currency,
        amountMinor: unused - rest,
        description: `Change from ${from} to ${to.label}`,
        detail: { unused: detailOf(facts, to.old), rest: detailOf(facts, to.price) },
      },
    ]
  }
  const items: readonly NewItem[] = [
    {
      kind: 'proration',
      part: 'unused',
      currency,
      amountMinor: -unused,
      description: `Unused time of ${from}`,
      detail: detailOf(facts, to.old),
    },
    {
      kind: 'proration',
      part: 'rest',
      currency,
      amountMinor: rest,
      description: `Rest of the period with ${to.label}`,
      detail: detailOf(facts, to.price),
    },
  ]
  return items.filter(({ amountMinor }) => amountMinor !== 0n)
}

/** What the rest of the period costs of that price. */
function unusedOf(facts: StepFacts, price: bigint): bigint {
  return portion(price, periodOf(facts), facts.at, facts.row.periodEnd)
}

function detailOf(facts: StepFacts, price: bigint): JsonObject {
  const { part, whole } = shareOf(periodOf(facts), facts.at, facts.row.periodEnd)
  return { price: formatMinor(price, facts.plan.currency), part_ms: part, whole_ms: whole }
}

function periodOf({ row }: StepFacts): Period {
  return { startsAt: row.periodStart, endsAt: row.periodEnd }
}

/** Whether the base price of the current period was charged. */
function wasPaid(row: SubscriptionRow): boolean {
  if (row.state === 'trialing' || row.periodEnd === row.periodStart) return false
  return row.pausedAt === null || row.pausedAt >= row.periodStart
}

function checkOpen({ row, at }: StepFacts): void {
  if (row.state === 'cancelled') throw conflict('The subscription has ended; make another.')
  const isOpening = row.periodEnd === row.periodStart && row.cancelAtPeriodEnd === 0
  if (row.periodEnd <= at && !isOpening)
    throw conflict(
      'The period of the subscription has just ended and is being closed. Try again in a minute.',
    )
}

function checkBegun(row: SubscriptionRow): void {
  if (row.periodEnd === row.periodStart)
    throw conflict('The subscription is being opened. Try again in a minute, or cancel it now.')
}

function labelOf(plan: Plan, seats: number): string {
  return plan.perSeat ? `${plan.name} (${seats} seat${seats === 1 ? '' : 's'})` : plan.name
}

function conflict(message: string): AppError {
  return new AppError('subscription.state-conflict', message)
}
