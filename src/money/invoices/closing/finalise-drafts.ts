// Drafts are finalised by themselves some time after they were made.

import { isAppError } from '../../../base/errors.ts'
import type { InvoiceId, TenantId } from '../../../base/ids.ts'
import type { EpochMs } from '../../../base/time.ts'
import type { Database } from '../../../storage/database.ts'
import { type SystemBind, systemStatement } from '../../../storage/statement.ts'
import { finaliseInvoice, type OnFinalised } from '../change-invoice.ts'
import { FINALISE_AFTER_MS } from '../invoice.ts'
import { inPortions, PORTION_SIZE } from './portions.ts'

export async function finaliseDrafts(db: Database, at: EpochMs, onFinalised?: OnFinalised): Promise<void> {
  const find = (after: Draft | undefined): Promise<readonly Draft[]> =>
    db.system.read((reader) =>
      reader.all(selectDrafts, {
        before: at - FINALISE_AFTER_MS,
        afterAt: after?.createdAt ?? Number.MIN_SAFE_INTEGER,
        afterId: after?.id ?? ('' as InvoiceId),
        limit: PORTION_SIZE,
      }),
    )
  await inPortions(find, async ({ tenantId, id }) => {
    try {
      await db.tenant(tenantId).write((tx) => finaliseInvoice(tx, id, { actor: 'system', at }, onFinalised))
    } catch (error) {
      // Another process or a person was first.
      if (!isAppError(error, 'invoice.state-conflict')) throw error
    }
  })
}

interface Draft {
  readonly tenantId: TenantId
  readonly id: InvoiceId
  readonly createdAt: EpochMs
}

const selectDrafts = systemStatement(
  'invoices.due-drafts',
  'drafts of all tenants are finalised',
  (
    db,
    p: SystemBind<{
      readonly before: EpochMs
      readonly afterAt: EpochMs
      readonly afterId: InvoiceId
      readonly limit: number
    }>,
  ) =>
    db
      .selectFrom('invoices')
      .select(['tenantId', 'id', 'createdAt'])
      .where('state', '=', 'draft')
      .where('createdAt', '<=', p.before)
      .where('createdAt', '>=', p.afterAt)
      .where((eb) =>
        eb.or([
          eb('createdAt', '>', p.afterAt),
          eb.and([eb('createdAt', '=', p.afterAt), eb('id', '>', p.afterId)]),
        ]),
      )
      .orderBy('createdAt')
      .orderBy('id')
      .limit(p.limit),
)
