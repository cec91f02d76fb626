// Reads of approvals: always from what is stored, always within the tenant.

import { AppError } from '../../base/errors.ts'
import type { ApprovalId, TenantId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { Database } from '../../storage/database.ts'
import { runById } from '../journal/run-store.ts'
import { type ApprovalRow, approvalById, votesOf } from './approval-store.ts'
import type { Approval, ApprovalDetail, ApprovalFilter, ApprovalPage } from './approvals.ts'

/** Newest first. Throws `run.not-found` where the filter names a run that is not there. */
export function listApprovals(
  db: Database,
  tenantId: TenantId,
  filter: ApprovalFilter,
): Promise<ApprovalPage> {
  const { limit, cursor, state, runId } = filter
  return db.tenant(tenantId).read(async (reader) => {
    if (runId !== undefined && (await reader.first(runById, { id: runId })) === undefined)
      throw new AppError('run.not-found', `There is no run "${runId}".`)
    const rows = await reader.query((builder, tenant) => {
      let query = builder.selectFrom('approvals').selectAll().where('tenantId', '=', tenant)
      if (cursor !== undefined) query = query.where('id', '<', cursor as ApprovalId)
      if (state !== undefined) query = query.where('state', '=', state)
      if (runId !== undefined) query = query.where('runId', '=', runId)
      return query.orderBy('id', 'desc').limit(limit + 1)
    })
    const items = rows.slice(0, limit).map(approvalView)
    return { items, nextCursor: rows.length > limit ? items.at(-1)?.id : undefined }
  })
}

/** With its votes. Throws `approval.not-found`. */
export function getApproval(db: Database, tenantId: TenantId, id: ApprovalId): Promise<ApprovalDetail> {
  return db.tenant(tenantId).read(async (reader) => {
    const row = await reader.first(approvalById, { id })
    if (row === undefined) throw new AppError('approval.not-found', `There is no approval "${id}".`)
    const votes = await reader.all(votesOf, { approvalId: id })
    return {
      ...approvalView(row),
      votes: votes.map(({ userId, actor, outcome, reason, createdAt }) => ({
        userId,
        actor,
        outcome,
        reason,
        createdAt,
      })),
    }
  })
}

export function approvalView(row: ApprovalRow): Approval {
  const { tenantId: _, arguments: text, excludeRequester, ...rest } = row
  return { ...rest, arguments: JSON.parse(text) as Json, excludeRequester: excludeRequester === 1 }
}
