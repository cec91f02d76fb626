// What hints are computed from: the last model calls of a time with their rows of the prompt log. SQL in, sums out.

import { type Kysely, sql } from 'kysely'
import type { TenantId } from '../../../base/ids.ts'
import type { EpochMs } from '../../../base/time.ts'
import type { TenantReader } from '../../../storage/database.ts'
import type { Tables } from '../../../storage/statement.ts'

/** How many of the last model calls are looked at. */
export const HINT_CALLS_MAX = 50_000
/** How many prompt heads are looked at, by tokens. */
export const HINT_HEADS_MAX = 20
/** How long a provider keeps a cached prompt that nobody reads (Anthropic and OpenAI: 5 minutes at least). */
export const CACHE_MS = 5 * 60_000

interface Range {
  readonly from: EpochMs
  readonly to: EpochMs
}

function lastCalls(db: Kysely<Tables>, tenantId: TenantId, { from, to }: Range) {
  return db
    .selectFrom('usageRecords')
    .select(['modelCallId', 'agentId', 'costNanos'])
    .where('tenantId', '=', tenantId)
    .where('kind', '=', 'model_call')
    .where('replay', '=', 0)
    .where('occurredAt', '>=', from)
    .where('occurredAt', '<', to)
    .orderBy('occurredAt', 'desc')
    .limit(HINT_CALLS_MAX)
    .as('last')
}

/** Heads of prompts with what was sent with them, the most tokens first. */
export function headsUsed(reader: TenantReader, range: Range) {
  return reader.query((db, tenantId) => {
    const calls = db
      .selectFrom(lastCalls(db, tenantId, range))
      .innerJoin('modelCalls', 'modelCalls.id', 'last.modelCallId')
      .select([
        'modelCalls.id as id',
        'modelCalls.model as model',
        'modelCalls.headHash as headHash',
        'last.agentId as agentId',
        'modelCalls.inputTokens as inputTokens',
        'modelCalls.cachedInputTokens as cachedInputTokens',
        'modelCalls.cacheWriteTokens as cacheWriteTokens',
        sql<
          number | null
        >`(started_at - lag(started_at) over (partition by model, head_hash order by started_at))`.as(
          'gapMs',
        ),
      ])
      .where('modelCalls.tenantId', '=', tenantId)
      .where('modelCalls.usageState', '=', 'known')
      .where('modelCalls.headHash', '<>', '')
      .as('calls')
    return db
      .selectFrom(calls)
      .select((eb) => [
        'model',
        'headHash',
        'agentId',
        eb.fn.countAll<number>().as('calls'),
        // Calls that came while a cache of the one before would still have been there.
        sql<number>`sum(case when gap_ms <= ${sql.lit(CACHE_MS)} then 1 else 0 end)`.as('repeats'),
        eb.fn.sum<number>('inputTokens').as('inputTokens'),
        eb.fn.sum<number>('cachedInputTokens').as('cachedInputTokens'),
        eb.fn.sum<number>('cacheWriteTokens').as('cacheWriteTokens'),
        eb.fn.min('id').as('firstId'),
        eb.fn.max('id').as('lastId'),
      ])
      .groupBy(['model', 'headHash', 'agentId'])
      .orderBy('inputTokens', 'desc')
      .orderBy('headHash')
      .limit(HINT_HEADS_MAX)
  })
}
export type HeadUsed = Awaited<ReturnType<typeof headsUsed>>[number]

/** Attempts that gave no answer and cost money, apart by whether the run asked again. */
export function failuresPaid(reader: TenantReader, range: Range) {
  return reader.query((db, tenantId) => {
    const failed = db
      .selectFrom(lastCalls(db, tenantId, range))
      .innerJoin('modelCalls', 'modelCalls.id', 'last.modelCallId')
      .select((eb) => [
        'modelCalls.id as id',
        'modelCalls.model as model',
        'last.agentId as agentId',
        'last.costNanos as costNanos',
        eb('modelCalls.inputTokens', '+', eb.ref('modelCalls.outputTokens')).as('tokens'),
        eb
          .case()
          .when(
            eb.exists(
              eb
                .selectFrom('modelCalls as later')
                .select('later.id')
                .where('later.tenantId', '=', tenantId)
                .whereRef('later.runId', '=', 'modelCalls.runId')
                .whereRef('later.step', '>', 'modelCalls.step'),
            ),
          )
          .then(1)
          .else(0)
          .end()
          .as('askedAgain'),
      ])
      .where('modelCalls.tenantId', '=', tenantId)
      .where('modelCalls.status', '<>', 'answered')
      .where('last.costNanos', '>', 0n)
      .as('failed')
    return db
      .selectFrom(failed)
      .select((eb) => [
        'model',
        'agentId',
        'askedAgain',
        eb.fn.countAll<number>().as('calls'),
        eb.fn.sum<number>('tokens').as('tokens'),
        eb.fn.sum<bigint>('costNanos').as('costNanos'),
        eb.fn.min('id').as('firstId'),
        eb.fn.max('id').as('lastId'),
      ])
      .groupBy(['model', 'agentId', 'askedAgain'])
      .orderBy('costNanos', 'desc')
      .limit(HINT_HEADS_MAX)
  })
}

export function headBodies(reader: TenantReader, hashes: readonly string[]) {
  if (hashes.length === 0) return Promise.resolve([])
  return reader.query((db, tenantId) =>
    db
      .selectFrom('bodies')
      .select(['hash', 'bytes', 'content'])
      .where('tenantId', '=', tenantId)
      .where('hash', 'in', hashes),
  )
}

/** The names of what the runs of an agent did in that time: tools and agents that were called. */
export async function namesCalled(
  reader: TenantReader,
  agentId: string,
  { from, to }: Range,
): Promise<ReadonlySet<string>> {
  const rows = await reader.query((db, tenantId) =>
    db
      .selectFrom('steps')
      .select('name')
      .distinct()
      .where('tenantId', '=', tenantId)
      .where('kind', '<>', 'model')
      .where('runId', 'in', (eb) =>
        eb
          .selectFrom('usageRecords')
          .select('runId')
          .where('tenantId', '=', tenantId)
          .where('agentId', '=', agentId)
          .where('occurredAt', '>=', from)
          .where('occurredAt', '<', to)
          .where('runId', 'is not', null)
          .$narrowType<{ runId: import('../../../base/ids.ts').RunId }>(),
      ),
  )
  return new Set(rows.map(({ name }) => name))
}
