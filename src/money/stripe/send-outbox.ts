// Tells Stripe what is in the outbox: each thing until Stripe has it, under one key for ever, whatever dies in between.

import type { TenantId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { Database } from '../../storage/database.ts'
import { invoiceById } from '../invoices/invoice-store.ts'
import { setStripeInvoice } from './account-store.ts'
import { dueOutbox, endOutbox, type OutboxRow, retryOutbox, takeOutbox } from './outbox-store.ts'
import { failureOf, type MeterEvent, type NewStripeInvoice, type StripeApi } from './stripe-api.ts'

/** How many one turn tells at most. */
const PORTION = 100
/** For so long nobody else takes what this process has taken: longer than a call may last. */
const TAKEN_MS = 120_000
const FIRST_WAIT_MS = 2_000
const WAIT_MS_MAX = 3_600_000
/** With waits of an hour: more than two weeks, well within the 35 days for which Stripe takes usage. */
const ATTEMPTS_MAX = 400
const ERROR_CHARS_MAX = 500
/** Stripe knows identifiers and keys for 24 hours; what was tried before that and is tried again might be there twice. */
const REMEMBERED_MS = 20 * 3_600_000
const SETTLED =
  'Not told to its end: the invoice was settled here before. Look whether Stripe has a draft of it.'
const FORGOTTEN =
  'Not told again after so long: Stripe may have it already and forgot its identifier. Look there; usage is reconciled.'

export interface SendDeps {
  readonly db: Database
  readonly stripe: StripeApi
  readonly random: () => number
}

/** Tells what is due, in bounded portions; several processes share the work. Answers how many were told. */
export async function sendOutbox({ db, stripe, random }: SendDeps, at: EpochMs): Promise<number> {
  const due = await db.system.read((reader) => reader.all(dueOutbox, { at, limit: PORTION }))
  let told = 0
  for (const { tenantId, id } of due) {
    const tenant = db.tenant(tenantId)
    const row = await tenant.write((tx) => tx.first(takeOutbox, { id, at, until: at + TAKEN_MS }))
    if (row === undefined) continue
    const end = (state: OutboxRow['state'], lastError: string | null): Promise<number> =>
      tenant.write((tx) => tx.run(endOutbox, { id, state, lastError, at }))
    const triedAt = row.triedAt ?? at
    // Since the first try: those that follow do not make Stripe remember it longer.
    if (at - triedAt > REMEMBERED_MS) {
      await end('dead', FORGOTTEN)
      continue
    }
    try {
      if (await tell(db, stripe, row, tenantId)) {
        await end('sent', null)
        told += 1
      } else await end('dead', SETTLED)
    } catch (error) {
      const failure = failureOf(error)
      if (failure.kind === 'duplicate') {
        await end('sent', null)
        told += 1
        continue
      }
      const lastError = failure.message.slice(0, ERROR_CHARS_MAX)
      if (failure.kind === 'refused') await end('refused', lastError)
      else if (row.attempts >= ATTEMPTS_MAX) await end('dead', lastError)
      else {
        const nextAt = at + Math.max(failure.afterMs ?? 0, waitBefore(row.attempts, random))
        // An invoice is several calls: those before the one that failed had their effect.
        const untouched = failure.hadNoEffect && row.kind === 'meter_event' && triedAt === at
        const retry = { id, lastError, triedAt: untouched ? null : triedAt, nextAt }
        await tenant.write((tx) => tx.run(retryOutbox, retry))
      }
    }
  }
  return told
}

/** Exponential, with full jitter. */
function waitBefore(attempts: number, random: () => number): number {
  return Math.ceil(Math.min(FIRST_WAIT_MS * 2 ** Math.min(attempts, 30), WAIT_MS_MAX) * random())
}

/** False where it has not to be told any more. */
async function tell(db: Database, stripe: StripeApi, row: OutboxRow, tenantId: TenantId): Promise<boolean> {
  const payload = JSON.parse(row.payload)
  switch (row.kind) {
    case 'meter_event':
      await stripe.sendMeterEvent({ ...(payload as MeterEvent), identifier: row.identifier })
      return true
    case 'invoice': {
      const { invoiceId, lines, ...rest } = payload
      const ours = await db.tenant(tenantId).read((reader) => reader.first(invoiceById, { id: invoiceId }))
      // Stripe told of it before its answer was on record here.
      if (ours?.stripeInvoiceId != null) return true
      if (ours?.state !== 'open') return false
      const invoice: NewStripeInvoice = {
        ...rest,
        lines: lines.map((line: { description: string; amount: string }) => ({
          description: line.description,
          amountMinor: BigInt(line.amount),
        })),
      }
      const stripeInvoiceId = await stripe.createInvoice(invoice, row.identifier)
      await db.tenant(tenantId).write((tx) => tx.run(setStripeInvoice, { id: invoiceId, stripeInvoiceId }))
      return true
    }
    default:
      return row.kind satisfies never
  }
}
