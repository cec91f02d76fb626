// Where a tenant stands: its plan and period, the invoice to come, what it owes and what it has.

import type { TenantId } from '../../../base/ids.ts'
import type { EpochMs } from '../../../base/time.ts'
import type { Database, TenantReader } from '../../../storage/database.ts'
import { type Bind, statement } from '../../../storage/statement.ts'
import type { Plan } from '../../plans/plan.ts'
import { planOfId } from '../../plans/plan-store.ts'
import { decide } from '../../subscriptions/advance.ts'
import { accountOf, openSubscription, type SubscriptionRow } from '../../subscriptions/subscription-store.ts'
import { workOut } from '../drafting.ts'
import type { BillingAccount, DraftedInvoice, InvoiceRow } from '../invoice.ts'
import { openItems } from '../invoice-store.ts'
import { sum } from '../rounding.ts'

/** The invoices that a summary shows. */
const INVOICES_SHOWN = 5

export interface UpcomingInvoice {
  readonly currency: string
  readonly periodStart: EpochMs
  readonly periodEnd: EpochMs
  readonly drafted: DraftedInvoice
}

export interface BillingSummary {
  readonly tenantId: TenantId
  readonly account: BillingAccount | undefined
  readonly subscription: { readonly row: SubscriptionRow; readonly plan: Plan } | undefined
  readonly upcoming: UpcomingInvoice | undefined
  readonly balance:
    | {
        readonly currency: string
        readonly outstandingMinor: bigint
        readonly overdueMinor: bigint
        readonly creditMinor: bigint
      }
    | undefined
  readonly invoices: readonly InvoiceRow[]
}

export function billingSummary(db: Database, tenantId: TenantId, at: EpochMs): Promise<BillingSummary> {
  return db.tenant(tenantId).read(async (reader) => {
    const account = await reader.first(accountOf, {})
    const row = await reader.first(openSubscription, {})
    const plan = row === undefined ? undefined : await planOfId(reader, row.planId)
    const subscription = row === undefined || plan === undefined ? undefined : { row, plan }
    return {
      tenantId,
      account,
      subscription,
      upcoming:
        account === undefined || subscription === undefined
          ? undefined
          : await upcomingOf(reader, account, subscription, at),
      balance: account === undefined ? undefined : await balanceOf(reader, account, at),
      invoices: await reader.all(lastInvoices, { limit: INVOICES_SHOWN }),
    }
  })
}

/** What the invoice would be, were the period to end with what was used so far. */
async function upcomingOf(
  reader: TenantReader,
  { currency, timeZone }: BillingAccount,
  { row, plan }: { readonly row: SubscriptionRow; readonly plan: Plan },
  at: EpochMs,
): Promise<UpcomingInvoice> {
  const nextPlan = row.nextPlanId === null ? plan : await planOfId(reader, row.nextPlanId)
  const { used, next } = decide(row, { plan, nextPlan, timeZone, at })
  const { usageFrom: periodStart, periodEnd } = row
  const drafted = await workOut(reader, { currency, periodStart, periodEnd, used, next })
  return { currency, periodStart, periodEnd, drafted }
}

async function balanceOf(
  reader: TenantReader,
  { currency }: BillingAccount,
  at: EpochMs,
): Promise<BillingSummary['balance']> {
  const owed = await reader.all(unpaidInvoices, {})
  const total = (rows: typeof owed): bigint => sum(rows.map(({ totalMinor }) => totalMinor))
  const credits = (await reader.all(openItems, {})).filter(
    (item) =>
      item.kind === 'credit' &&
      item.currency === currency &&
      (item.expiresAt === null || item.expiresAt > at),
  )
  return {
    currency,
    outstandingMinor: total(owed),
    overdueMinor: total(owed.filter(({ dueAt }) => dueAt !== null && dueAt <= at)),
    creditMinor: sum(credits.map(({ remainingMinor }) => remainingMinor)),
  }
}

const lastInvoices = statement('invoices.last', (db, p: Bind<{ readonly limit: number }>) =>
  db
    .selectFrom('invoices')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .orderBy('id', 'desc')
    .limit(p.limit),
)

const unpaidInvoices = statement('invoices.unpaid', (db, p: Bind<object>) =>
  db
    .selectFrom('invoices')
    .select(['totalMinor', 'dueAt'])
    .where('tenantId', '=', p.tenantId)
    .where('state', 'in', ['open', 'uncollectible']),
)
