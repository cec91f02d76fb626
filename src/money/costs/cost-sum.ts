// Sums of costs: exact in any number of rows. Whole dollars and the rest are added apart, so that no sum passes 64 bits.

import { type Expression, sql } from 'kysely'
import { NANOS_PER_USD, type Nanos } from '../../base/money.ts'
import type { EpochMs } from '../../base/time.ts'
import { COST_TYPES, type CostType } from '../../contract/money.ts'
import type { TenantReader } from '../../storage/database.ts'
import type { Filter } from './entities.ts'

/** What has no price is counted, and is in no amount. */
export interface CostSum {
  costNanos: Nanos
  modelCalls: number
  unpricedCalls: number
  usageMissingCalls: number
  inputTokens: number
  cachedInputTokens: number
  cacheWriteTokens: number
  outputTokens: number
  reasoningTokens: number
  otherEntries: number
}

export interface Asked {
  /** Undefined: from the first on. */
  readonly from: EpochMs | undefined
  readonly to: EpochMs | undefined
  readonly filter: Filter | undefined
}

/** By what model calls can be grouped in the database. */
export type CallGroup = 'model' | 'agentId' | 'workflowId' | 'userId' | 'projectId'
/** By what other costs can. A tool's cost has the tool as its description. */
export type EntryGroup = 'agentId' | 'workflowId' | 'userId' | 'projectId' | 'description'

const CALL_GROUPS = ['model', 'agentId', 'workflowId', 'userId', 'projectId'] as const satisfies CallGroup[]
const ENTRY_GROUPS = [
  'agentId',
  'workflowId',
  'userId',
  'projectId',
  'description',
] as const satisfies EntryGroup[]

/** A sum of what has all of these in common. */
export interface PartOfAll extends Omit<Part, 'key'> {
  readonly keys: Readonly<Partial<Record<CallGroup, string | null>>>
}

export interface Part {
  readonly type: CostType
  readonly replay: boolean
  /** What it was grouped by. */
  readonly key: string | null
  readonly sum: CostSum
}

export function emptySum(): CostSum {
  return {
    costNanos: 0n,
    modelCalls: 0,
    unpricedCalls: 0,
    usageMissingCalls: 0,
    inputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    otherEntries: 0,
  }
}

export function addSum(to: CostSum, { costNanos, ...counts }: CostSum): void {
  to.costNanos += costNanos
  for (const [name, count] of Object.entries(counts)) to[name as keyof typeof counts] += count
}

/** Sums by key in the order of first sight. */
export function sumBy<K, P extends Pick<Part, 'sum'>>(
  parts: readonly P[],
  keyOf: (part: P) => K,
): Map<K, CostSum> {
  const sums = new Map<K, CostSum>()
  for (const part of parts) {
    const key = keyOf(part)
    const sum = sums.get(key) ?? emptySum()
    addSum(sum, part.sum)
    sums.set(key, sum)
  }
  return sums
}

export function totalOf(parts: readonly Pick<Part, 'sum'>[]): CostSum {
  const total = emptySum()
  for (const { sum } of parts) addSum(total, sum)
  return total
}

/** The types that are there, in the order of the list. */
export function byType(
  parts: readonly Omit<Part, 'key'>[],
): readonly { readonly type: CostType; readonly sum: CostSum }[] {
  const sums = sumBy(parts, ({ type }) => type)
  return COST_TYPES.flatMap((type) => {
    const sum = sums.get(type)
    return sum ? [{ type, sum }] : []
  })
}

/** Model calls, replays apart, by a column or (null) together. */
export async function sumCalls(
  reader: TenantReader,
  asked: Asked,
  group: CallGroup | null,
): Promise<readonly Part[]> {
  const parts = await callsBy(reader, asked, group === null ? [] : [group])
  return parts.map(({ keys, ...part }) => ({ ...part, key: group === null ? null : keys[group] }))
}

/** Costs that are no model calls, by type, replays apart. */
export async function sumEntries(
  reader: TenantReader,
  asked: Asked,
  group: EntryGroup | null,
): Promise<readonly Part[]> {
  const parts = await entriesBy(reader, asked, group === null ? [] : [group])
  return parts.map(({ keys, ...part }) => ({ ...part, key: group === null ? null : keys[group] }))
}

/**
 * Everything, by all that it can be grouped by at once. Each table is read once: what is summed by one thing and by
 * another then adds up to the same, whatever is written meanwhile.
 */
export async function sumByAll(reader: TenantReader, asked: Asked): Promise<readonly PartOfAll[]> {
  const calls = await callsBy(reader, asked, CALL_GROUPS)
  const entries = await entriesBy(
    reader,
    asked,
    ENTRY_GROUPS.filter((group) => group !== 'description'),
  )
  return [...calls, ...entries]
}

async function callsBy(reader: TenantReader, asked: Asked, groups: readonly CallGroup[]) {
  const rows = await reader.query((db, tenantId) => {
    let query = db
      .selectFrom('usageRecords')
      .select((eb) => [
        'replay',
        ...CALL_GROUPS.map((group) => keyOf(groups.includes(group) ? group : null).as(group)),
        eb.fn.countAll<number>().as('modelCalls'),
        wholeOf(eb.ref('costNanos')).as('wholeNanos'),
        restOf(eb.ref('costNanos')).as('restNanos'),
        countWhere(eb.ref('costState'), 'unpriced').as('unpricedCalls'),
        countWhere(eb.ref('costState'), 'usage_missing').as('usageMissingCalls'),
        eb.fn.sum<number>('inputTokens').as('inputTokens'),
        eb.fn.sum<number>('cachedInputTokens').as('cachedInputTokens'),
        eb.fn.sum<number>('cacheWriteTokens').as('cacheWriteTokens'),
        eb.fn.sum<number>('outputTokens').as('outputTokens'),
        eb.fn.sum<number>('reasoningTokens').as('reasoningTokens'),
      ])
      .where('tenantId', '=', tenantId)
      .where('kind', '=', 'model_call')
      .groupBy(['replay', ...groups])
    if (asked.from !== undefined) query = query.where('occurredAt', '>=', asked.from)
    if (asked.to !== undefined) query = query.where('occurredAt', '<', asked.to)
    if (asked.filter) query = query.where(asked.filter.column, 'in', asked.filter.ids as never)
    return query
  })
  return rows.map(
    ({ replay, model, agentId, workflowId, userId, projectId, wholeNanos, restNanos, ...counts }) => ({
      type: 'LLM_API' as const,
      replay: replay === 1,
      keys: { model, agentId, workflowId, userId, projectId },
      sum: { ...counts, costNanos: joined(wholeNanos, restNanos), otherEntries: 0 },
    }),
  )
}

async function entriesBy(reader: TenantReader, asked: Asked, groups: readonly EntryGroup[]) {
  const rows = await reader.query((db, tenantId) => {
    let query = db
      .selectFrom('costs')
      .select((eb) => [
        'type',
        'replay',
        ...ENTRY_GROUPS.map((group) => keyOf(groups.includes(group) ? group : null).as(group)),
        eb.fn.countAll<number>().as('otherEntries'),
        wholeOf(eb.ref('amountNanos')).as('wholeNanos'),
        restOf(eb.ref('amountNanos')).as('restNanos'),
      ])
      .where('tenantId', '=', tenantId)
      .groupBy(['type', 'replay', ...groups])
    if (asked.from !== undefined) query = query.where('occurredAt', '>=', asked.from)
    if (asked.to !== undefined) query = query.where('occurredAt', '<', asked.to)
    if (asked.filter) query = query.where(asked.filter.column, 'in', asked.filter.ids as never)
    return query
  })
  return rows.map(({ type, replay, otherEntries, wholeNanos, restNanos, ...keys }) => ({
    type,
    replay: replay === 1,
    keys,
    sum: { ...emptySum(), otherEntries, costNanos: joined(wholeNanos, restNanos) },
  }))
}

function keyOf(group: string | null) {
  return group === null ? sql<string | null>`null` : sql<string | null>`${sql.ref(group)}`
}

const USD = sql.lit(Number(NANOS_PER_USD))

function wholeOf(amount: Expression<bigint | null>) {
  return sql<bigint | null>`sum(${amount} / ${USD})`
}

function restOf(amount: Expression<bigint | null>) {
  return sql<bigint | null>`sum(${amount} % ${USD})`
}

function countWhere(column: Expression<string>, value: string) {
  return sql<number>`sum(case when ${column} = ${sql.lit(value)} then 1 else 0 end)`
}

function joined(whole: bigint | null, rest: bigint | null): Nanos {
  return (whole ?? 0n) * NANOS_PER_USD + (rest ?? 0n)
}
