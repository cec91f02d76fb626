import type { BillingItemId, InvoiceId, OutboxId, PlanId, SubscriptionId, TenantId } from '../../base/ids.ts'
import { INVOICE_LINE_KINDS, INVOICE_STATES, METRICS, SUBSCRIPTION_STATES } from '../../contract/money.ts'
import {
  integer,
  integerOrNull,
  json,
  money,
  moneyOrNull,
  oneOf,
  oneOfOrNull,
  table,
  text,
  textOrNull,
} from './table.ts'

/** What the platform sells. A row is one version and never changes but for its state; subscriptions name a version. */
export const plans = table('plans', {
  tenant: false,
  columns: {
    id: text<PlanId>(),
    /** `free`, `pro`: the same in all versions. */
    key: text(),
    version: integer(),
    name: text(),
    description: text(),
    /** ISO 4217. */
    currency: text(),
    interval: oneOf('month', 'year'),
    /** In minor units of the currency (cents, yen, fils), for each seat where `perSeat`. */
    baseMinor: money(),
    perSeat: integer(),
    trialDays: integer(),
    /** JSON: metric → how much of it the base price includes in each period. */
    included: json(),
    /** JSON array: how what is above that is charged, by metric. */
    overage: json(),
    /** JSON array of names. */
    features: json(),
    /** JSON: the limits that the platform keeps. */
    limits: json(),
    state: oneOf('active', 'archived'),
    stripePriceId: textOrNull(),
    createdBy: text(),
    createdAt: integer(),
  },
  primaryKey: ['id'],
  unique: [['key', 'version']],
})

/** Who is billed. */
export const billingAccounts = table('billing_accounts', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    name: text({ personal: true }),
    email: textOrNull({ personal: true }),
    currency: text(),
    timeZone: text(),
    /** Who collects: we send invoices that are paid by hand, or Stripe charges. */
    collection: oneOf('manual', 'stripe'),
    stripeCustomerId: textOrNull(),
    /** `active`; `grace`: an invoice is late; `restricted`: too late, no new runs. */
    standing: oneOf('active', 'grace', 'restricted'),
    standingSince: integer(),
    /** The number of the last invoice that was finalised. */
    lastNumber: integer(),
    /** Until when usage was told to Stripe; null: it is not. */
    meteredUntil: integerOrNull(),
    /** How many jobs the plan lets run at once; null: as many as the tenant's own cap. The queue reads it. */
    maxConcurrentJobs: integerOrNull(),
    createdAt: integer(),
    updatedAt: integer(),
  },
  primaryKey: ['tenantId'],
  unique: [['stripeCustomerId']],
  foreignKeys: [{ columns: ['tenantId'], table: 'tenants', references: ['id'] }],
})

export const subscriptions = table('subscriptions', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<SubscriptionId>(),
    planId: text<PlanId>(),
    seats: integer(),
    state: oneOf(...SUBSCRIPTION_STATES),
    /** Periods are counted from here, so that 31 January leads to 28 February and to 31 March. */
    anchorAt: integer(),
    periodStart: integer(),
    periodEnd: integer(),
    /** Since when the plan charges for usage: the period's start, or the change of the plan within it. */
    usageFrom: integer(),
    trialEndsAt: integerOrNull(),
    cancelAtPeriodEnd: integer(),
    /** The plan and seats from the next period on. */
    nextPlanId: textOrNull<PlanId>(),
    nextSeats: integerOrNull(),
    pausedAt: integerOrNull(),
    endedAt: integerOrNull(),
    stripeSubscriptionId: textOrNull(),
    revision: integer(),
    createdBy: text(),
    createdAt: integer(),
    updatedAt: integer(),
  },
  primaryKey: ['tenantId', 'id'],
  indexes: [
    {
      name: 'subscriptions_open',
      columns: ['tenantId'],
      unique: true,
      where: "state <> 'cancelled'",
    },
    { name: 'subscriptions_due', columns: ['periodEnd'], where: "state <> 'cancelled'" },
    { name: 'subscriptions_by_plan', columns: ['planId'], where: "state <> 'cancelled'" },
  ],
  foreignKeys: [
    { columns: ['planId'], table: 'plans', references: ['id'] },
    { columns: ['tenantId'], table: 'billing_accounts', references: ['tenantId'] },
  ],
})

export const invoices = table('invoices', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<InvoiceId>(),
    /** Given when it is finalised, without gaps. */
    number: textOrNull(),
    subscriptionId: textOrNull<SubscriptionId>(),
    state: oneOf(...INVOICE_STATES),
    currency: text(),
    periodStart: integer(),
    periodEnd: integer(),
    /** JSON: the plans, seats and periods that it is worked out from. */
    basis: json(),
    /** Minor units; the sum of the lines, credits apart. */
    subtotalMinor: money(),
    /** What credits took off: not negative. */
    creditMinor: money(),
    totalMinor: money(),
    dueAt: integerOrNull(),
    finalisedAt: integerOrNull(),
    paidAt: integerOrNull(),
    voidedAt: integerOrNull(),
    /** How it was paid, or why it is void. */
    note: textOrNull(),
    stripeInvoiceId: textOrNull(),
    createdAt: integer(),
    updatedAt: integer(),
  },
  primaryKey: ['tenantId', 'id'],
  indexes: [
    {
      name: 'invoices_by_number',
      columns: ['tenantId', 'number'],
      unique: true,
      where: 'number is not null',
    },
    {
      name: 'invoices_by_period',
      // By its end: the invoice that opens a subscription has a period of no length, before the first one.
      columns: ['tenantId', 'subscriptionId', 'periodEnd'],
      unique: true,
      where: "subscription_id is not null and state <> 'void'",
    },
    { name: 'invoices_drafted', columns: ['createdAt'], where: "state = 'draft'" },
    { name: 'invoices_late', columns: ['dueAt'], where: "state = 'open'" },
    { name: 'invoices_by_stripe', columns: ['stripeInvoiceId'], where: 'stripe_invoice_id is not null' },
  ],
  foreignKeys: [{ columns: ['tenantId'], table: 'billing_accounts', references: ['tenantId'] }],
})

export const invoiceLines = table('invoice_lines', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    invoiceId: text<InvoiceId>(),
    seq: integer(),
    kind: oneOf(...INVOICE_LINE_KINDS),
    metric: oneOfOrNull(...METRICS),
    planId: textOrNull<PlanId>(),
    description: text(),
    /** Of the metric, or seats; null where there is no quantity. */
    quantity: integerOrNull(),
    /** The exact amount in billionths of a unit of the currency; `amountMinor` is it, rounded so that lines add up. */
    exactNanos: moneyOrNull(),
    amountMinor: money(),
    /** JSON: how it was worked out (tiers, days, the credit that it uses). */
    detail: json(),
    /** Between which times of acceptance its usage lies. */
    fromAt: integerOrNull(),
    untilAt: integerOrNull(),
  },
  primaryKey: ['tenantId', 'invoiceId', 'seq'],
  foreignKeys: [{ columns: ['tenantId', 'invoiceId'], table: 'invoices', references: ['tenantId', 'id'] }],
})

/** What the next invoice takes up: credits (used until they are used up), adjustments and prorations (once). */
export const billingItems = table('billing_items', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<BillingItemId>(),
    kind: oneOf('credit', 'adjustment', 'proration'),
    currency: text(),
    /** A credit is positive and lowers the total; the others are added as they are. */
    amountMinor: money(),
    /** What of a credit is left; of the others the amount until an invoice took it, then 0. */
    remainingMinor: money(),
    description: text(),
    /** JSON: how it was worked out. */
    detail: json(),
    /** The fact that it stands for: one item for ever. */
    factKey: text(),
    expiresAt: integerOrNull(),
    createdBy: text(),
    createdAt: integer(),
  },
  primaryKey: ['tenantId', 'id'],
  unique: [['tenantId', 'factKey']],
  indexes: [
    { name: 'billing_items_open', columns: ['tenantId', 'createdAt'], where: 'remaining_minor <> 0' },
  ],
})

/** What has to be told to Stripe: sent until it is accepted, each once. */
export const billingOutbox = table('billing_outbox', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<OutboxId>(),
    kind: oneOf('meter_event', 'invoice'),
    /** Derived from the fact; goes along as Stripe's own identifier or idempotency key. */
    identifier: text(),
    payload: json(),
    state: oneOf('pending', 'sent', 'refused', 'dead'),
    attempts: integer(),
    /** The first try: Stripe knows what came with it for a day. */
    triedAt: integerOrNull(),
    nextAt: integer(),
    lastError: textOrNull(),
    createdAt: integer(),
    sentAt: integerOrNull(),
  },
  primaryKey: ['tenantId', 'id'],
  unique: [['tenantId', 'identifier']],
  indexes: [{ name: 'billing_outbox_due', columns: ['nextAt'], where: "state = 'pending'" }],
})

/** Events that Stripe sent: each is seen to once, in whatever order they come. */
export const stripeEvents = table('stripe_events', {
  tenant: false,
  columns: {
    id: text(),
    type: text(),
    objectId: text(),
    /** Epoch seconds, as Stripe says. */
    createdSeconds: integer(),
    receivedAt: integer(),
    processedAt: integerOrNull(),
    attempts: integer(),
    /** When it is looked at again. */
    nextAt: integer(),
    /** Why it could not be seen to yet. */
    error: textOrNull(),
    payload: json({ personal: true }),
  },
  primaryKey: ['id'],
  indexes: [{ name: 'stripe_events_open', columns: ['nextAt'], where: 'processed_at is null' }],
  retained: 'receivedAt',
})
