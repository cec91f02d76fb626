// Makes ours what Stripe says of subscriptions and invoices. An event is a hint only: the object is fetched as it is now, so
// that events may come twice, late and in any order.

import { AppError } from '../../base/errors.ts'
import { isId, newId, type PlanId, type TenantId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { SubscriptionState } from '../../contract/money.ts'
import { appendAudit } from '../../events/append.ts'
import type { Database, TenantReader, TenantTransaction } from '../../storage/database.ts'
import { keepConcurrency } from '../entitlements/plan-in-force.ts'
import { giveUpInvoice, payInvoice, voidInvoice } from '../invoices/change-invoice.ts'
import { planById } from '../plans/plan-store.ts'
import {
  insertSubscription,
  lockAccount,
  openSubscription,
  type SubscriptionRow,
} from '../subscriptions/subscription-store.ts'
import {
  accountOfCustomer,
  invoiceAround,
  invoiceHandedOn,
  invoiceOfStripe,
  mirrorSubscription,
  setCollection,
  setStripeInvoice,
  subscriptionOfStripe,
} from './account-store.ts'
import type { StripeInvoice, StripeSession, StripeSubscription } from './stripe-api.ts'

const ACTOR = 'stripe'
const MS_PER_SECOND = 1_000
/** How far Stripe's end of a period may be from ours. */
const SAME_PERIOD_MS = 86_400_000

const STATES: Readonly<Record<string, SubscriptionState>> = {
  trialing: 'trialing',
  active: 'active',
  past_due: 'past_due',
  unpaid: 'past_due',
  incomplete: 'past_due',
  paused: 'paused',
  canceled: 'cancelled',
  incomplete_expired: 'cancelled',
}

/** The tenant of a customer at Stripe, or undefined: it is none of ours. */
export async function tenantOfCustomer(
  db: Database,
  customer: string | { readonly id: string } | null,
): Promise<TenantId | undefined> {
  const customerId = typeof customer === 'string' ? customer : customer?.id
  if (customerId === undefined) return undefined
  const account = await db.system.read((reader) => reader.first(accountOfCustomer, { customerId }))
  return account?.tenantId
}

export async function mirrorInvoice(
  tx: TenantTransaction,
  theirs: StripeInvoice,
  at: EpochMs,
): Promise<void> {
  await tx.first(lockAccount, {})
  const id = theirs.id ?? ''
  const ours = (await tx.first(invoiceOfStripe, { stripeInvoiceId: id })) ?? (await adopted(tx, theirs))
  if (ours === undefined) return
  if (ours.state === 'draft' && theirs.status !== 'draft' && theirs.status !== 'open')
    throw tooEarly(theirs.id)
  const change = { actor: ACTOR, at }
  const note = `Stripe ${id}`
  if (theirs.status === 'paid' && (ours.state === 'open' || ours.state === 'uncollectible'))
    await payInvoice(tx, ours.id, note, change)
  if (theirs.status === 'void' && (ours.state === 'open' || ours.state === 'uncollectible'))
    await voidInvoice(tx, ours.id, note, change)
  if (theirs.status === 'uncollectible' && ours.state === 'open')
    await giveUpInvoice(tx, ours.id, note, change)
}

/** Tried again later: until then ours is not ready to be settled. */
function tooEarly(stripeInvoiceId: string | undefined): AppError {
  return new AppError(
    'invoice.state-conflict',
    `Ours for "${stripeInvoiceId}" at Stripe is not finalised yet; what became of it is taken over then.`,
  )
}

/**
 * Ours that it stands for. Handed on by us it names it: Stripe may tell of it before its answer was on record here. Of a
 * plan that Stripe bills itself it is the one for the same period.
 */
async function adopted(tx: TenantTransaction, theirs: StripeInvoice) {
  const own = theirs.metadata?.invoice_id
  if (own !== undefined && isId('invoice', own)) {
    const ours = await tx.first(invoiceHandedOn, { id: own })
    if (ours === undefined || theirs.id === undefined) return undefined
    await tx.run(setStripeInvoice, { id: ours.id, stripeInvoiceId: theirs.id })
    return ours
  }
  const named = theirs.parent?.subscription_details?.subscription
  const stripeSubscriptionId = typeof named === 'string' ? named : named?.id
  if (stripeSubscriptionId === undefined || theirs.id === undefined) return undefined
  const subscription = await tx.first(subscriptionOfStripe, { stripeSubscriptionId })
  if (subscription === undefined) return undefined
  const end = theirs.period_end * MS_PER_SECOND
  const around = { from: end - SAME_PERIOD_MS, until: end + SAME_PERIOD_MS }
  const ours = await tx.first(invoiceAround, { subscriptionId: subscription.id, ...around })
  if (ours === undefined) {
    const { state, periodEnd } = subscription
    if (state !== 'cancelled' && periodEnd >= around.from && periodEnd <= around.until)
      throw tooEarly(theirs.id)
    return undefined
  }
  await tx.run(setStripeInvoice, { id: ours.id, stripeInvoiceId: theirs.id })
  return ours
}

/** The revision of ours now, to be read before theirs is fetched; undefined where there is none. */
export async function revisionOf(
  reader: TenantReader,
  stripeSubscriptionId: string,
): Promise<number | undefined> {
  return (await oursOf(reader, stripeSubscriptionId))?.revision
}

async function oursOf(reader: TenantReader, stripeSubscriptionId: string) {
  return (
    (await reader.first(subscriptionOfStripe, { stripeSubscriptionId })) ??
    (await reader.first(openSubscription, {}))
  )
}

/** `seen` is the revision of ours before theirs was fetched: where it has changed since, theirs may be the older one. */
export async function mirrorSubscriptionOf(
  tx: TenantTransaction,
  theirs: StripeSubscription,
  at: EpochMs,
  seen: number | undefined,
): Promise<void> {
  const account = await tx.first(lockAccount, {})
  if (account === undefined) return
  const state = STATES[theirs.status]
  if (state === undefined) throw new Error(`Stripe has a subscription that is "${theirs.status}".`)
  const found = await oursOf(tx, theirs.id)
  if (found?.revision !== seen)
    throw new AppError('subscription.state-conflict', `Ours for "${theirs.id}" changed while it was fetched.`)
  // Ours ended by itself, or is collected by another one of theirs.
  if (found !== undefined && found.stripeSubscriptionId !== null && found.stripeSubscriptionId !== theirs.id)
    return
  // It was never paid: what it becomes is told when it does.
  if (theirs.status === 'incomplete') return
  // It ended before ours was its own: ours goes on.
  if (found?.stripeSubscriptionId !== theirs.id && state === 'cancelled') return
  if (found?.state === 'cancelled') return
  const planId = await planOf(tx, theirs, found)
  const seats = theirs.items.data[0]?.quantity ?? 1
  const ours = found ?? (await opened(tx, theirs, planId, seats, state, at))
  const next = {
    stripeSubscriptionId: theirs.id,
    planId,
    seats,
    state,
    cancelAtPeriodEnd: theirs.cancel_at_period_end ? 1 : 0,
    pausedAt: state === 'paused' ? (ours.pausedAt ?? at) : null,
    endedAt: state === 'cancelled' ? at : null,
  }
  if (isSame(ours, next)) return
  if ((await tx.run(mirrorSubscription, { ...next, id: ours.id, revision: ours.revision, at })) !== 1)
    throw new AppError('subscription.state-conflict', `The subscription "${ours.id}" changed meanwhile.`)
  await keepConcurrency(tx)
  await appendAudit(tx, {
    type: state === 'cancelled' ? 'subscription.cancelled' : 'subscription.changed',
    actor: ACTOR,
    subject: ours.id,
    data: {
      before: { plan: ours.planId, seats: ours.seats, state: ours.state },
      after: { plan: planId, seats, state, stripe_subscription_id: theirs.id },
    },
    at,
  })
}

/** The checkout was finished: how to pay is known. The subscription itself is told by an event of its own. */
export async function mirrorCheckout(
  tx: TenantTransaction,
  session: StripeSession,
  at: EpochMs,
): Promise<void> {
  if (session.status !== 'complete') return
  const account = await tx.first(lockAccount, {})
  if (account === undefined || account.collection === 'stripe') return
  await tx.run(setCollection, { collection: 'stripe', at })
  await appendAudit(tx, {
    type: 'billing.account-updated',
    actor: ACTOR,
    subject: tx.tenantId,
    data: { before: { collection: account.collection }, after: { collection: 'stripe' } },
    at,
  })
}

async function planOf(
  tx: TenantTransaction,
  theirs: StripeSubscription,
  ours: SubscriptionRow | undefined,
): Promise<PlanId> {
  const named = theirs.metadata.plan_id
  if (named !== undefined && isId('plan', named)) {
    const plan = await tx.first(planById, { id: named })
    if (plan !== undefined) return plan.id
  }
  if (ours !== undefined) return ours.planId
  throw new AppError('plan.not-found', `The subscription "${theirs.id}" at Stripe names no plan of ours.`)
}

async function opened(
  tx: TenantTransaction,
  theirs: StripeSubscription,
  planId: PlanId,
  seats: number,
  state: SubscriptionState,
  at: EpochMs,
): Promise<SubscriptionRow> {
  const item = theirs.items.data[0]
  if (item === undefined) throw new Error(`The subscription "${theirs.id}" at Stripe has no item.`)
  await tx.run(insertSubscription, {
    id: newId('subscription', at),
    planId,
    seats,
    state,
    // Of a trial its end; of a 31st the day that a short month has not.
    anchorAt: theirs.billing_cycle_anchor * MS_PER_SECOND,
    periodStart: item.current_period_start * MS_PER_SECOND,
    periodEnd: item.current_period_end * MS_PER_SECOND,
    trialEndsAt: theirs.trial_end === null ? null : theirs.trial_end * MS_PER_SECOND,
    createdBy: ACTOR,
    at,
  })
  const row = await tx.first(openSubscription, {})
  if (row === undefined) throw new Error('The subscription was recorded and cannot be read.')
  const data = { plan: planId, seats, state, stripe_subscription_id: theirs.id }
  await appendAudit(tx, { type: 'subscription.created', actor: ACTOR, subject: row.id, data, at })
  return row
}

function isSame(
  row: SubscriptionRow,
  next: Partial<
    Pick<SubscriptionRow, 'state' | 'planId' | 'seats' | 'cancelAtPeriodEnd' | 'stripeSubscriptionId'>
  >,
): boolean {
  return (
    row.stripeSubscriptionId === next.stripeSubscriptionId &&
    row.planId === next.planId &&
    row.seats === next.seats &&
    row.state === next.state &&
    row.cancelAtPeriodEnd === next.cancelAtPeriodEnd
  )
}
