// Links by which somebody answers without a key, in the database: by the hash of their token.

import type { EpochMs } from '../../base/time.ts'
import type { NewRowOf } from '../../storage/schema/tables.ts'
import { type Bind, type SystemBind, statement, systemStatement } from '../../storage/statement.ts'

export const insertLink = statement(
  'approval-links.insert',
  (db, p: Bind<Omit<NewRowOf<'approvalLinks'>, 'tenantId' | 'usedAt'>>) =>
    db.insertInto('approvalLinks').values({
      tenantId: p.tenantId,
      hash: p.hash,
      approvalId: p.approvalId,
      userId: p.userId,
      createdBy: p.createdBy,
      createdAt: p.createdAt,
      expiresAt: p.expiresAt,
      usedAt: null,
    }),
)

/** Of a tenant that is active. */
export const linkByHash = systemStatement(
  'approval-links.by-hash',
  'whoever opens a link shows its token before anybody knows its tenant',
  (db, p: SystemBind<{ hash: string }>) =>
    db
      .selectFrom('approvalLinks')
      .innerJoin('tenants', 'tenants.id', 'approvalLinks.tenantId')
      .selectAll('approvalLinks')
      .where('approvalLinks.hash', '=', p.hash)
      .where('tenants.status', '=', 'active'),
)

/** Of two that use it at the same moment one changes a row. */
export const useLink = statement('approval-links.use', (db, p: Bind<{ hash: string; at: EpochMs }>) =>
  db
    .updateTable('approvalLinks')
    .set({ usedAt: p.at })
    .where('tenantId', '=', p.tenantId)
    .where('hash', '=', p.hash)
    .where('usedAt', 'is', null),
)
