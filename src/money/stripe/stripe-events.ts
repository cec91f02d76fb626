// Events that Stripe sends: stored when they come, each once, and seen to until that worked.

import { AppError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import { appendAudit } from '../../events/append.ts'
import type { Database } from '../../storage/database.ts'
import { type SystemBind, systemStatement } from '../../storage/statement.ts'
import {
  mirrorCheckout,
  mirrorInvoice,
  mirrorSubscriptionOf,
  revisionOf,
  tenantOfCustomer,
} from './mirror.ts'
import type { StripeApi } from './stripe-api.ts'

/** How many events one turn sees to at most. */
const PORTION = 50
const ERROR_CHARS_MAX = 500
const AGAIN_MS = 5_000
const AGAIN_MS_MAX = 3_600_000
/** Events that were seen to are kept so long, to know those that come again: Stripe sends for three days. */
const KEPT_MS = 30 * 86_400_000

export interface EventDeps {
  readonly db: Database
  readonly stripe: StripeApi
}

/** Takes an event as it came. The same event again changes nothing. Throws `stripe.signature-invalid`. */
export async function receiveEvent(
  { db, stripe }: EventDeps,
  body: string,
  signature: string,
  at: EpochMs,
): Promise<void> {
  const event = await stripe.verify(body, signature, at)
  const object = event.data.object as { readonly id?: string; readonly customer?: unknown }
  const customer = (object.customer ?? null) as string | { id: string } | null
  await db.system.write((tx) =>
    tx.run(insertEvent, {
      id: event.id,
      type: event.type,
      objectId: object.id ?? '',
      createdSeconds: event.created,
      at,
      // No more than what it points at: the object is fetched when it is seen to.
      payload: JSON.stringify({ customer: typeof customer === 'string' ? customer : (customer?.id ?? null) }),
    }),
  )
}

/** Sees to events that wait for it, the oldest first. One that fails is tried again and holds up no other. */
export async function processEvents(deps: EventDeps, at: EpochMs): Promise<void> {
  const { db } = deps
  const open = await db.system.read((reader) => reader.all(openEvents, { at, limit: PORTION }))
  for (const event of open) {
    try {
      await seeTo(deps, event, at)
      await db.system.write((tx) => tx.run(endEvent, { id: event.id, at, error: null }))
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      await db.system.write((tx) =>
        tx.run(failEvent, {
          id: event.id,
          error: message.slice(0, ERROR_CHARS_MAX),
          nextAt: at + Math.min(AGAIN_MS * 2 ** Math.min(event.attempts, 20), AGAIN_MS_MAX),
        }),
      )
    }
  }
  await db.system.write((tx) => tx.run(pruneEvents, { before: at - KEPT_MS }))
}

interface OpenEvent {
  readonly id: string
  readonly type: string
  readonly objectId: string
  readonly payload: string
  readonly attempts: number
}

async function seeTo({ db, stripe }: EventDeps, event: OpenEvent, at: EpochMs): Promise<void> {
  const { customer } = JSON.parse(event.payload) as { readonly customer: string | null }
  const tenantId = await tenantOfCustomer(db, customer)
  // A customer of something else that shares the Stripe account.
  if (tenantId === undefined) return
  const tenant = db.tenant(tenantId)
  const data: JsonObject = { event: event.id, type: event.type, object: event.objectId }
  const fact = { type: 'stripe.event-received', actor: 'stripe', subject: event.objectId, data, at } as const
  if (event.type.startsWith('invoice.') && event.objectId.startsWith('in_')) {
    const theirs = await stripe.invoice(event.objectId)
    await tenant.write(async (tx) => {
      await mirrorInvoice(tx, theirs, at)
      await appendAudit(tx, fact)
    })
  } else if (event.type.startsWith('customer.subscription.')) {
    const seen = await tenant.read((reader) => revisionOf(reader, event.objectId))
    const theirs = await stripe.subscription(event.objectId)
    await tenant.write(async (tx) => {
      await mirrorSubscriptionOf(tx, theirs, at, seen)
      await appendAudit(tx, fact)
    })
  } else if (event.type.startsWith('checkout.session.')) {
    const theirs = await stripe.session(event.objectId)
    await tenant.write(async (tx) => {
      await mirrorCheckout(tx, theirs, at)
      await appendAudit(tx, fact)
    })
  }
}

/** A signature header that is missing is one that is wrong. */
export function signatureOf(header: string | undefined): string {
  if (header !== undefined && header !== '') return header
  throw new AppError('stripe.signature-invalid', 'The event has no Stripe-Signature header.')
}

const REASON = 'Stripe sends the events of all tenants to one address'

interface NewEvent {
  readonly id: string
  readonly type: string
  readonly objectId: string
  readonly createdSeconds: number
  readonly at: EpochMs
  readonly payload: string
}

const insertEvent = systemStatement('stripe.store-event', REASON, (db, p: SystemBind<NewEvent>) =>
  db
    .insertInto('stripeEvents')
    .values({
      id: p.id,
      type: p.type,
      objectId: p.objectId,
      createdSeconds: p.createdSeconds,
      receivedAt: p.at,
      processedAt: null,
      attempts: 0,
      nextAt: p.at,
      error: null,
      payload: p.payload,
    })
    .onConflict((conflict) => conflict.column('id').doNothing()),
)

export const openEvents = systemStatement(
  'stripe.open-events',
  REASON,
  (db, p: SystemBind<{ at: EpochMs; limit: number }>) =>
    db
      .selectFrom('stripeEvents')
      .select(['id', 'type', 'objectId', 'payload', 'attempts'])
      .where('processedAt', 'is', null)
      .where('nextAt', '<=', p.at)
      .orderBy('nextAt')
      .limit(p.limit),
)

const endEvent = systemStatement(
  'stripe.end-event',
  REASON,
  (db, p: SystemBind<{ id: string; at: EpochMs; error: string | null }>) =>
    db
      .updateTable('stripeEvents')
      .set({ processedAt: p.at, error: p.error })
      .where('id', '=', p.id)
      .where('processedAt', 'is', null),
)

const failEvent = systemStatement(
  'stripe.fail-event',
  REASON,
  (db, p: SystemBind<{ id: string; error: string; nextAt: EpochMs }>) =>
    db
      .updateTable('stripeEvents')
      .set((eb) => ({ error: p.error, nextAt: p.nextAt, attempts: eb('attempts', '+', 1) }))
      .where('id', '=', p.id),
)

const pruneEvents = systemStatement('stripe.prune-events', REASON, (db, p: SystemBind<{ before: EpochMs }>) =>
  db.deleteFrom('stripeEvents').where('receivedAt', '<', p.before).where('processedAt', 'is not', null),
)
