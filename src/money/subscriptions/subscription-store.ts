// Accounts, subscriptions and the items that wait for the next invoice, in the database.

import type { SubscriptionId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import { forNoKeyUpdate } from '../../storage/dialect.ts'
import type { NewRowOf, RowOf } from '../../storage/schema/tables.ts'
import { type Bind, statement } from '../../storage/statement.ts'

export type SubscriptionRow = RowOf<'subscriptions'>
export type AccountRow = RowOf<'billingAccounts'>

export const accountOf = statement('billing-accounts.get', (db, p: Bind<object>) =>
  db.selectFrom('billingAccounts').selectAll().where('tenantId', '=', p.tenantId),
)

/** Whoever changes what a tenant subscribes to or owes stands in line here: numbers, credits, standing, periods. */
export const lockAccount = statement('billing-accounts.lock', (db, p: Bind<object>, dialect) =>
  db
    .selectFrom('billingAccounts')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .$call(forNoKeyUpdate(dialect)),
)

type AccountFacts = Pick<AccountRow, 'name' | 'email' | 'currency' | 'timeZone'> & { readonly at: EpochMs }

export const insertAccount = statement('billing-accounts.insert', (db, p: Bind<AccountFacts>) =>
  db
    .insertInto('billingAccounts')
    .values({
      tenantId: p.tenantId,
      name: p.name,
      email: p.email,
      currency: p.currency,
      timeZone: p.timeZone,
      collection: 'manual',
      stripeCustomerId: null,
      standing: 'active',
      standingSince: p.at,
      lastNumber: 0,
      maxConcurrentJobs: null,
      meteredUntil: null,
      createdAt: p.at,
      updatedAt: p.at,
    })
    .onConflict((conflict) => conflict.columns(['tenantId']).doNothing()),
)

export const updateAccount = statement('billing-accounts.update', (db, p: Bind<AccountFacts>) =>
  db
    .updateTable('billingAccounts')
    .set({ name: p.name, email: p.email, currency: p.currency, timeZone: p.timeZone, updatedAt: p.at })
    .where('tenantId', '=', p.tenantId),
)

/** What the plan lets run at once, where the queue reads it. */
export const setConcurrency = statement(
  'billing-accounts.concurrency',
  (db, p: Bind<{ max: number | null }>) =>
    db.updateTable('billingAccounts').set({ maxConcurrentJobs: p.max }).where('tenantId', '=', p.tenantId),
)

export const anyInvoice = statement('invoices.any', (db, p: Bind<object>) =>
  db.selectFrom('invoices').select('id').where('tenantId', '=', p.tenantId).limit(1),
)

export const subscriptionById = statement('subscriptions.get', (db, p: Bind<{ id: SubscriptionId }>) =>
  db.selectFrom('subscriptions').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

export const openSubscription = statement('subscriptions.open', (db, p: Bind<object>) =>
  db
    .selectFrom('subscriptions')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('state', '<>', 'cancelled'),
)

/** The one that is open, else the last one. */
export const lastSubscription = statement('subscriptions.last', (db, p: Bind<object>) =>
  db
    .selectFrom('subscriptions')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .orderBy('id', 'desc')
    .limit(1),
)

export const anyTrial = statement('subscriptions.any-trial', (db, p: Bind<object>) =>
  db
    .selectFrom('subscriptions')
    .select('id')
    .where('tenantId', '=', p.tenantId)
    .where('trialEndsAt', 'is not', null)
    .limit(1),
)

type NewSubscription = Pick<
  SubscriptionRow,
  'id' | 'planId' | 'seats' | 'state' | 'anchorAt' | 'periodStart' | 'periodEnd' | 'trialEndsAt' | 'createdBy'
> & { readonly at: EpochMs }

/** None where one is open. */
export const insertSubscription = statement('subscriptions.insert', (db, p: Bind<NewSubscription>) =>
  db
    .insertInto('subscriptions')
    .values({
      tenantId: p.tenantId,
      id: p.id,
      planId: p.planId,
      seats: p.seats,
      state: p.state,
      anchorAt: p.anchorAt,
      periodStart: p.periodStart,
      periodEnd: p.periodEnd,
      usageFrom: p.periodStart,
      trialEndsAt: p.trialEndsAt,
      cancelAtPeriodEnd: 0,
      nextPlanId: null,
      nextSeats: null,
      pausedAt: null,
      endedAt: null,
      stripeSubscriptionId: null,
      revision: 1,
      createdBy: p.createdBy,
      createdAt: p.at,
      updatedAt: p.at,
    })
    .onConflict((conflict) => conflict.doNothing()),
)

export type SubscriptionChange = Pick<
  SubscriptionRow,
  | 'id'
  | 'revision'
  | 'planId'
  | 'seats'
  | 'state'
  | 'anchorAt'
  | 'periodStart'
  | 'periodEnd'
  | 'trialEndsAt'
  | 'usageFrom'
  | 'cancelAtPeriodEnd'
  | 'nextPlanId'
  | 'nextSeats'
  | 'pausedAt'
  | 'endedAt'
  | 'updatedAt'
>

/** Everything that may change, where nobody changed it since that revision. */
export const updateSubscription = statement('subscriptions.update', (db, p: Bind<SubscriptionChange>) =>
  db
    .updateTable('subscriptions')
    .set((eb) => ({
      planId: p.planId,
      seats: p.seats,
      state: p.state,
      anchorAt: p.anchorAt,
      periodStart: p.periodStart,
      periodEnd: p.periodEnd,
      trialEndsAt: p.trialEndsAt,
      usageFrom: p.usageFrom,
      cancelAtPeriodEnd: p.cancelAtPeriodEnd,
      nextPlanId: p.nextPlanId,
      nextSeats: p.nextSeats,
      pausedAt: p.pausedAt,
      endedAt: p.endedAt,
      revision: eb('revision', '+', 1),
      updatedAt: p.updatedAt,
    }))
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .where('revision', '=', p.revision),
)

export const insertItem = statement(
  'billing-items.insert',
  (db, p: Bind<Omit<NewRowOf<'billingItems'>, 'tenantId'>>) =>
    db
      .insertInto('billingItems')
      .values({
        tenantId: p.tenantId,
        id: p.id,
        kind: p.kind,
        currency: p.currency,
        amountMinor: p.amountMinor,
        remainingMinor: p.remainingMinor,
        description: p.description,
        detail: p.detail,
        factKey: p.factKey,
        expiresAt: p.expiresAt,
        createdBy: p.createdBy,
        createdAt: p.createdAt,
      })
      .onConflict((conflict) => conflict.columns(['tenantId', 'factKey']).doNothing()),
)
