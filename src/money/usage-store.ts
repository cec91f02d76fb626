// Usage records in the database: one per attempt at a model, for ever. SQL in, types out; no decision about money.

import type { ModelCallId, RunId, UsageId } from '../base/ids.ts'
import { isId } from '../base/ids.ts'
import type { Nanos } from '../base/money.ts'
import type { EpochMs } from '../base/time.ts'
import { type ModelUsage, type TokenCounts, ZERO_COUNTS } from '../contract/usage.ts'
import type { TenantReader, TenantTransaction } from '../storage/database.ts'
import type { NewRowOf, RowOf } from '../storage/schema/tables.ts'
import { type Bind, statement } from '../storage/statement.ts'
import type { Rating } from './rating.ts'

export interface NewUsage {
  readonly modelCallId: ModelCallId
  readonly runId: RunId
  readonly agentId: string
  readonly model: string
  readonly usage: ModelUsage
  readonly rating: Rating
  /** Of a replay: nobody's usage of a plan. */
  readonly replay: boolean
  readonly at: EpochMs
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
    runId: fact.runId,
    modelCallId: fact.modelCallId,
    agentId: fact.agentId,
    model: fact.model,
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
  })
  return changed > 0
}

/** The records of a run in the order of its model calls, with the raw usage and the price that was applied. */
export async function usageOfRun(reader: TenantReader, runId: RunId): Promise<readonly UsageRecord[]> {
  return reader.all(selectByRun, { runId })
}

function costOf(rating: Rating): Nanos | null {
  return rating.costState === 'priced' ? rating.costNanos : null
}

type RecordValues = Omit<NewRowOf<'usageRecords'>, 'tenantId' | 'kind'>

const insertRecord = statement('usage.insert', (db, p: Bind<RecordValues>) =>
  db
    .insertInto('usageRecords')
    .values({
      tenantId: p.tenantId,
      id: p.id,
      kind: 'model_call',
      runId: p.runId,
      modelCallId: p.modelCallId,
      agentId: p.agentId,
      model: p.model,
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
      'modelCallId',
      'agentId',
      'model',
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
    ])
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .orderBy('id'),
)
