// The audit facts of a tenant, newest first. It reads the log; it never writes, and it proves nothing (that is the chain's).

import { AppError } from '../base/errors.ts'
import type { TenantId } from '../base/ids.ts'
import { type Json, parseJson } from '../base/json.ts'
import { PAGE_SIZE_MAX } from '../base/limits.ts'
import type { EpochMs } from '../base/time.ts'
import type { Database } from '../storage/database.ts'
import { type Bind, statement } from '../storage/statement.ts'

export interface AuditEntry {
  /** The place in the log: later facts have higher ones, with gaps. */
  readonly seq: number
  readonly type: string
  readonly actor: string
  readonly subject: string
  readonly data: Json
  readonly requestId: string | null
  readonly occurredAt: EpochMs
}

export interface AuditPage {
  readonly items: readonly AuditEntry[]
  readonly nextCursor?: string
}

/**
 * A page of the tenant's audit facts, newest first. Who walks from the first page on sees every fact that was committed
 * when the walk began exactly once, whatever is written meanwhile: a place in the log never changes.
 * Throws `request.invalid` (limit) and `cursor.invalid`.
 */
export async function listAudit(
  db: Database,
  tenantId: TenantId,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<AuditPage> {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > PAGE_SIZE_MAX) {
    throw new AppError('request.invalid', `A page has 1 to ${PAGE_SIZE_MAX} items.`)
  }
  const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : readCursor(cursor)
  const rows = await db
    .tenant(tenantId)
    .read((reader) => reader.all(selectAudit, { before, limit: limit + 1 }))
  const items = rows.slice(0, limit).map((row) => ({ ...row, data: parseJson(row.data) }))
  const last = items.at(-1)
  return rows.length > limit && last !== undefined ? { items, nextCursor: writeCursor(last.seq) } : { items }
}

const selectAudit = statement(
  'events.audit',
  (db, p: Bind<{ readonly before: number; readonly limit: number }>) =>
    db
      .selectFrom('events')
      .select(['seq', 'type', 'actor', 'subject', 'data', 'requestId', 'occurredAt'])
      .where('tenantId', '=', p.tenantId)
      .where('audit', '=', 1)
      .where('seq', '<', p.before)
      .orderBy('seq', 'desc')
      .limit(p.limit),
)

function writeCursor(seq: number): string {
  return Buffer.from(`audit:${seq}`).toString('base64url')
}

function readCursor(cursor: string): number {
  const match = /^audit:([1-9]\d{0,15})$/.exec(Buffer.from(cursor, 'base64url').toString())
  const seq = Number(match?.[1])
  if (!Number.isSafeInteger(seq))
    throw new AppError('cursor.invalid', 'This cursor is not from this list; begin without one.')
  return seq
}
