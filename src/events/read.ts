// Reads the log of a run from a place in it.

import type { RunId, TenantId } from '../base/ids.ts'
import type { JsonObject } from '../base/json.ts'
import type { RunEvent, RunEventType } from '../contract/event.ts'
import type { Database } from '../storage/database.ts'
import type { Bind } from '../storage/statement.ts'
import { statement } from '../storage/statement.ts'

export const RUN_EVENTS_PAGE_MAX = 500

/** The events of a run after a place, in order, without a gap: a run's events are numbered under the lock of its row. */
export async function readRunEvents(
  db: Database,
  tenantId: TenantId,
  runId: RunId,
  page: { readonly after: number; readonly limit: number },
): Promise<readonly RunEvent[]> {
  const rows = await db
    .tenant(tenantId)
    .read((reader) => reader.all(runEventsAfter, { runId, after: page.after, limit: page.limit }))
  return rows.map((row) => ({
    type: row.type as RunEventType,
    runId,
    runSeq: row.runSeq ?? 0,
    actor: row.actor,
    data: JSON.parse(row.data) as JsonObject,
    occurredAt: row.occurredAt,
  }))
}

const runEventsAfter = statement(
  'events.of-run',
  (db, p: Bind<{ runId: RunId; after: number; limit: number }>) =>
    db
      .selectFrom('events')
      .select(['type', 'runSeq', 'actor', 'data', 'occurredAt'])
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('runSeq', '>', p.after)
      .orderBy('runSeq')
      .limit(p.limit),
)
