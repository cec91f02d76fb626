// What becomes of a subscription when its period has ended: the next period, the plan that was to come, or its end. The
// closing of periods (invoices) calls it in the transaction that drafts the invoice.

import { AppError } from '../../base/errors.ts'
import type { EpochMs } from '../../base/time.ts'
import { appendAudit } from '../../events/append.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { keepConcurrency } from '../entitlements/plan-in-force.ts'
import type { Plan } from '../plans/plan.ts'
import { planOfId } from '../plans/plan-store.ts'
import { accountOrThrow } from './accounts.ts'
import { type Period, periodFrom } from './periods.ts'
import { accountOf, type SubscriptionRow, updateSubscription } from './subscription-store.ts'

/** What an invoice for the period that ended is made of. */
export interface Advance {
  /** What the usage of the period is charged by. Undefined where the period had no length: it opened the subscription. */
  readonly used:
    | {
        readonly plan: Plan
        /** Less than the whole where it was cancelled within the period, or the plan came within it. */
        readonly share: { readonly part: number; readonly whole: number }
        readonly trial: boolean
      }
    | undefined
  /** What is paid in advance. Undefined where it ends, and while it is paused. */
  readonly next: (Period & { readonly plan: Plan; readonly seats: number }) | undefined
  readonly after: SubscriptionRow
}

/**
 * Moves a subscription whose period has ended to what comes after it. Throws `subscription.state-conflict` where its
 * period has not ended by then, or where it changed since the row was read.
 */
export async function advanceSubscription(
  tx: TenantTransaction,
  subscription: SubscriptionRow,
  at: EpochMs,
): Promise<Advance> {
  if (subscription.state === 'cancelled' || subscription.periodEnd > at)
    throw conflict(`The period of the subscription "${subscription.id}" has not ended.`)
  const { timeZone } = accountOrThrow(await tx.first(accountOf, {}))
  const plan = await planOfId(tx, subscription.planId)
  const nextPlan = subscription.nextPlanId === null ? plan : await planOfId(tx, subscription.nextPlanId)
  const { used, next, after } = decide(subscription, { plan, nextPlan, timeZone, at })
  if ((await tx.run(updateSubscription, { ...after, revision: subscription.revision })) !== 1)
    throw conflict(`The subscription "${subscription.id}" was changed at the same time. Try again.`)
  await keepConcurrency(tx)
  await appendAudit(tx, {
    type: after.state === 'cancelled' ? 'subscription.cancelled' : 'subscription.renewed',
    actor: 'system',
    subject: subscription.id,
    data: {
      plan: after.planId,
      seats: after.seats,
      state: after.state,
      period_start: after.periodStart,
      period_end: after.periodEnd,
    },
    at,
  })
  return { used, next, after }
}

export interface AdvanceFacts {
  readonly plan: Plan
  readonly nextPlan: Plan
  readonly timeZone: string
  readonly at: EpochMs
}

/** What comes after the period, decided from plain data. */
export function decide(row: SubscriptionRow, facts: AdvanceFacts): Advance {
  const { plan, nextPlan, timeZone, at } = facts
  const used = usedBy(row, plan, timeZone)
  const revision = row.revision + 1
  if (row.cancelAtPeriodEnd === 1) {
    const after = {
      ...row,
      state: 'cancelled',
      nextPlanId: null,
      nextSeats: null,
      endedAt: row.periodEnd,
      revision,
      updatedAt: at,
    } as const
    return { used, next: undefined, after }
  }
  // Months and years are counted from different days.
  const anchorAt = nextPlan.interval === plan.interval ? row.anchorAt : row.periodEnd
  const period = periodFrom(row.periodEnd, anchorAt, nextPlan.interval, timeZone)
  const seats = row.nextSeats ?? row.seats
  const after: SubscriptionRow = {
    ...row,
    planId: nextPlan.id,
    seats,
    state: row.state === 'trialing' ? 'active' : row.state,
    anchorAt,
    periodStart: period.startsAt,
    periodEnd: period.endsAt,
    usageFrom: period.startsAt,
    nextPlanId: null,
    nextSeats: null,
    revision,
    updatedAt: at,
  }
  return { used, next: row.state === 'paused' ? undefined : { ...period, plan: nextPlan, seats }, after }
}

function usedBy(row: SubscriptionRow, plan: Plan, timeZone: string): Advance['used'] {
  const part = row.periodEnd - row.usageFrom
  if (part === 0) return undefined
  const trial = row.state === 'trialing'
  const lasted = row.periodEnd - row.periodStart
  if (trial || row.cancelAtPeriodEnd === 0) return { plan, share: { part, whole: lasted }, trial }
  // It may have been cancelled within the period, which would have gone on.
  const { startsAt, endsAt } = periodFrom(row.periodStart, row.anchorAt, plan.interval, timeZone)
  return { plan, share: { part, whole: Math.max(lasted, endsAt - startsAt) }, trial }
}

function conflict(message: string): AppError {
  return new AppError('subscription.state-conflict', message)
}
