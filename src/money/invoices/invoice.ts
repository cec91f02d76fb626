// Invoices: what they are made of, the states that they go through, and how long things take. Rules, no SQL.

import { AppError } from '../../base/errors.ts'
import type { BillingItemId, PlanId } from '../../base/ids.ts'
import type { JsonObject } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import type { InvoiceLineKind, InvoiceState, Metric } from '../../contract/money.ts'
import type { RowOf } from '../../storage/schema/tables.ts'
import type { Plan } from '../plans/plan.ts'

export type InvoiceRow = RowOf<'invoices'>
export type InvoiceLineRow = RowOf<'invoiceLines'>
export type BillingItem = RowOf<'billingItems'>
export type BillingAccount = RowOf<'billingAccounts'>

const DAY_MS = 86_400_000
/** How long a draft waits, so that usage which was being written when the period ended is in it. */
export const FINALISE_AFTER_MS = 3_600_000
/** From then on an invoice that is not paid is late, and its account in grace. */
export const DUE_AFTER_MS = 14 * DAY_MS
/** How long after it was due an invoice that is still not paid restricts its account. */
export const RESTRICT_AFTER_MS = 14 * DAY_MS

/** How much of a whole period it was, in milliseconds: 15 of 30 days is a half. */
export interface Share {
  readonly part: number
  readonly whole: number
}

/** What is paid in advance. */
export interface NextPeriod {
  readonly plan: Plan
  readonly seats: number
  readonly startsAt: EpochMs
  readonly endsAt: EpochMs
}

/** What an invoice is worked out from, beside the usage and the items that are open. */
export interface Basis {
  readonly currency: string
  readonly periodStart: EpochMs
  readonly periodEnd: EpochMs
  /** What the usage of the period is charged by; undefined where the period has no length: it opens the subscription. */
  readonly used: { readonly plan: Plan; readonly share: Share; readonly trial: boolean } | undefined
  /** Undefined where the subscription ends with the period. */
  readonly next: NextPeriod | undefined
}

export type UsageSums = Readonly<Partial<Record<Metric, bigint>>>

export interface InvoiceLine {
  readonly kind: InvoiceLineKind
  readonly metric: Metric | null
  readonly planId: PlanId | null
  readonly description: string
  readonly quantity: bigint | null
  readonly exactNanos: bigint
  readonly amountMinor: bigint
  /** How it was worked out; amounts are decimal texts. */
  readonly detail: JsonObject
  readonly fromAt: EpochMs | null
  readonly untilAt: EpochMs | null
}

/** What an invoice takes of an item. Of a credit it is what the invoice uses up; of the others all of it. */
export interface TakenItem {
  readonly id: BillingItemId
  readonly amountMinor: bigint
}

export interface DraftedInvoice {
  readonly lines: readonly InvoiceLine[]
  readonly subtotalMinor: bigint
  readonly creditMinor: bigint
  readonly totalMinor: bigint
  readonly taken: readonly TakenItem[]
  /** What would have been less than nothing: a new credit. Not negative. */
  readonly carriedMinor: bigint
}

/** What can be done with an invoice. */
export type InvoiceAction = 'finalise' | 'pay' | 'void' | 'uncollectible'

/** From which states. A void invoice stays as it is for ever, and a paid one where money was paid. */
const FROM: Readonly<Record<InvoiceAction, readonly InvoiceState[]>> = {
  finalise: ['draft'],
  pay: ['open', 'uncollectible'],
  void: ['draft', 'open', 'uncollectible'],
  uncollectible: ['open'],
}

const TO: Readonly<Record<InvoiceAction, string>> = {
  finalise: 'finalised',
  pay: 'paid',
  void: 'voided',
  uncollectible: 'given up as uncollectible',
}

/** Throws `invoice.state-conflict` where that cannot be done with an invoice in that state. */
export function checkAction(
  invoice: Pick<InvoiceRow, 'id' | 'state' | 'totalMinor'>,
  action: InvoiceAction,
): void {
  if (FROM[action].includes(invoice.state)) return
  if (action === 'void' && invoice.state === 'paid' && invoice.totalMinor === 0n) return
  throw new AppError(
    'invoice.state-conflict',
    `The invoice "${invoice.id}" is ${invoice.state}; only one that is ${FROM[action].join(' or ')} can be ${TO[action]}.`,
  )
}

/** The number that an account's invoice of that place has. */
export function numberText(place: number): string {
  return `INV-${String(place).padStart(6, '0')}`
}

/** What an account stands like: an invoice that is late asks for patience, one that is too late or given up restricts it. */
export function standingOf(
  late: { readonly firstDueAt: EpochMs | null; readonly givenUp: number },
  at: EpochMs,
): BillingAccount['standing'] {
  if (late.givenUp > 0) return 'restricted'
  if (late.firstDueAt === null || at < late.firstDueAt) return 'active'
  return at < late.firstDueAt + RESTRICT_AFTER_MS ? 'grace' : 'restricted'
}
