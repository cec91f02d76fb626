// Usage told to Stripe's meters: each hour that is over, once, by the time at which it was accepted; and what is compared
// with what Stripe has summed up.

import { AppError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import { METRICS, type Metric } from '../../contract/money.ts'
import type { Database, TenantReader, TenantTransaction } from '../../storage/database.ts'
import { usageSums } from '../invoices/usage-sums.ts'
import { lockAccount } from '../subscriptions/subscription-store.ts'
import { accountsToMeter, setMeteredUntil } from './account-store.ts'
import { tellStripe, toldOfMeter } from './outbox-store.ts'
import type { StripeApi } from './stripe-api.ts'

export const HOUR_MS = 3_600_000
/** An hour counts as over so long after its end: what was being written then has been committed. */
const LAG_MS = 600_000
/** How many accounts one turn looks at, and how many hours of each. */
const ACCOUNTS_MAX = 100
const HOURS_MAX = 48
/** Stripe takes usage of the last 35 days; older is left out and shows when reconciling. */
const OLDEST_MS = 34 * 24 * HOUR_MS
/** Values of more than 15 digits are refused. */
const VALUE_MAX = 999_999_999_999_999n
/** After so long Stripe's sums have what it was told. */
const SUMMED_AFTER_MS = HOUR_MS
/** How long a time may be compared at once. */
export const RECONCILE_MS_MAX = 35 * 24 * HOUR_MS

/** The name of the meter in Stripe. */
export function meterName(metric: Metric): string {
  return `agent_factory_${metric}`
}

export function hourOf(at: EpochMs): EpochMs {
  return Math.floor(at / HOUR_MS) * HOUR_MS
}

/** Puts the hours that are over into the outbox. Several processes at once do no harm: each hour has one identifier. */
export async function gatherUsage(db: Database, at: EpochMs): Promise<void> {
  const until = hourOf(at - LAG_MS)
  const accounts = await db.system.read((reader) =>
    reader.all(accountsToMeter, { until, limit: ACCOUNTS_MAX }),
  )
  const failures: unknown[] = []
  for (const { tenantId } of accounts) {
    try {
      await db.tenant(tenantId).write((tx) => gatherHours(tx, until, at))
    } catch (error) {
      // The usage of the others is told all the same.
      failures.push(error)
    }
  }
  if (failures.length === 1) throw failures[0]
  if (failures.length > 1)
    throw new AggregateError(failures, `The usage of ${failures.length} accounts could not be gathered.`)
}

async function gatherHours(tx: TenantTransaction, until: EpochMs, at: EpochMs): Promise<void> {
  const account = await tx.first(lockAccount, {})
  if (account?.stripeCustomerId == null || account.meteredUntil === null) return
  let hour = Math.max(account.meteredUntil, hourOf(at - OLDEST_MS))
  for (let n = 0; n < HOURS_MAX && hour < until; n++, hour += HOUR_MS) {
    const sums = await usageSums(tx, { periodStart: hour, periodEnd: hour + HOUR_MS }, METRICS)
    for (const metric of METRICS)
      await tellUsage(tx, account.stripeCustomerId, metric, hour, sums[metric] ?? 0n, '', at)
  }
  await tx.run(setMeteredUntil, { until: hour })
}

async function tellUsage(
  tx: TenantTransaction,
  customerId: string,
  metric: Metric,
  hour: EpochMs,
  quantity: bigint,
  suffix: string,
  at: EpochMs,
): Promise<void> {
  let left = quantity
  for (let part = 0; left > 0n; part++) {
    const value = left > VALUE_MAX ? VALUE_MAX : left
    left -= value
    const identifier = `${identifierOf(tx.tenantId, metric, hour)}${suffix}${part === 0 ? '' : `-${part}`}`
    const payload = { eventName: meterName(metric), customerId, value: value.toString(), at: hour }
    await tellStripe(tx, 'meter_event', identifier, payload satisfies JsonObject, at)
  }
}

/** Sorts by time within a metric: those of a time are a range. */
function identifierOf(tenantId: string, metric: Metric, hour: EpochMs): string {
  return `${tenantId}-${metric}-${new Date(hour).toISOString().slice(0, 13)}`
}

export interface Reconciled {
  readonly metric: Metric
  /** By our own records. */
  readonly used: bigint
  /** What Stripe has taken by what we know. */
  readonly told: bigint
  /** What waits to be told, and what was refused or given up. */
  readonly pending: bigint
  readonly refused: bigint
  /** What Stripe sums up; undefined where it has no meter of that name. */
  readonly atStripe: number | undefined
}

/** Compares whole hours that are over. */
export async function reconcile(
  db: Database,
  stripe: StripeApi,
  account: { readonly customerId: string },
  from: EpochMs,
  until: EpochMs,
  readTenant: Parameters<Database['tenant']>[0],
): Promise<readonly Reconciled[]> {
  checkWindow(from, until)
  const results: Reconciled[] = []
  const tenant = db.tenant(readTenant)
  const sums = await tenant.read((reader) =>
    usageSums(reader, { periodStart: from, periodEnd: until }, METRICS),
  )
  for (const metric of METRICS) {
    const { told, pending, refused } = await tenant.read((reader) => toldOf(reader, metric, from, until))
    results.push({
      metric,
      used: sums[metric] ?? 0n,
      told,
      pending,
      refused,
      atStripe: await stripe.meterSum(meterName(metric), account.customerId, from, until),
    })
  }
  return results
}

/** What was told of whole hours; `fresh` is what of it was told after `since`. */
async function toldOf(
  reader: TenantReader,
  metric: Metric,
  from: EpochMs,
  until: EpochMs,
  since: EpochMs = Number.MAX_SAFE_INTEGER,
): Promise<{
  readonly told: bigint
  readonly pending: bigint
  readonly refused: bigint
  readonly fresh: bigint
}> {
  const range = {
    prefix: identifierOf(reader.tenantId, metric, from),
    until: identifierOf(reader.tenantId, metric, until),
  }
  const rows = await reader.all(toldOfMeter, range)
  const sum = (which: (row: (typeof rows)[number]) => boolean): bigint =>
    rows
      .filter(which)
      .reduce((total, { payload }) => total + BigInt((JSON.parse(payload) as { value: string }).value), 0n)
  return {
    told: sum(({ state }) => state === 'sent'),
    pending: sum(({ state }) => state === 'pending'),
    refused: sum(({ state }) => state === 'refused' || state === 'dead'),
    fresh: sum(({ state, sentAt }) => state === 'sent' && (sentAt ?? 0) > since),
  }
}

/**
 * Tells what is missing at Stripe of a time, at its last hour, under an identifier of its own. Answers how much of what.
 * Stripe sums up with a delay: what was told of late counts as there, so that nothing is told twice. What was told is read
 * here again, with the account held, for another may correct the same.
 */
export async function correct(
  tx: TenantTransaction,
  customerId: string,
  results: readonly Reconciled[],
  { from, until, at }: { readonly from: EpochMs; readonly until: EpochMs; readonly at: EpochMs },
): Promise<readonly { readonly metric: Metric; readonly quantity: bigint }[]> {
  await tx.first(lockAccount, {})
  const missing: { readonly metric: Metric; readonly quantity: bigint }[] = []
  for (const { metric, used, atStripe } of results) {
    if (atStripe === undefined) continue
    const { pending, fresh } = await toldOf(tx, metric, from, until, at - SUMMED_AFTER_MS)
    const quantity = used - pending - fresh - BigInt(Math.round(atStripe))
    if (quantity <= 0n) continue
    await tellUsage(tx, customerId, metric, until - HOUR_MS, quantity, `-fix${at}`, at)
    missing.push({ metric, quantity })
  }
  return missing
}

function checkWindow(from: EpochMs, until: EpochMs): void {
  if (from % HOUR_MS === 0 && until % HOUR_MS === 0 && from < until && until - from <= RECONCILE_MS_MAX)
    return
  throw new AppError(
    'request.invalid',
    'Compare whole hours in UTC, "from" before "to", at most 35 days apart.',
  )
}
