// Periods that have ended are closed: in one transaction the invoice is drafted and the subscription moves on. Several
// processes do it at once; whoever holds the account first does it, and the next one finds nothing due.

import type { SubscriptionId, TenantId } from '../../../base/ids.ts'
import type { EpochMs } from '../../../base/time.ts'
import type { Database, TenantTransaction } from '../../../storage/database.ts'
import { type SystemBind, systemStatement } from '../../../storage/statement.ts'
import { planOfId } from '../../plans/plan-store.ts'
import { advanceSubscription } from '../../subscriptions/advance.ts'
import {
  lockAccount,
  type SubscriptionRow,
  subscriptionById,
} from '../../subscriptions/subscription-store.ts'
import { auditInvoice } from '../change-invoice.ts'
import { writeDraft } from '../drafting.ts'
import type { Basis } from '../invoice.ts'
import { invoiceById } from '../invoice-store.ts'
import { chargedMetrics } from '../lines.ts'
import { inPortions, PORTION_SIZE } from './portions.ts'

/** How many periods of one subscription are made up for in a turn: when nothing ran for long. */
const PERIODS_PER_TURN_MAX = 24

export async function closePeriods(db: Database, at: EpochMs): Promise<void> {
  const find = (after: DueSubscription | undefined): Promise<readonly DueSubscription[]> =>
    db.system.read((reader) =>
      reader.all(selectDue, {
        at,
        afterEnd: after?.periodEnd ?? Number.MIN_SAFE_INTEGER,
        afterId: after?.id ?? ('' as SubscriptionId),
        limit: PORTION_SIZE,
      }),
    )
  await inPortions(find, async ({ tenantId, id }) => {
    for (let closed = 0; closed < PERIODS_PER_TURN_MAX; closed++)
      if (!(await db.tenant(tenantId).write((tx) => closePeriod(tx, id, at)))) return
  })
}

/** Closes the period of the subscription where it has ended by then; answers whether it had. */
export async function closePeriod(tx: TenantTransaction, id: SubscriptionId, at: EpochMs): Promise<boolean> {
  const account = await tx.first(lockAccount, {})
  const subscription = await tx.first(subscriptionById, { id })
  if (account === undefined || subscription === undefined) return false
  if (subscription.state === 'cancelled' || subscription.periodEnd > at) return false
  const { usageFrom, periodEnd } = subscription
  const { used, next } = await advanceSubscription(tx, subscription, at)
  await draft(tx, id, { currency: account.currency, periodStart: usageFrom, periodEnd, used, next }, at)
  return true
}

/** Where the plan was changed within a period: what was used before is invoiced now, as the old plan charges for it. */
export async function closeUsage(
  tx: TenantTransaction,
  { id, planId, usageFrom, periodStart, periodEnd }: SubscriptionRow,
  until: EpochMs,
  at: EpochMs,
): Promise<void> {
  if (until <= usageFrom) return
  const plan = await planOfId(tx, planId)
  if (chargedMetrics(plan).length === 0) return
  const share = { part: until - usageFrom, whole: periodEnd - periodStart }
  const used = { plan, share, trial: false }
  const { currency } = plan
  await draft(tx, id, { currency, periodStart: usageFrom, periodEnd: until, used, next: undefined }, at)
}

async function draft(tx: TenantTransaction, id: SubscriptionId, basis: Basis, at: EpochMs): Promise<void> {
  const written = await writeDraft(tx, id, basis, at)
  const invoice = written && (await tx.first(invoiceById, { id: written.id }))
  if (invoice === undefined) return
  await auditInvoice(tx, 'invoice.drafted', undefined, invoice, { actor: 'system', at })
}

interface DueSubscription {
  readonly tenantId: TenantId
  readonly id: SubscriptionId
  readonly periodEnd: EpochMs
}

const selectDue = systemStatement(
  'invoices.due-subscriptions',
  'periods of all tenants end',
  (
    db,
    p: SystemBind<{
      readonly at: EpochMs
      readonly afterEnd: EpochMs
      readonly afterId: SubscriptionId
      readonly limit: number
    }>,
  ) =>
    db
      .selectFrom('subscriptions')
      .select(['tenantId', 'id', 'periodEnd'])
      .where('state', '<>', 'cancelled')
      .where('periodEnd', '<=', p.at)
      .where('periodEnd', '>=', p.afterEnd)
      .where((eb) =>
        eb.or([
          eb('periodEnd', '>', p.afterEnd),
          eb.and([eb('periodEnd', '=', p.afterEnd), eb('id', '>', p.afterId)]),
        ]),
      )
      .orderBy('periodEnd')
      .orderBy('id')
      .limit(p.limit),
)
