// Invoices are finalised, paid, voided and given up, each by a person or by the clock. Whoever does holds the account, so
// that numbers have no gap, a credit is used once, and the account's standing is true.

import { formatMinor } from '../../base/currency.ts'
import { AppError } from '../../base/errors.ts'
import type { BillingItemId, InvoiceId } from '../../base/ids.ts'
import { newId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { AuditEventType } from '../../contract/event.ts'
import { appendAudit } from '../../events/append.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { insertItem, lockAccount } from '../subscriptions/subscription-store.ts'
import { basisOf, rewriteLines, workOut, writeDraft } from './drafting.ts'
import {
  type BillingAccount,
  checkAction,
  DUE_AFTER_MS,
  type InvoiceAction,
  type InvoiceRow,
  numberText,
  standingOf,
} from './invoice.ts'
import {
  invoiceById,
  invoiceOfPeriod,
  itemByFact,
  lateInvoices,
  linesOfInvoice,
  lockInvoice,
  takeNumber,
  takeOfItem,
  updateInvoice,
  updateStanding,
} from './invoice-store.ts'

/** Who does it, when, and by which request. */
export interface Change {
  readonly actor: string
  readonly at: EpochMs
  readonly requestId?: string | undefined
}

/** Told in the transaction that finalises an invoice which has to be paid: to hand it on to who collects. */
export type OnFinalised = (
  tx: TenantTransaction,
  invoice: InvoiceRow,
  account: BillingAccount,
) => Promise<void>

/** Works the draft out for the last time, takes credits and items, and gives it its number. Nothing to pay: paid at once. */
export async function finaliseInvoice(
  tx: TenantTransaction,
  id: InvoiceId,
  change: Change,
  onFinalised?: OnFinalised,
): Promise<InvoiceRow> {
  const { account, row } = await held(tx, id, 'finalise')
  const { at } = change
  const drafted = await workOut(tx, await basisOf(tx, row))
  await rewriteLines(tx, id, drafted.lines)
  for (const taken of drafted.taken) await tx.run(takeOfItem, taken)
  if (drafted.carriedMinor > 0n) await carryOver(tx, row, drafted.carriedMinor, change)
  const place = await tx.first(takeNumber, { at })
  if (place === undefined) throw new Error(`The invoice "${id}" has no billing account.`)
  const { subtotalMinor, creditMinor, totalMinor } = drafted
  const paid = totalMinor === 0n
  await tx.run(updateInvoice, {
    ...row,
    subtotalMinor,
    creditMinor,
    totalMinor,
    number: numberText(place.lastNumber),
    state: paid ? 'paid' : 'open',
    dueAt: at + DUE_AFTER_MS,
    finalisedAt: at,
    paidAt: paid ? at : null,
    updatedAt: at,
  })
  const invoice = await found(tx, id)
  await auditInvoice(tx, 'invoice.finalised', row, invoice, change)
  if (paid) await auditInvoice(tx, 'invoice.paid', { ...invoice, state: 'open' }, invoice, change)
  else await onFinalised?.(tx, invoice, account)
  return invoice
}

/** It was paid: by hand with a note, or whoever collects says so. */
export async function payInvoice(
  tx: TenantTransaction,
  id: InvoiceId,
  note: string | null,
  change: Change,
): Promise<InvoiceRow> {
  const { account, row } = await held(tx, id, 'pay')
  await tx.run(updateInvoice, { ...row, state: 'paid', paidAt: change.at, note, updatedAt: change.at })
  return settled(tx, 'invoice.paid', { account, row, change })
}

/** It will not be paid: it stays on the books, and its account restricted, until it is paid after all or voided. */
export async function giveUpInvoice(
  tx: TenantTransaction,
  id: InvoiceId,
  note: string | null,
  change: Change,
): Promise<InvoiceRow> {
  const { account, row } = await held(tx, id, 'uncollectible')
  await tx.run(updateInvoice, { ...row, state: 'uncollectible', note, updatedAt: change.at })
  return settled(tx, 'invoice.uncollectible', { account, row, change })
}

/** Gives back what it took of credits and items. Its number stays its own; its period may be drafted anew. */
export async function voidInvoice(
  tx: TenantTransaction,
  id: InvoiceId,
  note: string | null,
  change: Change,
): Promise<InvoiceRow> {
  const { account, row } = await held(tx, id, 'void')
  if (row.state !== 'draft') await giveBack(tx, row)
  const { at } = change
  await tx.run(updateInvoice, { ...row, state: 'void', voidedAt: at, note, updatedAt: at })
  return settled(tx, 'invoice.voided', { account, row, change })
}

/** A new draft for the period of a void invoice. */
export async function redraftInvoice(
  tx: TenantTransaction,
  id: InvoiceId,
  change: Change,
): Promise<InvoiceRow> {
  await tx.first(lockAccount, {})
  const row = await found(tx, id)
  const { subscriptionId, periodEnd } = row
  if (row.state !== 'void' || subscriptionId === null)
    throw new AppError(
      'invoice.state-conflict',
      `The invoice "${id}" is ${row.state}; only the period of a void one can be drafted anew.`,
    )
  const written = await writeDraft(tx, subscriptionId, await basisOf(tx, row), change.at)
  if (written === undefined) {
    const other = await tx.first(invoiceOfPeriod, { subscriptionId, periodEnd })
    throw new AppError(
      'invoice.state-conflict',
      other === undefined
        ? 'There is nothing to invoice in that period any more.'
        : `The period has another invoice already: "${other.id}". Void that one first.`,
    )
  }
  const draft = await found(tx, written.id)
  await auditInvoice(tx, 'invoice.drafted', undefined, draft, change)
  return draft
}

/** Makes the account stand as its invoices say. The caller holds the account. */
export async function settleStanding(
  tx: TenantTransaction,
  account: BillingAccount,
  { actor, at, requestId }: Change,
): Promise<BillingAccount['standing']> {
  const late = await tx.first(lateInvoices, {})
  const standing = standingOf(
    { firstDueAt: late?.firstDueAt ?? null, givenUp: Number(late?.givenUp ?? 0) },
    at,
  )
  if (standing === account.standing) return standing
  await tx.run(updateStanding, { standing, at })
  await appendAudit(tx, {
    type: 'billing.standing-changed',
    actor,
    subject: tx.tenantId,
    data: { before: { standing: account.standing }, after: { standing } },
    requestId,
    at,
  })
  return standing
}

export async function auditInvoice(
  tx: TenantTransaction,
  type: AuditEventType,
  before: InvoiceRow | undefined,
  invoice: InvoiceRow,
  { actor, at, requestId }: Change,
): Promise<void> {
  const { number, state, currency, totalMinor, creditMinor, periodStart, periodEnd, note } = invoice
  await appendAudit(tx, {
    type,
    actor,
    subject: invoice.id,
    data: {
      before: before === undefined ? null : { state: before.state },
      after: {
        state,
        number,
        currency,
        total: formatMinor(totalMinor, currency),
        credit: formatMinor(creditMinor, currency),
        period_start: periodStart,
        period_end: periodEnd,
        note,
      },
    },
    requestId,
    at,
  })
}

export function invoiceNotFound(id: string): AppError {
  return new AppError('invoice.not-found', `There is no invoice "${id}".`)
}

async function held(
  tx: TenantTransaction,
  id: InvoiceId,
  action: InvoiceAction,
): Promise<{ readonly account: BillingAccount; readonly row: InvoiceRow }> {
  const account = await tx.first(lockAccount, {})
  const row = await tx.first(lockInvoice, { id })
  if (account === undefined || row === undefined) throw invoiceNotFound(id)
  checkAction(row, action)
  return { account, row }
}

async function found(tx: TenantTransaction, id: InvoiceId): Promise<InvoiceRow> {
  const row = await tx.first(invoiceById, { id })
  if (row === undefined) throw invoiceNotFound(id)
  return row
}

async function settled(
  tx: TenantTransaction,
  type: AuditEventType,
  {
    account,
    row,
    change,
  }: { readonly account: BillingAccount; readonly row: InvoiceRow; readonly change: Change },
): Promise<InvoiceRow> {
  const invoice = await found(tx, row.id)
  await auditInvoice(tx, type, row, invoice, change)
  await settleStanding(tx, account, change)
  return invoice
}

async function carryOver(
  tx: TenantTransaction,
  row: InvoiceRow,
  amountMinor: bigint,
  { at }: Change,
): Promise<void> {
  await tx.run(insertItem, {
    id: newId('billingItem', at),
    kind: 'credit',
    currency: row.currency,
    amountMinor,
    remainingMinor: amountMinor,
    description: 'Credit carried over from an earlier invoice',
    detail: JSON.stringify({ invoice_id: row.id }),
    factKey: carriedKey(row.id),
    expiresAt: null,
    createdBy: 'system',
    createdAt: at,
  })
}

async function giveBack(tx: TenantTransaction, row: InvoiceRow): Promise<void> {
  const carried = await tx.first(itemByFact, { factKey: carriedKey(row.id) })
  if (carried !== undefined) {
    if (carried.remainingMinor !== carried.amountMinor)
      throw new AppError(
        'invoice.state-conflict',
        `The credit "${carried.id}" that this invoice carried over was used by a later one; void that one first.`,
      )
    await tx.run(takeOfItem, { id: carried.id, amountMinor: carried.remainingMinor })
  }
  for (const line of await tx.all(linesOfInvoice, { id: row.id })) {
    const { item_id: id } = JSON.parse(line.detail) as { readonly item_id?: BillingItemId }
    if (id === undefined) continue
    // A credit stands with a minus on the invoice: what it gave comes back.
    await tx.run(takeOfItem, {
      id,
      amountMinor: line.kind === 'credit' ? line.amountMinor : -line.amountMinor,
    })
  }
}

function carriedKey(id: InvoiceId): string {
  return `carried:${id}`
}
