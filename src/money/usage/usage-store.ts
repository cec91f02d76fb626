// Usage records in the database: one per fact, for ever. SQL in, types out; no decision about money.

import type { ModelCallId, RunId, UsageId } from '../../base/ids.ts'
import { isId } from '../../base/ids.ts'
import type { Nanos } from '../../base/money.ts'
import type { EpochMs } from '../../base/time.ts'
import type { Dimensions, UsageKind } from '../../contract/money.ts'
import { type ModelUsage, type TokenCounts, ZERO_COUNTS } from '../../contract/usage.ts'
import type { TenantReader, TenantTransaction } from '../../storage/database.ts'
import type { NewRowOf, RowOf } from '../../storage/schema/tables.ts'
import { type Bind, statement } from '../../storage/statement.ts'
import type { Rating } from '../prices/rating.ts'

export interface NewUsage {
  readonly modelCallId: ModelCallId
  readonly of: Dimensions
  readonly model: string
  readonly usage: ModelUsage
  readonly rating: Rating
  /** Of a replay: nobody's usage of a plan. */
  readonly replay: boolean
  readonly at: EpochMs
  readonly acceptedAt: EpochMs
}

export type UsageRecord = Omit<RowOf<'usageRecords'>, 'tenantId'>

/** The id of the record of a model call: derived, so that writing the same fact twice makes one record. */
export function usageRecordId(modelCallId: ModelCallId): UsageId {
  const id = `use_${modelCallId.slice('mdc_'.length)}`
  if (!isId('modelCall', modelCallId) || !isId('usage', id))
    throw new Error(`"${modelCallId}" is not the id of a model call.`)
  return id
}

/** Writes the record in the transaction of the attempt's result. The first one stays; answers whether this was it. */
export async function insertUsage(tx: TenantTransaction, fact: NewUsage): Promise<boolean> {
  const { usage, rating } = fact
  const counts: TokenCounts = usage.state === 'known' ? usage.counts : ZERO_COUNTS
  const changed = await tx.run(insertRecord, {
    id: usageRecordId(fact.modelCallId),
    kind: 'model_call',
    ...fact.of,
    modelCallId: fact.modelCallId,
    model: fact.model,
    quantity: tokensOf(counts),
    usageState: usage.state,
    inputTokens: counts.inputTokens,
    cachedInputTokens: counts.cachedInputTokens,
    cacheWriteTokens: counts.cacheWriteTokens,
    outputTokens: counts.outputTokens,
    reasoningTokens: counts.reasoningTokens,
    rawUsage: JSON.stringify(usage.state === 'none' ? null : usage.raw),
    costState: rating.costState,
    costNanos: costOf(rating),
    priceId: rating.costState === 'priced' ? rating.priceId : null,
    replay: fact.replay ? 1 : 0,
    occurredAt: fact.at,
    acceptedAt: fact.acceptedAt,
  })
  return changed > 0
}

/** A fact that has no tokens: a run, a call of a tool. */
export interface FactUsage {
  /** Derived from the fact. */
  readonly id: UsageId
  readonly kind: Exclude<UsageKind, 'model_call' | 'token'>
  readonly of: Dimensions
  readonly replay: boolean
  readonly at: EpochMs
}

/** Writes the record of one run or one call. The first one stays. It has no cost of its own. */
export async function insertFactUsage(tx: TenantTransaction, fact: FactUsage): Promise<boolean> {
  const inserted = await tx.run(insertRecord, {
    id: fact.id,
    kind: fact.kind,
    ...fact.of,
    modelCallId: null,
    model: null,
    quantity: 1,
    usageState: 'none',
    ...ZERO_COUNTS,
    rawUsage: 'null',
    costState: 'priced',
    costNanos: 0n,
    priceId: null,
    replay: fact.replay ? 1 : 0,
    occurredAt: fact.at,
    acceptedAt: fact.at,
  })
  return inserted === 1
}

/** The records of a run's model calls in which they were made, with the raw usage and the price that was applied. */
export async function usageOfRun(reader: TenantReader, runId: RunId): Promise<readonly UsageRecord[]> {
  return reader.all(selectByRun, { runId })
}

/** Every token of an attempt once: the kinds are disjoint, and reasoning is a part of the output. */
function tokensOf(counts: TokenCounts): number {
  return counts.inputTokens + counts.cachedInputTokens + counts.cacheWriteTokens + counts.outputTokens
}

function costOf(rating: Rating): Nanos | null {
  return rating.costState === 'priced' ? rating.costNanos : null
}

type RecordValues = Omit<NewRowOf<'usageRecords'>, 'tenantId'>

const insertRecord = statement('usage.insert', (db, p: Bind<RecordValues>) =>
  db
    .insertInto('usageRecords')
    .values({
      tenantId: p.tenantId,
      id: p.id,
      kind: p.kind,
      runId: p.runId,
      agentId: p.agentId,
      workflowId: p.workflowId,
      userId: p.userId,
      apiKeyId: p.apiKeyId,
      projectId: p.projectId,
      modelCallId: p.modelCallId,
      model: p.model,
      quantity: p.quantity,
      usageState: p.usageState,
      inputTokens: p.inputTokens,
      cachedInputTokens: p.cachedInputTokens,
      cacheWriteTokens: p.cacheWriteTokens,
      outputTokens: p.outputTokens,
      reasoningTokens: p.reasoningTokens,
      rawUsage: p.rawUsage,
      costState: p.costState,
      costNanos: p.costNanos,
      priceId: p.priceId,
      replay: p.replay,
      occurredAt: p.occurredAt,
      acceptedAt: p.acceptedAt,
    })
    .onConflict((conflict) => conflict.columns(['tenantId', 'id']).doNothing()),
)

const selectByRun = statement('usage.of-run', (db, p: Bind<{ readonly runId: RunId }>) =>
  db
    .selectFrom('usageRecords')
    .select([
      'id',
      'kind',
      'runId',
      'agentId',
      'workflowId',
      'userId',
      'apiKeyId',
      'projectId',
      'modelCallId',
      'model',
      'quantity',
      'usageState',
      'inputTokens',
      'cachedInputTokens',
      'cacheWriteTokens',
      'outputTokens',
      'reasoningTokens',
      'rawUsage',
      'costState',
      'costNanos',
      'priceId',
      'replay',
      'occurredAt',
      'acceptedAt',
    ])
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('kind', '=', 'model_call')
    .orderBy('id'),
)
