// Re-ratings in the database: the records to rate anew in portions, what becomes of them, and what changed.

import { sql } from 'kysely'
import type { ModelCallId, RerateId, RunId, UsageId } from '../../../base/ids.ts'
import type { Nanos } from '../../../base/money.ts'
import type { EpochMs } from '../../../base/time.ts'
import type { TenantReader } from '../../../storage/database.ts'
import type { RowOf } from '../../../storage/schema/tables.ts'
import { type Bind, statement } from '../../../storage/statement.ts'

export type RerateRow = Omit<RowOf<'rerates'>, 'tenantId'>
export type CostState = RowOf<'usageRecords'>['costState']

export interface Rated {
  readonly state: CostState
  readonly nanos: Nanos | null
  readonly priceId: string | null
}

interface Portion {
  readonly from: EpochMs
  readonly to: EpochMs
  readonly model: string | undefined
  readonly after: { readonly at: EpochMs; readonly id: string } | undefined
  readonly limit: number
}

/** Records of model calls in the order of time and id, from where the last portion ended. */
export function portionOf(reader: TenantReader, { from, to, model, after, limit }: Portion) {
  return reader.query((db, tenantId) => {
    let query = db
      .selectFrom('usageRecords')
      .select([
        'id',
        'runId',
        'modelCallId',
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
        'occurredAt',
      ])
      .where('tenantId', '=', tenantId)
      .where('kind', '=', 'model_call')
      .where('occurredAt', '>=', after?.at ?? from)
      .where('occurredAt', '<', to)
    if (model !== undefined) query = query.where('model', '=', model)
    if (after)
      query = query.where((eb) =>
        eb.or([eb('occurredAt', '>', after.at), eb('id', '>', after.id as UsageId)]),
      )
    return query.orderBy('occurredAt').orderBy('id').limit(limit)
  })
}
export type Portioned = Awaited<ReturnType<typeof portionOf>>[number]

export const insertRerate = statement('rerates.insert', (db, p: Bind<RerateRow>) =>
  db.insertInto('rerates').values({
    tenantId: p.tenantId,
    id: p.id,
    fromAt: p.fromAt,
    untilAt: p.untilAt,
    model: p.model,
    reason: p.reason,
    records: p.records,
    changed: p.changed,
    beforeNanos: p.beforeNanos,
    afterNanos: p.afterNanos,
    createdBy: p.createdBy,
    createdAt: p.createdAt,
  }),
)

export const addToRerate = statement(
  'rerates.add',
  (db, p: Bind<Pick<RerateRow, 'id' | 'records' | 'changed' | 'beforeNanos' | 'afterNanos'>>) =>
    db
      .updateTable('rerates')
      .set((eb) => ({
        records: eb('records', '+', p.records),
        changed: eb('changed', '+', p.changed),
        beforeNanos: eb('beforeNanos', '+', p.beforeNanos),
        afterNanos: eb('afterNanos', '+', p.afterNanos),
      }))
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id),
)

export const insertChange = statement(
  'rerates.insert-change',
  (db, p: Bind<Omit<RowOf<'rerateChanges'>, 'tenantId'>>) =>
    db.insertInto('rerateChanges').values({
      tenantId: p.tenantId,
      rerateId: p.rerateId,
      usageId: p.usageId,
      beforeState: p.beforeState,
      beforeNanos: p.beforeNanos,
      beforePriceId: p.beforePriceId,
      afterState: p.afterState,
      afterNanos: p.afterNanos,
      afterPriceId: p.afterPriceId,
    }),
)

interface NewRate {
  readonly costState: CostState
  readonly costNanos: Nanos | null
}

/** Changes nothing where somebody else has rated it anew since it was read with that state. */
export const rateUsage = statement(
  'rerates.rate-usage',
  (
    db,
    p: Bind<
      NewRate & {
        readonly id: UsageId
        readonly priceId: string | null
        readonly wasState: CostState
        readonly wasNanos: Nanos
        readonly wasPriceId: string
      }
    >,
  ) =>
    db
      .updateTable('usageRecords')
      .set({ costState: p.costState, costNanos: p.costNanos, priceId: p.priceId })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where('costState', '=', p.wasState)
      .where((eb) => eb(eb.fn.coalesce('costNanos', eb.lit(-1 as never)), '=', p.wasNanos))
      .where((eb) => eb(eb.fn.coalesce('priceId', sql<string>`''`), '=', p.wasPriceId)),
)

export const rateModelCall = statement(
  'rerates.rate-model-call',
  (db, p: Bind<NewRate & { readonly id: ModelCallId }>) =>
    db
      .updateTable('modelCalls')
      .set({ costState: p.costState, costNanos: p.costNanos })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id),
)

/** By how much: a run that goes on adds to its sums meanwhile. */
export const addToRun = statement(
  'rerates.add-to-run',
  (db, p: Bind<{ readonly id: RunId; readonly byNanos: Nanos; readonly unpriced: number }>) =>
    db
      .updateTable('runs')
      .set((eb) => ({
        costNanos: eb('costNanos', '+', p.byNanos),
        unpricedCount: eb('unpricedCount', '+', p.unpriced),
      }))
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id),
)

export const rerateById = statement('rerates.get', (db, p: Bind<{ readonly id: RerateId }>) =>
  db.selectFrom('rerates').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

export const changesByModel = statement('rerates.by-model', (db, p: Bind<{ readonly id: RerateId }>) =>
  db
    .selectFrom('rerateChanges')
    .innerJoin('usageRecords', (join) =>
      join
        .onRef('usageRecords.tenantId', '=', 'rerateChanges.tenantId')
        .onRef('usageRecords.id', '=', 'rerateChanges.usageId'),
    )
    .select((eb) => [
      'usageRecords.model as model',
      eb.fn.countAll<number>().as('changed'),
      eb.fn.sum<bigint | null>('rerateChanges.beforeNanos').as('beforeNanos'),
      eb.fn.sum<bigint | null>('rerateChanges.afterNanos').as('afterNanos'),
    ])
    .where('rerateChanges.tenantId', '=', p.tenantId)
    .where('usageRecords.tenantId', '=', p.tenantId)
    .where('rerateChanges.rerateId', '=', p.id)
    .groupBy('usageRecords.model')
    .orderBy('usageRecords.model'),
)
