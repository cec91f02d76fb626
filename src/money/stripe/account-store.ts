// What of accounts, subscriptions and invoices is Stripe's business, in the database. SQL in, types out.

import type { InvoiceId, PlanId, SubscriptionId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { SubscriptionState } from '../../contract/money.ts'
import { type Bind, type SystemBind, statement, systemStatement } from '../../storage/statement.ts'

const REASON = 'Stripe names customers, and usage is told for all tenants by whichever process comes first'

export const setCustomer = statement(
  'stripe.set-customer',
  (db, p: Bind<{ customerId: string; meteredUntil: EpochMs; at: EpochMs }>) =>
    db
      .updateTable('billingAccounts')
      .set((eb) => ({
        stripeCustomerId: p.customerId,
        meteredUntil: eb.fn.coalesce('meteredUntil', eb.val(p.meteredUntil)),
        updatedAt: p.at,
      }))
      .where('tenantId', '=', p.tenantId)
      .where('stripeCustomerId', 'is', null),
)

export const setCollection = statement(
  'stripe.set-collection',
  (db, p: Bind<{ collection: 'manual' | 'stripe'; at: EpochMs }>) =>
    db
      .updateTable('billingAccounts')
      .set({ collection: p.collection, updatedAt: p.at })
      .where('tenantId', '=', p.tenantId),
)

export const accountOfCustomer = systemStatement(
  'stripe.account-of-customer',
  REASON,
  (db, p: SystemBind<{ customerId: string }>) =>
    db.selectFrom('billingAccounts').select('tenantId').where('stripeCustomerId', '=', p.customerId),
)

/** Accounts whose usage of the time before `until` was not told yet, and whose plan Stripe bills. */
export const accountsToMeter = systemStatement(
  'stripe.accounts-to-meter',
  REASON,
  (db, p: SystemBind<{ until: EpochMs; limit: number }>) =>
    db
      .selectFrom('billingAccounts')
      .innerJoin('subscriptions', 'subscriptions.tenantId', 'billingAccounts.tenantId')
      .select('billingAccounts.tenantId')
      .where('billingAccounts.stripeCustomerId', 'is not', null)
      .where('billingAccounts.meteredUntil', '<', p.until)
      .where('subscriptions.state', '<>', 'cancelled')
      .where('subscriptions.stripeSubscriptionId', 'is not', null)
      .orderBy('billingAccounts.meteredUntil')
      .limit(p.limit),
)

export const setMeteredUntil = statement('stripe.metered-until', (db, p: Bind<{ until: EpochMs }>) =>
  db.updateTable('billingAccounts').set({ meteredUntil: p.until }).where('tenantId', '=', p.tenantId),
)

export const setStripeInvoice = statement(
  'stripe.set-invoice',
  (db, p: Bind<{ id: InvoiceId; stripeInvoiceId: string }>) =>
    db
      .updateTable('invoices')
      .set({ stripeInvoiceId: p.stripeInvoiceId })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id),
)

export const invoiceOfStripe = statement('stripe.invoice-of', (db, p: Bind<{ stripeInvoiceId: string }>) =>
  db
    .selectFrom('invoices')
    .select(['id', 'state'])
    .where('tenantId', '=', p.tenantId)
    .where('stripeInvoiceId', '=', p.stripeInvoiceId),
)

/** One that was handed on, and whose id at Stripe is not on record yet. */
export const invoiceHandedOn = statement('stripe.invoice-handed-on', (db, p: Bind<{ id: InvoiceId }>) =>
  db
    .selectFrom('invoices')
    .select(['id', 'state'])
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .where('stripeInvoiceId', 'is', null),
)

/** Ours for the period that Stripe billed: its end may be told a little differently. */
export const invoiceAround = statement(
  'stripe.invoice-around',
  (db, p: Bind<{ subscriptionId: SubscriptionId; from: EpochMs; until: EpochMs }>) =>
    db
      .selectFrom('invoices')
      .select(['id', 'state', 'totalMinor', 'currency'])
      .where('tenantId', '=', p.tenantId)
      .where('subscriptionId', '=', p.subscriptionId)
      .where('periodEnd', '>=', p.from)
      .where('periodEnd', '<=', p.until)
      .where('stripeInvoiceId', 'is', null)
      .where('state', 'in', ['draft', 'open'])
      .orderBy('periodEnd')
      .limit(1),
)

export const subscriptionOfStripe = statement(
  'stripe.subscription-of',
  (db, p: Bind<{ stripeSubscriptionId: string }>) =>
    db
      .selectFrom('subscriptions')
      .selectAll()
      .where('tenantId', '=', p.tenantId)
      .where('stripeSubscriptionId', '=', p.stripeSubscriptionId),
)

interface Mirrored {
  readonly id: SubscriptionId
  readonly revision: number
  readonly stripeSubscriptionId: string
  readonly planId: PlanId
  readonly seats: number
  readonly state: SubscriptionState
  readonly cancelAtPeriodEnd: number
  readonly pausedAt: EpochMs | null
  readonly endedAt: EpochMs | null
  readonly at: EpochMs
}

/** Makes ours what Stripe says, where nobody changed it since that revision. */
export const mirrorSubscription = statement('stripe.mirror', (db, p: Bind<Mirrored>) =>
  db
    .updateTable('subscriptions')
    .set((eb) => ({
      stripeSubscriptionId: p.stripeSubscriptionId,
      planId: p.planId,
      seats: p.seats,
      state: p.state,
      cancelAtPeriodEnd: p.cancelAtPeriodEnd,
      pausedAt: p.pausedAt,
      endedAt: p.endedAt,
      revision: eb('revision', '+', 1),
      updatedAt: p.at,
    }))
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .where('revision', '=', p.revision),
)
