// Accounts whose invoices are late: first in grace, then restricted. They are active again in the transaction that pays.

import type { TenantId } from '../../../base/ids.ts'
import type { EpochMs } from '../../../base/time.ts'
import type { Database } from '../../../storage/database.ts'
import { type SystemBind, systemStatement } from '../../../storage/statement.ts'
import { lockAccount } from '../../subscriptions/subscription-store.ts'
import { settleStanding } from '../change-invoice.ts'
import { RESTRICT_AFTER_MS } from '../invoice.ts'
import { inPortions, PORTION_SIZE } from './portions.ts'

export async function remindLate(db: Database, at: EpochMs): Promise<void> {
  const find = (after: LateAccount | undefined): Promise<readonly LateAccount[]> =>
    db.system.read((reader) =>
      reader.all(selectLate, {
        at,
        restrictBefore: at - RESTRICT_AFTER_MS,
        after: after?.tenantId ?? ('' as TenantId),
        limit: PORTION_SIZE,
      }),
    )
  await inPortions(find, ({ tenantId }) =>
    db.tenant(tenantId).write(async (tx) => {
      const account = await tx.first(lockAccount, {})
      if (account !== undefined) await settleStanding(tx, account, { actor: 'system', at })
    }),
  )
}

interface LateAccount {
  readonly tenantId: TenantId
}

/** Those that stand better than their open invoices allow. */
const selectLate = systemStatement(
  'invoices.late-accounts',
  'accounts of all tenants are late',
  (
    db,
    p: SystemBind<{
      readonly at: EpochMs
      readonly restrictBefore: EpochMs
      readonly after: TenantId
      readonly limit: number
    }>,
  ) =>
    db
      .selectFrom('invoices')
      .innerJoin('billingAccounts', 'billingAccounts.tenantId', 'invoices.tenantId')
      .select('invoices.tenantId')
      .distinct()
      .where('invoices.state', '=', 'open')
      .where('invoices.dueAt', '<=', p.at)
      .where('invoices.tenantId', '>', p.after)
      .where((eb) =>
        eb.or([
          eb('billingAccounts.standing', '=', 'active'),
          eb.and([
            eb('billingAccounts.standing', '=', 'grace'),
            eb('invoices.dueAt', '<=', p.restrictBefore),
          ]),
        ]),
      )
      .orderBy('invoices.tenantId')
      .limit(p.limit),
)
