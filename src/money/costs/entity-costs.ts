// What something cost in a time: in all, by type, and by one thing more.

import { AppError } from '../../base/errors.ts'
import type { TenantId } from '../../base/ids.ts'
import type { Clock, EpochMs } from '../../base/time.ts'
import type { CostEntity, CostGroup } from '../../contract/cost.ts'
import type { CostType } from '../../contract/money.ts'
import type { Database, TenantReader } from '../../storage/database.ts'
import { type CalendarPeriod, type CalendarUnit, checkedTimeZone, monthAt, periodsIn } from './calendar.ts'
import {
  type Asked,
  byType,
  type CallGroup,
  type CostSum,
  type EntryGroup,
  type Part,
  type PartOfAll,
  sumBy,
  sumCalls,
  sumEntries,
  totalOf,
} from './cost-sum.ts'
import { findEntity, namesOf } from './entities.ts'

export interface CostQuery {
  readonly from?: EpochMs | undefined
  readonly to?: EpochMs | undefined
  readonly timeZone?: string | undefined
  readonly groupBy?: CostGroup | undefined
}

export interface CostsOfEntity {
  readonly id: string
  readonly from: EpochMs | undefined
  readonly to: EpochMs | undefined
  readonly timeZone: string
  readonly total: CostSum
  readonly byType: readonly { readonly type: CostType; readonly sum: CostSum }[]
  readonly groups: readonly KeyedSum[]
  readonly groupsLeftOut: number
  readonly replays: CostSum
}

export interface KeyedSum {
  readonly key: string | null
  readonly name: string | null
  readonly sum: CostSum
  readonly period: CalendarPeriod | undefined
}

/** How many groups an answer shows: the dearest. */
export const GROUPS_MAX = 1_000

export async function costsOfEntity(
  { db, clock }: { readonly db: Database; readonly clock: Clock },
  tenantId: TenantId,
  type: CostEntity,
  idText: string,
  query: CostQuery,
): Promise<CostsOfEntity> {
  const timeZone = checkedTimeZone(query.timeZone ?? 'UTC')
  const { from, to } = rangeOf(query, type, clock(), timeZone)
  return db.tenant(tenantId).read(async (reader) => {
    const { id, filter } = await findEntity(reader, type, idText)
    const asked: Asked = { from, to, filter }
    const groupBy = query.groupBy
    const unit = unitOf(groupBy)
    const periods = unit && (await periodsOf(reader, asked, unit, timeZone))
    const grouped = periods
      ? await sumPeriods(reader, asked, periods)
      : { parts: await sumParts(reader, asked, groupBy), groups: undefined }
    const counted = grouped.parts.filter(({ replay }) => !replay)
    const groups = grouped.groups ?? (await groupsOf(reader, counted, groupBy))
    return {
      id,
      from,
      to,
      timeZone,
      total: totalOf(counted),
      byType: byType(counted),
      groups: groups.slice(0, GROUPS_MAX),
      groupsLeftOut: Math.max(0, groups.length - GROUPS_MAX),
      replays: totalOf(grouped.parts.filter(({ replay }) => replay)),
    }
  })
}

/** What was summed by everything, grouped by one thing, with names. */
export function regrouped(
  reader: TenantReader,
  parts: readonly PartOfAll[],
  groupBy: 'model' | 'agent' | 'workflow' | 'user' | 'project',
): Promise<readonly KeyedSum[]> {
  const column = COLUMN_OF[groupBy]
  return groupsOf(
    reader,
    parts.map(({ keys, ...part }) => ({ ...part, key: keys[column] ?? null })),
    groupBy,
  )
}

/** A run is asked for as a whole where no times are given; everything else for this month. */
function rangeOf(
  { from, to }: CostQuery,
  type: CostEntity,
  now: EpochMs,
  timeZone: string,
): { readonly from: EpochMs | undefined; readonly to: EpochMs | undefined } {
  if (from !== undefined && to !== undefined && from >= to)
    throw new AppError('request.invalid', '"from" must be before "to".', {
      errors: [{ path: '/from', message: 'must be before "to"' }],
    })
  if (type === 'run' && from === undefined && to === undefined) return { from, to }
  const month = monthAt(to === undefined ? (from ?? now) : to - 1, timeZone)
  return { from: from ?? month.from, to: to ?? Math.max(month.until, now) }
}

const COLUMN_OF = {
  model: 'model',
  agent: 'agentId',
  workflow: 'workflowId',
  user: 'userId',
  project: 'projectId',
} as const satisfies Partial<Readonly<Record<CostGroup, CallGroup>>>
const CALLS: Partial<Readonly<Record<CostGroup, CallGroup>>> = COLUMN_OF
const ENTRIES: Partial<Readonly<Record<CostGroup, EntryGroup>>> = {
  agent: 'agentId',
  workflow: 'workflowId',
  user: 'userId',
  project: 'projectId',
  tool: 'description',
}

async function sumParts(
  reader: TenantReader,
  asked: Asked,
  groupBy: CostGroup | undefined,
): Promise<readonly Part[]> {
  const calls = await sumCalls(reader, asked, (groupBy && CALLS[groupBy]) ?? null)
  const entries = await sumEntries(reader, asked, (groupBy && ENTRIES[groupBy]) ?? null)
  return [...calls, ...entries]
}

/** One range of the index for each period: a day of 23 hours is as long as its boundaries say. */
async function sumPeriods(
  reader: TenantReader,
  asked: Asked,
  periods: readonly CalendarPeriod[],
): Promise<{ readonly parts: readonly Part[]; readonly groups: readonly KeyedSum[] }> {
  const parts: Part[] = []
  const groups: KeyedSum[] = []
  for (const period of periods) {
    const ofPeriod = await sumParts(reader, { ...asked, from: period.from, to: period.until }, undefined)
    parts.push(...ofPeriod)
    const sum = totalOf(ofPeriod.filter(({ replay }) => !replay))
    groups.push({ key: period.key, name: null, sum, period })
  }
  return { parts, groups }
}

async function periodsOf(
  reader: TenantReader,
  asked: Asked,
  unit: CalendarUnit,
  timeZone: string,
): Promise<readonly CalendarPeriod[]> {
  if (asked.from !== undefined && asked.to !== undefined)
    return periodsIn(asked.from, asked.to, unit, timeZone)
  const first = await edgeOf(reader, asked, 'min')
  const last = await edgeOf(reader, asked, 'max')
  if (first === undefined || last === undefined) return []
  return periodsIn(first, last + 1, unit, timeZone)
}

/** When the first or the last cost of a run was. */
async function edgeOf(
  reader: TenantReader,
  { filter }: Asked,
  edge: 'min' | 'max',
): Promise<EpochMs | undefined> {
  const times: EpochMs[] = []
  for (const table of ['usageRecords', 'costs'] as const) {
    const [row] = await reader.query((db, tenantId) => {
      let query = db
        .selectFrom(table)
        .select((eb) => eb.fn<number | null>(edge, ['occurredAt']).as('at'))
        .where('tenantId', '=', tenantId)
      if (filter) query = query.where(filter.column, 'in', filter.ids as never)
      return query
    })
    if (row?.at != null) times.push(row.at)
  }
  if (times.length === 0) return undefined
  return edge === 'min' ? Math.min(...times) : Math.max(...times)
}

function unitOf(groupBy: CostGroup | undefined): CalendarUnit | undefined {
  return groupBy === 'day' || groupBy === 'week' || groupBy === 'month' ? groupBy : undefined
}

const TOOL_PREFIX = 'tool/'

async function groupsOf(
  reader: TenantReader,
  parts: readonly Part[],
  groupBy: CostGroup | undefined,
): Promise<readonly KeyedSum[]> {
  if (groupBy === undefined) return []
  const sums = sumBy(parts, (part) => groupKey(part, groupBy))
  const ids = [...sums.keys()].filter((key) => key !== null)
  const named = groupBy === 'agent' || groupBy === 'workflow' || groupBy === 'project'
  const names: ReadonlyMap<string, string> = named ? await namesOf(reader, ids) : new Map()
  return [...sums]
    .map(([key, sum]) => ({
      key,
      sum,
      name: key === null ? null : (names.get(key) ?? null),
      period: undefined,
    }))
    .sort((a, b) => compare(b.sum.costNanos, a.sum.costNanos) || compare(a.key ?? '', b.key ?? ''))
}

function groupKey(part: Part, groupBy: CostGroup): string | null {
  if (groupBy === 'type') return part.type
  if (groupBy !== 'tool') return part.key
  if (part.type !== 'TOOL_USAGE' || part.key === null) return null
  return part.key.startsWith(TOOL_PREFIX) ? part.key.slice(TOOL_PREFIX.length) : part.key
}

function compare<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}
