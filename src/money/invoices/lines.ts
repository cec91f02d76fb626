// The lines of an invoice, worked out from plain data: the same facts give the same lines, in whatever order they came.

import { formatMinor, formatUnitNanos, nanosPerMinor } from '../../base/currency.ts'
import type { JsonObject } from '../../base/json.ts'
import { METRICS, type Metric } from '../../contract/money.ts'
import { chargeFor } from '../plans/overage.ts'
import { basePrice, overageFor, type Plan } from '../plans/plan.ts'
import type {
  Basis,
  BillingItem,
  DraftedInvoice,
  InvoiceLine,
  NextPeriod,
  Share,
  UsageSums,
} from './invoice.ts'
import { roundLines, sum } from './rounding.ts'

/** What is known of a line before it is rounded. */
type ExactLine = Omit<InvoiceLine, 'amountMinor'>

type OpenItem = Pick<
  BillingItem,
  'id' | 'kind' | 'currency' | 'remainingMinor' | 'description' | 'expiresAt' | 'createdAt'
>

/**
 * The invoice of a period: the base price of the next period, the usage of this one above what is included, prorations
 * and adjustments; then credits, those that expire first, then the oldest. It never asks for less than nothing: a
 * negative rest becomes a new credit.
 */
export function draftInvoice(basis: Basis, usage: UsageSums, items: readonly OpenItem[]): DraftedInvoice {
  const { currency } = basis
  const open = items.filter((item) => item.currency === currency && item.remainingMinor !== 0n)
  const changes = [...open].filter(({ kind }) => kind !== 'credit').sort(byKindAndAge)
  const exact = [
    ...(basis.next === undefined ? [] : baseLine(basis.next)),
    ...(basis.used === undefined ? [] : usageLines(basis, usage)),
    ...changes.map(changeLine),
  ]
  const rounded = roundLines(
    exact.map(({ exactNanos }) => exactNanos),
    currency,
  )
  const charged = exact.map((line, index) => ({ ...line, amountMinor: rounded[index] ?? 0n }))
  const rest = sum(rounded)
  const carriedMinor = rest < 0n ? -rest : 0n
  const lines = carriedMinor > 0n ? [...charged, carriedLine(carriedMinor, currency)] : charged
  const subtotalMinor = rest + carriedMinor
  const credits = creditLines(open, subtotalMinor, basis)
  const creditMinor = -sum(credits.map(({ line }) => line.amountMinor))
  return {
    lines: [...lines, ...credits.map(({ line }) => line)],
    subtotalMinor,
    creditMinor,
    totalMinor: subtotalMinor - creditMinor,
    taken: [
      ...changes.map(({ id, remainingMinor }) => ({ id, amountMinor: remainingMinor })),
      ...credits.map(({ item, line }) => ({ id: item.id, amountMinor: -line.amountMinor })),
    ],
    carriedMinor,
  }
}

/** The included amount of a part of a period, rounded up to a whole unit. */
export function includedIn(included: bigint, { part, whole }: Share): bigint {
  if (part >= whole) return included
  const parts = BigInt(whole)
  return (included * BigInt(Math.max(0, part)) + parts - 1n) / parts
}

/** A metric has a line where the plan includes it or charges for it, also where nothing was used. */
export function chargedMetrics(plan: Pick<Plan, 'included' | 'overage'>): readonly Metric[] {
  return METRICS.filter(
    (metric) => plan.included[metric] !== undefined || overageFor(plan, metric) !== undefined,
  )
}

function baseLine({ plan, seats, startsAt, endsAt }: NextPeriod): readonly ExactLine[] {
  const amount = basePrice(plan, seats)
  if (amount === 0n) return []
  const each = formatMinor(plan.baseMinor, plan.currency)
  return [
    {
      kind: 'base',
      metric: null,
      planId: plan.id,
      description: plan.perSeat ? `${plan.name}: ${seats} seats at ${each}` : plan.name,
      quantity: plan.perSeat ? BigInt(seats) : null,
      exactNanos: amount * nanosPerMinor(plan.currency),
      detail: { plan: plan.key, version: plan.version, base: each, seats: plan.perSeat ? seats : null },
      fromAt: startsAt,
      untilAt: endsAt,
    },
  ]
}

function usageLines({ used, periodStart, periodEnd }: Basis, usage: UsageSums): readonly ExactLine[] {
  if (used === undefined) return []
  const { plan, share, trial } = used
  return chargedMetrics(plan).map((metric) => {
    const quantity = usage[metric] ?? 0n
    const { exactNanos, detail } = usageCharge(plan, metric, quantity, { share, trial })
    return {
      kind: 'usage',
      metric,
      planId: plan.id,
      description: METRIC_WORDS[metric],
      quantity,
      exactNanos,
      detail: { plan: plan.key, version: plan.version, ...detail },
      fromAt: periodStart,
      untilAt: periodEnd,
    }
  })
}

const METRIC_WORDS: Readonly<Record<Metric, string>> = {
  agent_run: 'Agent runs',
  workflow_run: 'Workflow runs',
  token: 'Tokens',
  tool_call: 'Tool calls',
  blueprint_install: 'Blueprint installs',
  storage: 'Storage',
}

function usageCharge(
  plan: Plan,
  metric: Metric,
  quantity: bigint,
  { share, trial }: { readonly share: Share; readonly trial: boolean },
): { readonly exactNanos: bigint; readonly detail: JsonObject } {
  const overage = overageFor(plan, metric)
  const included = includedIn(plan.included[metric] ?? 0n, share)
  const above = quantity > included ? quantity - included : 0n
  const facts: JsonObject = {
    included: included.toString(),
    above: above.toString(),
    ...(share.part < share.whole ? { part_of_period: { part_ms: share.part, whole_ms: share.whole } } : {}),
  }
  if (trial) return { exactNanos: 0n, detail: { ...facts, model: 'trial', parts: [] } }
  if (overage === undefined) return { exactNanos: 0n, detail: { ...facts, model: 'not_charged', parts: [] } }
  const { exactNanos, detail } = chargeFor(overage, above)
  const parts = detail.parts.map((part) => ({
    quantity: part.quantity.toString(),
    unit_price: formatUnitNanos(part.unitNanos),
    flat: formatUnitNanos(part.flatNanos),
    amount: formatUnitNanos(part.amountNanos),
  }))
  const packages = overage.model === 'package' ? { package_size: overage.packageSize.toString() } : {}
  return { exactNanos, detail: { ...facts, model: detail.model, ...packages, parts } }
}

function changeLine(item: OpenItem): ExactLine {
  return {
    kind: item.kind === 'proration' ? 'proration' : 'adjustment',
    metric: null,
    planId: null,
    description: item.description,
    quantity: null,
    exactNanos: item.remainingMinor * nanosPerMinor(item.currency),
    detail: { item_id: item.id },
    fromAt: null,
    untilAt: null,
  }
}

function carriedLine(amountMinor: bigint, currency: string): InvoiceLine {
  return {
    kind: 'adjustment',
    metric: null,
    planId: null,
    description: 'Carried over to later invoices as a credit',
    quantity: null,
    exactNanos: amountMinor * nanosPerMinor(currency),
    amountMinor,
    detail: { carried: formatMinor(amountMinor, currency) },
    fromAt: null,
    untilAt: null,
  }
}

interface UsedCredit {
  readonly item: OpenItem
  readonly line: InvoiceLine
}

function creditLines(open: readonly OpenItem[], asked: bigint, basis: Basis): readonly UsedCredit[] {
  const { currency, periodEnd } = basis
  const credits = open
    .filter(({ kind, expiresAt }) => kind === 'credit' && (expiresAt === null || expiresAt > periodEnd))
    .sort(byExpiryAndAge)
  const used: UsedCredit[] = []
  let rest = asked
  for (const item of credits) {
    if (rest <= 0n) break
    const amount = item.remainingMinor < rest ? item.remainingMinor : rest
    rest -= amount
    used.push({ item, line: creditLine(item, amount, currency) })
  }
  return used
}

function creditLine(item: OpenItem, amount: bigint, currency: string): InvoiceLine {
  const left = formatMinor(item.remainingMinor - amount, currency)
  return {
    kind: 'credit',
    metric: null,
    planId: null,
    description: item.description,
    quantity: null,
    exactNanos: -amount * nanosPerMinor(currency),
    amountMinor: -amount,
    detail: { item_id: item.id, before: formatMinor(item.remainingMinor, currency), left },
    fromAt: null,
    untilAt: null,
  }
}

function byKindAndAge(a: OpenItem, b: OpenItem): number {
  if (a.kind !== b.kind) return a.kind === 'proration' ? -1 : 1
  return byAge(a, b)
}

function byExpiryAndAge(a: OpenItem, b: OpenItem): number {
  if (a.expiresAt === b.expiresAt) return byAge(a, b)
  if (a.expiresAt === null) return 1
  return b.expiresAt === null ? -1 : a.expiresAt - b.expiresAt
}

function byAge(a: OpenItem, b: OpenItem): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)
}
