// Invoices, their lines and the standing of accounts in the database. SQL in, types out; no decision about money.

import type { BillingItemId, InvoiceId, SubscriptionId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import { forNoKeyUpdate } from '../../storage/dialect.ts'
import type { NewRowOf } from '../../storage/schema/tables.ts'
import { type Bind, statement } from '../../storage/statement.ts'
import type { BillingAccount, InvoiceRow } from './invoice.ts'

type NewInvoice = Omit<NewRowOf<'invoices'>, 'tenantId'>
type NewLine = Omit<NewRowOf<'invoiceLines'>, 'tenantId'>
interface OfInvoice {
  readonly id: InvoiceId
}

/** One for each period of a subscription: where there is one that is not void, nothing is written. */
export const insertInvoice = statement('invoices.insert', (db, p: Bind<NewInvoice>) =>
  db
    .insertInto('invoices')
    .values({
      tenantId: p.tenantId,
      id: p.id,
      number: p.number,
      subscriptionId: p.subscriptionId,
      state: p.state,
      currency: p.currency,
      periodStart: p.periodStart,
      periodEnd: p.periodEnd,
      basis: p.basis,
      subtotalMinor: p.subtotalMinor,
      creditMinor: p.creditMinor,
      totalMinor: p.totalMinor,
      dueAt: p.dueAt,
      finalisedAt: p.finalisedAt,
      paidAt: p.paidAt,
      voidedAt: p.voidedAt,
      note: p.note,
      stripeInvoiceId: p.stripeInvoiceId,
      createdAt: p.createdAt,
      updatedAt: p.updatedAt,
    })
    .onConflict((conflict) => conflict.doNothing()),
)

export const invoiceById = statement('invoices.by-id', (db, p: Bind<OfInvoice>) =>
  db.selectFrom('invoices').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

export const lockInvoice = statement('invoices.lock', (db, p: Bind<OfInvoice>, dialect) =>
  db
    .selectFrom('invoices')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .$call(forNoKeyUpdate(dialect)),
)

type Changes = Pick<
  InvoiceRow,
  | 'id'
  | 'number'
  | 'state'
  | 'subtotalMinor'
  | 'creditMinor'
  | 'totalMinor'
  | 'dueAt'
  | 'finalisedAt'
  | 'paidAt'
  | 'voidedAt'
  | 'note'
  | 'updatedAt'
>

export const updateInvoice = statement('invoices.update', (db, p: Bind<Changes>) =>
  db
    .updateTable('invoices')
    .set({
      number: p.number,
      state: p.state,
      subtotalMinor: p.subtotalMinor,
      creditMinor: p.creditMinor,
      totalMinor: p.totalMinor,
      dueAt: p.dueAt,
      finalisedAt: p.finalisedAt,
      paidAt: p.paidAt,
      voidedAt: p.voidedAt,
      note: p.note,
      updatedAt: p.updatedAt,
    })
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id),
)

export const insertLine = statement('invoices.insert-line', (db, p: Bind<NewLine>) =>
  db.insertInto('invoiceLines').values({
    tenantId: p.tenantId,
    invoiceId: p.invoiceId,
    seq: p.seq,
    kind: p.kind,
    metric: p.metric,
    planId: p.planId,
    description: p.description,
    quantity: p.quantity,
    exactNanos: p.exactNanos,
    amountMinor: p.amountMinor,
    detail: p.detail,
    fromAt: p.fromAt,
    untilAt: p.untilAt,
  }),
)

export const deleteLines = statement('invoices.delete-lines', (db, p: Bind<OfInvoice>) =>
  db.deleteFrom('invoiceLines').where('tenantId', '=', p.tenantId).where('invoiceId', '=', p.id),
)

export const linesOfInvoice = statement('invoices.lines', (db, p: Bind<OfInvoice>) =>
  db
    .selectFrom('invoiceLines')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('invoiceId', '=', p.id)
    .orderBy('seq'),
)

/** Takes the account's next number. Others who want one wait until this transaction has ended. */
export const takeNumber = statement('invoices.take-number', (db, p: Bind<{ readonly at: EpochMs }>) =>
  db
    .updateTable('billingAccounts')
    .set((eb) => ({ lastNumber: eb('lastNumber', '+', 1), updatedAt: p.at }))
    .where('tenantId', '=', p.tenantId)
    .returning('lastNumber'),
)

export const updateStanding = statement(
  'invoices.update-standing',
  (db, p: Bind<{ readonly standing: BillingAccount['standing']; readonly at: EpochMs }>) =>
    db
      .updateTable('billingAccounts')
      .set({ standing: p.standing, standingSince: p.at, updatedAt: p.at })
      .where('tenantId', '=', p.tenantId),
)

/** Since when the first of the open invoices is due, and how many were given up. */
export const lateInvoices = statement('invoices.late', (db, p: Bind<object>) =>
  db
    .selectFrom('invoices')
    .select((eb) => [
      eb.fn.min('dueAt').filterWhere('state', '=', 'open').as('firstDueAt'),
      eb.fn.countAll<number>().filterWhere('state', '=', 'uncollectible').as('givenUp'),
    ])
    .where('tenantId', '=', p.tenantId)
    .where('state', 'in', ['open', 'uncollectible']),
)

export const itemById = statement('invoices.item', (db, p: Bind<{ readonly id: BillingItemId }>) =>
  db.selectFrom('billingItems').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

export const itemByFact = statement('invoices.item-by-fact', (db, p: Bind<{ readonly factKey: string }>) =>
  db
    .selectFrom('billingItems')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('factKey', '=', p.factKey),
)

export const openItems = statement('invoices.open-items', (db, p: Bind<object>) =>
  db
    .selectFrom('billingItems')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('remainingMinor', '<>', 0n)
    .orderBy('createdAt')
    .orderBy('id'),
)

/** Takes an amount of what is left of an item; a negative one gives it back. */
export const takeOfItem = statement(
  'invoices.take-of-item',
  (db, p: Bind<{ readonly id: BillingItemId; readonly amountMinor: bigint }>) =>
    db
      .updateTable('billingItems')
      .set((eb) => ({ remainingMinor: eb('remainingMinor', '-', p.amountMinor) }))
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id),
)

export const invoiceOfPeriod = statement(
  'invoices.of-period',
  (db, p: Bind<{ readonly subscriptionId: SubscriptionId; readonly periodEnd: EpochMs }>) =>
    db
      .selectFrom('invoices')
      .selectAll()
      .where('tenantId', '=', p.tenantId)
      .where('subscriptionId', '=', p.subscriptionId)
      .where('periodEnd', '=', p.periodEnd)
      .where('state', '<>', 'void'),
)
