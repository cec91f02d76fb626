// How much of each metric a tenant used in a period, what of it the plan includes, and what it comes to.

import { Temporal } from 'temporal-polyfill'
import { AppError } from '../../base/errors.ts'
import type { TenantId } from '../../base/ids.ts'
import type { Clock, EpochMs } from '../../base/time.ts'
import { METRICS, type Metric, type UsageKind } from '../../contract/money.ts'
import type { Database, TenantReader } from '../../storage/database.ts'
import { planInForce } from '../entitlements/plan-in-force.ts'
import type { Plan } from '../plans/plan.ts'
import { sumsByKind } from '../usage/ingest-store.ts'
import { type Period, periodFrom } from './periods.ts'

export interface UsageSummary {
  readonly period: Period
  readonly metrics: readonly MetricUsage[]
}

export interface MetricUsage {
  readonly metric: Metric
  readonly quantity: bigint
  /** Undefined without a plan. */
  readonly included: bigint | undefined
  /** What of the included amount is left; not negative. */
  readonly left: bigint | undefined
  /** What it is at the end of the period if it goes on like this. */
  readonly projected: bigint
}

export interface AskedUsage {
  readonly from?: EpochMs | undefined
  readonly until?: EpochMs | undefined
  readonly metric?: Metric | undefined
}

/**
 * The usage that was accepted in the period: that of the subscription, else the month in UTC. With `from` or `until` it is
 * that time, and nothing is said of what is included. Throws `request.invalid` where that time has no length.
 */
export async function usageSummary(
  { db, clock }: { readonly db: Database; readonly clock: Clock },
  tenantId: TenantId,
  asked: AskedUsage,
): Promise<UsageSummary> {
  const at = clock()
  return db.tenant(tenantId).read(async (reader) => {
    const { period, plan } = await periodOf(reader, asked, at)
    const rows = await reader.all(sumsByKind, { from: period.startsAt, until: period.endsAt })
    const sums = byMetric(rows.map(({ kind, quantity }) => [kind, BigInt(quantity)]))
    const metrics = METRICS.filter((metric) => asked.metric === undefined || asked.metric === metric)
    return {
      period,
      metrics: metrics.map((metric) => usageOf(metric, sums.get(metric) ?? 0n, { period, plan, at })),
    }
  })
}

/** What a plan counts: tokens are those of model calls and those that were told. */
export function byMetric(sums: readonly (readonly [UsageKind, bigint])[]): ReadonlyMap<Metric, bigint> {
  const metrics = new Map<Metric, bigint>()
  for (const [kind, quantity] of sums) {
    const metric = kind === 'model_call' ? 'token' : kind
    metrics.set(metric, (metrics.get(metric) ?? 0n) + quantity)
  }
  return metrics
}

async function periodOf(
  reader: TenantReader,
  { from, until }: AskedUsage,
  at: EpochMs,
): Promise<{ readonly period: Period; readonly plan: Plan | undefined }> {
  const { account, subscription, holds } = await planInForce(reader)
  const current = currentPeriod(
    at,
    subscription,
    holds.kind === 'plan' ? holds.plan : undefined,
    account?.timeZone,
  )
  if (from === undefined && until === undefined) return current
  const period = { startsAt: from ?? current.period.startsAt, endsAt: until ?? Math.max(at, from ?? 0) }
  if (period.endsAt <= period.startsAt) {
    throw new AppError('request.invalid', 'The time asked for has no length; see errors.', {
      errors: [{ path: '/until', message: 'Must be later than "from".' }],
    })
  }
  return { period, plan: undefined }
}

function currentPeriod(
  at: EpochMs,
  subscription: Awaited<ReturnType<typeof planInForce>>['subscription'],
  plan: Plan | undefined,
  timeZone = 'UTC',
): { readonly period: Period; readonly plan: Plan | undefined } {
  if (subscription === undefined || plan === undefined || subscription.state === 'cancelled')
    return { period: monthOf(at, timeZone), plan }
  const { periodStart, periodEnd, anchorAt } = subscription
  // Before it is opened, the period that comes.
  if (periodStart === periodEnd)
    return { period: periodFrom(periodEnd, anchorAt, plan.interval, timeZone), plan }
  return { period: { startsAt: periodStart, endsAt: periodEnd }, plan }
}

function monthOf(at: EpochMs, timeZone: string): Period {
  const start = Temporal.Instant.fromEpochMilliseconds(at)
    .toZonedDateTimeISO(timeZone)
    .with({ day: 1 })
    .startOfDay()
  return { startsAt: start.epochMilliseconds, endsAt: start.add({ months: 1 }).epochMilliseconds }
}

function usageOf(
  metric: Metric,
  quantity: bigint,
  { period, plan, at }: { readonly period: Period; readonly plan: Plan | undefined; readonly at: EpochMs },
): MetricUsage {
  const included = plan && (plan.included[metric] ?? 0n)
  const left = included === undefined ? undefined : quantity < included ? included - quantity : 0n
  return { metric, quantity, included, left, projected: projectedOf(quantity, period, at) }
}

function projectedOf(quantity: bigint, { startsAt, endsAt }: Period, at: EpochMs): bigint {
  const passed = BigInt(Math.min(at, endsAt) - startsAt)
  return passed <= 0n ? quantity : (quantity * BigInt(endsAt - startsAt)) / passed
}
