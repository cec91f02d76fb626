// Drafts: an invoice is worked out from its basis, the usage of its period and the open items of its account, and
// written with its lines. A draft takes nothing yet; it is worked out anew when it is finalised.

import type { InvoiceId, PlanId, SubscriptionId } from '../../base/ids.ts'
import { newId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { TenantReader, TenantTransaction } from '../../storage/database.ts'
import { planOfId } from '../plans/plan-store.ts'
import type { Basis, DraftedInvoice, InvoiceLine, InvoiceRow } from './invoice.ts'
import { deleteLines, insertInvoice, insertLine, openItems } from './invoice-store.ts'
import { chargedMetrics, draftInvoice } from './lines.ts'
import { usageSums } from './usage-sums.ts'

/** What `invoices.basis` holds beside the columns. */
interface StoredBasis {
  readonly used: {
    readonly plan_id: PlanId
    readonly part: number
    readonly whole: number
    readonly trial: boolean
  } | null
  readonly next: {
    readonly plan_id: PlanId
    readonly seats: number
    readonly starts_at: EpochMs
    readonly ends_at: EpochMs
  } | null
}

/** Works the invoice out from what the database says now. */
export async function workOut(reader: TenantReader, basis: Basis): Promise<DraftedInvoice> {
  const metrics = basis.used === undefined ? [] : chargedMetrics(basis.used.plan)
  const usage = await usageSums(reader, basis, metrics)
  return draftInvoice(basis, usage, await reader.all(openItems, {}))
}

/** Writes a draft, unless the period has an invoice or it would have no line; answers its id where it was written. */
export async function writeDraft(
  tx: TenantTransaction,
  subscriptionId: SubscriptionId,
  basis: Basis,
  at: EpochMs,
): Promise<{ readonly id: InvoiceId; readonly drafted: DraftedInvoice } | undefined> {
  const drafted = await workOut(tx, basis)
  if (drafted.lines.length === 0) return undefined
  const id = newId('invoice', at)
  const written = await tx.run(insertInvoice, {
    id,
    number: null,
    subscriptionId,
    state: 'draft',
    currency: basis.currency,
    periodStart: basis.periodStart,
    periodEnd: basis.periodEnd,
    basis: JSON.stringify(storedBasis(basis)),
    subtotalMinor: drafted.subtotalMinor,
    creditMinor: drafted.creditMinor,
    totalMinor: drafted.totalMinor,
    dueAt: null,
    finalisedAt: null,
    paidAt: null,
    voidedAt: null,
    note: null,
    stripeInvoiceId: null,
    createdAt: at,
    updatedAt: at,
  })
  if (written !== 1) return undefined
  await writeLines(tx, id, drafted.lines)
  return { id, drafted }
}

export async function rewriteLines(
  tx: TenantTransaction,
  id: InvoiceId,
  lines: readonly InvoiceLine[],
): Promise<void> {
  await tx.run(deleteLines, { id })
  await writeLines(tx, id, lines)
}

/** What the invoice was drafted from: its plans never change. */
export async function basisOf(reader: TenantReader, row: InvoiceRow): Promise<Basis> {
  const { used, next } = JSON.parse(row.basis) as StoredBasis
  return {
    currency: row.currency,
    periodStart: row.periodStart,
    periodEnd: row.periodEnd,
    used:
      used === null
        ? undefined
        : {
            plan: await planOfId(reader, used.plan_id),
            share: { part: used.part, whole: used.whole },
            trial: used.trial,
          },
    next:
      next === null
        ? undefined
        : {
            plan: await planOfId(reader, next.plan_id),
            seats: next.seats,
            startsAt: next.starts_at,
            endsAt: next.ends_at,
          },
  }
}

function storedBasis({ used, next }: Basis): StoredBasis {
  return {
    used:
      used === undefined
        ? null
        : { plan_id: used.plan.id, part: used.share.part, whole: used.share.whole, trial: used.trial },
    next:
      next === undefined
        ? null
        : { plan_id: next.plan.id, seats: next.seats, starts_at: next.startsAt, ends_at: next.endsAt },
  }
}

async function writeLines(
  tx: TenantTransaction,
  invoiceId: InvoiceId,
  lines: readonly InvoiceLine[],
): Promise<void> {
  for (const [index, line] of lines.entries()) {
    await tx.run(insertLine, {
      invoiceId,
      seq: index + 1,
      kind: line.kind,
      metric: line.metric,
      planId: line.planId,
      description: line.description,
      quantity: line.quantity === null ? null : safeNumber(line.quantity),
      exactNanos: line.exactNanos,
      amountMinor: line.amountMinor,
      detail: JSON.stringify(line.detail),
      fromAt: line.fromAt,
      untilAt: line.untilAt,
    })
  }
}

/** A quantity is counted up from whole numbers; beyond 2^53 it would not be exact any more. */
function safeNumber(quantity: bigint): number {
  const number = Number(quantity)
  if (!Number.isSafeInteger(number)) throw new Error(`The quantity ${quantity} is too large for an invoice.`)
  return number
}
