// The costs themselves, newest first: model calls and what was told, as one list.

import type { TenantId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { CostType } from '../../contract/money.ts'
import type { Database, TenantReader } from '../../storage/database.ts'
import type { RowOf } from '../../storage/schema/tables.ts'
import type { CostRow } from './cost-store.ts'
import { findEntity } from './entities.ts'

export type Entry =
  | { readonly of: 'call'; readonly row: RowOf<'usageRecords'> }
  | { readonly of: 'cost'; readonly row: CostRow }

export interface EntryQuery {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly from?: EpochMs | undefined
  readonly to?: EpochMs | undefined
  readonly type?: CostType | undefined
  readonly costState?: 'priced' | 'unpriced' | 'usage_missing' | undefined
  readonly model?: string | undefined
  readonly agent?: string | undefined
  readonly workflow?: string | undefined
  readonly project?: string | undefined
  readonly userId?: string | undefined
  readonly runId?: string | undefined
}

/** A position: time and id, so that what is of one moment has an order. */
const CURSOR = /^(\d{1,15}) ([a-z]{3}_[0-9a-z]{26})$/

export async function listCosts(
  db: Database,
  tenantId: TenantId,
  asked: EntryQuery,
): Promise<{ readonly items: readonly Entry[]; readonly nextCursor: string | undefined }> {
  return db.tenant(tenantId).read(async (reader) => {
    const where = await conditions(reader, asked)
    const entries: Entry[] = []
    if (asked.type === undefined || asked.type === 'LLM_API')
      for (const row of await pageOfCalls(reader, asked, where)) entries.push({ of: 'call', row })
    if (asked.model === undefined && (asked.costState ?? 'priced') === 'priced')
      for (const row of await pageOfCosts(reader, asked, where)) entries.push({ of: 'cost', row })
    entries.sort(({ row: a }, { row: b }) => b.occurredAt - a.occurredAt || (a.id < b.id ? 1 : -1))
    const items = entries.slice(0, asked.limit)
    const last = items.at(-1)?.row
    const more = entries.length > asked.limit && last !== undefined
    return { items, nextCursor: more ? `${last.occurredAt} ${last.id}` : undefined }
  })
}

type Columns = 'agentId' | 'workflowId' | 'projectId' | 'userId' | 'runId'
interface Conditions {
  readonly equal: readonly (readonly [Columns, string])[]
  readonly before: { readonly at: EpochMs; readonly id: string } | undefined
}

async function conditions(reader: TenantReader, asked: EntryQuery): Promise<Conditions> {
  const equal: [Columns, string][] = []
  for (const type of ['agent', 'workflow', 'project'] as const) {
    const text = asked[type]
    if (text !== undefined) equal.push([`${type}Id`, (await findEntity(reader, type, text)).id])
  }
  if (asked.userId !== undefined) equal.push(['userId', asked.userId])
  if (asked.runId !== undefined) equal.push(['runId', asked.runId])
  const [, at, id] = CURSOR.exec(asked.cursor ?? '') ?? []
  return { equal, before: at === undefined || id === undefined ? undefined : { at: Number(at), id } }
}

function pageOfCalls(reader: TenantReader, asked: EntryQuery, { equal, before }: Conditions) {
  return reader.query((db, tenantId) => {
    let query = db
      .selectFrom('usageRecords')
      .selectAll()
      .where('tenantId', '=', tenantId)
      .where('kind', '=', 'model_call')
    for (const [column, id] of equal) query = query.where(column, '=', id as never)
    if (asked.from !== undefined) query = query.where('occurredAt', '>=', asked.from)
    if (asked.to !== undefined) query = query.where('occurredAt', '<', asked.to)
    if (asked.model !== undefined) query = query.where('model', '=', asked.model)
    if (asked.costState !== undefined) query = query.where('costState', '=', asked.costState)
    if (before)
      query = query
        .where('occurredAt', '<=', before.at)
        .where((eb) => eb.or([eb('occurredAt', '<', before.at), eb('id', '<', before.id as never)]))
    return query
      .orderBy('occurredAt', 'desc')
      .orderBy('id', 'desc')
      .limit(asked.limit + 1)
  })
}

function pageOfCosts(reader: TenantReader, asked: EntryQuery, { equal, before }: Conditions) {
  return reader.query((db, tenantId) => {
    let query = db.selectFrom('costs').selectAll().where('tenantId', '=', tenantId)
    for (const [column, id] of equal) query = query.where(column, '=', id as never)
    if (asked.type !== undefined) query = query.where('type', '=', asked.type)
    if (asked.from !== undefined) query = query.where('occurredAt', '>=', asked.from)
    if (asked.to !== undefined) query = query.where('occurredAt', '<', asked.to)
    if (before)
      query = query
        .where('occurredAt', '<=', before.at)
        .where((eb) => eb.or([eb('occurredAt', '<', before.at), eb('id', '<', before.id as never)]))
    return query
      .orderBy('occurredAt', 'desc')
      .orderBy('id', 'desc')
      .limit(asked.limit + 1)
  })
}
