import { formatMinor, formatUnitNanos, nanosPerMinor } from '../../base/currency.ts'
import { formatTime } from '../../base/time.ts'
import type { OverageInput, PlanResource } from '../../contract/plan.ts'
import type {
  BillingAccountResource,
  EntitlementsResource,
  SubscriptionResource,
  UsageSummaryResource,
} from '../../contract/subscription.ts'
import type { EntitlementsOf } from '../../money/entitlements/entitlements.ts'
import type { Overage, Plan, Tier } from '../../money/plans/plan.ts'
import type { AccountRow } from '../../money/subscriptions/subscription-store.ts'
import type { Subscription } from '../../money/subscriptions/subscriptions.ts'
import type { UsageSummary } from '../../money/subscriptions/usage-summary.ts'
import { timeOrNull } from './time-view.ts'

export function planView(plan: Plan): PlanResource {
  const { id, key, version, name, description, currency, interval, perSeat, trialDays, state } = plan
  return {
    id,
    key,
    version,
    name,
    description,
    currency,
    interval,
    basePrice: formatMinor(plan.baseMinor, currency),
    perSeat,
    trialDays,
    included: Object.fromEntries(
      Object.entries(plan.included).map(([metric, quantity]) => [metric, Number(quantity)]),
    ),
    overage: plan.overage.map((overage) => overageView(overage, currency)),
    features: [...plan.features],
    limits: plan.limits,
    stripePriceId: plan.stripePriceId,
    state,
    createdAt: formatTime(plan.createdAt),
  }
}

function overageView(overage: Overage, currency: string): OverageInput {
  const { metric } = overage
  switch (overage.model) {
    case 'per_unit':
      return { metric, model: 'per_unit', unitPrice: formatUnitNanos(overage.unitNanos) }
    case 'package':
      return {
        metric,
        model: 'package',
        packageSize: Number(overage.packageSize),
        packagePrice: price(overage.packageNanos, currency),
      }
    case 'graduated':
    case 'volume':
      return { metric, model: overage.model, tiers: overage.tiers.map((tier) => tierView(tier, currency)) }
    default:
      return overage satisfies never
  }
}

function tierView({ upTo, unitNanos, flatNanos }: Tier, currency: string) {
  return {
    upTo: upTo === null ? null : Number(upTo),
    unitPrice: formatUnitNanos(unitNanos),
    ...(flatNanos === 0n ? {} : { flatPrice: price(flatNanos, currency) }),
  }
}

/** Of an amount that has no more decimals than the currency. */
function price(nanos: bigint, currency: string): string {
  return formatMinor(nanos / nanosPerMinor(currency), currency)
}

export function accountView(account: AccountRow): BillingAccountResource {
  const { name, email, currency, timeZone, collection, standing } = account
  return {
    name,
    email,
    currency,
    timeZone,
    collection,
    standing,
    standingSince: formatTime(account.standingSince),
    createdAt: formatTime(account.createdAt),
    updatedAt: formatTime(account.updatedAt),
  }
}

export function subscriptionView({ row, plan, nextPlan }: Subscription): SubscriptionResource {
  return {
    id: row.id,
    plan: shortView(plan),
    seats: row.seats,
    state: row.state,
    periodStart: formatTime(row.periodStart),
    periodEnd: formatTime(row.periodEnd),
    trialEndsAt: timeOrNull(row.trialEndsAt),
    cancelAtPeriodEnd: row.cancelAtPeriodEnd === 1,
    nextPlan: nextPlan && shortView(nextPlan),
    nextSeats: row.nextSeats,
    pausedAt: timeOrNull(row.pausedAt),
    endedAt: timeOrNull(row.endedAt),
    revision: row.revision,
    createdBy: row.createdBy,
    createdAt: formatTime(row.createdAt),
    updatedAt: formatTime(row.updatedAt),
  }
}

export function entitlementsView(found: EntitlementsOf): EntitlementsResource {
  const { limits } = found
  return {
    plan: found.plan === undefined ? null : shortView(found.plan),
    subscriptionState: found.subscriptionState ?? null,
    standing: found.standing,
    acceptsRuns: found.refusal === undefined,
    features: [...found.features],
    limits: {
      runsPerMinute: limits.runs_per_minute,
      maxConcurrentJobs: limits.max_concurrent_jobs,
      seats: limits.seats,
      retentionDays: limits.retention_days,
    },
  }
}

export function usageView({ period, metrics }: UsageSummary): UsageSummaryResource {
  return {
    periodStart: formatTime(period.startsAt),
    periodEnd: formatTime(period.endsAt),
    metrics: metrics.map(({ metric, quantity, included, left, projected }) => ({
      metric,
      quantity: Number(quantity),
      included: included === undefined ? null : Number(included),
      left: left === undefined ? null : Number(left),
      projected: Number(projected),
    })),
  }
}

function shortView({ id, key, version, name }: Plan) {
  return { id, key, version, name }
}
