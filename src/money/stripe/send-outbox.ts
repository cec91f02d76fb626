// Tells Stripe what is in the outbox: each thing until Stripe has it, under one key for ever, whatever dies in between.

import type { TenantId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { Database } from '../../storage/database.ts'
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
  for (const { tenantId, id, nextAt } of due) {
    const tenant = db.tenant(tenantId)
    const row = await tenant.write((tx) => tx.first(takeOutbox, { id, at, until: at + TAKEN_MS }))
    if (row === undefined) continue
    const end = (state: OutboxRow['state'], lastError: string | null): Promise<number> =>
      tenant.write((tx) => tx.run(endOutbox, { id, state, lastError, at }))
    if (row.attempts > 1 && at - nextAt > REMEMBERED_MS) {
      await end('dead', FORGOTTEN)
      continue
    }
    try {
      await tell(db, stripe, row, tenantId)
      await end('sent', null)
      told += 1
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
        const again = at + Math.max(failure.afterMs ?? 0, waitBefore(row.attempts, random))
        await tenant.write((tx) => tx.run(retryOutbox, { id, lastError, nextAt: again }))
      }
    }
  }
  return told
}

/** Exponential, with full jitter. */
function waitBefore(attempts: number, random: () => number): number {
  return Math.ceil(Math.min(FIRST_WAIT_MS * 2 ** Math.min(attempts, 30), WAIT_MS_MAX) * random())
}

async function tell(db: Database, stripe: StripeApi, row: OutboxRow, tenantId: TenantId): Promise<void> {
  const payload = JSON.parse(row.payload)
  switch (row.kind) {
    case 'meter_event':
      return stripe.sendMeterEvent({ ...(payload as MeterEvent), identifier: row.identifier })
    case 'invoice': {
      const { invoiceId, lines, ...rest } = payload
      const invoice: NewStripeInvoice = {
        ...rest,
        lines: lines.map((line: { description: string; amount: string }) => ({
          description: line.description,
          amountMinor: BigInt(line.amount),
        })),
      }
      const stripeInvoiceId = await stripe.createInvoice(invoice, row.identifier)
      await db.tenant(tenantId).write((tx) => tx.run(setStripeInvoice, { id: invoiceId, stripeInvoiceId }))
      return
    }
    default:
      return row.kind satisfies never
  }
}
