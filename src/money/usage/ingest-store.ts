// Usage that was told from outside, in the database: a batch is one value, which the statement takes apart.

import { sql } from 'kysely'
import type { ProjectId, RunId, UsageId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import { elementsOf, textsOf } from '../../storage/dialect.ts'
import type { Dialect } from '../../storage/schema/dialect.ts'
import type { RowOf } from '../../storage/schema/tables.ts'
import { type Bind, statement } from '../../storage/statement.ts'

type Stored = RowOf<'usageRecords'>

/** A fact as it is written, in the order of the columns below. */
export type IngestedFact = readonly [
  id: UsageId,
  kind: Stored['kind'],
  quantity: number,
  occurredAt: EpochMs,
  runId: string | null,
  agentId: string | null,
  workflowId: string | null,
  userId: string | null,
  projectId: string | null,
]

interface GivenFact
  extends Pick<
    Stored,
    'id' | 'kind' | 'quantity' | 'occurredAt' | 'runId' | 'agentId' | 'workflowId' | 'userId' | 'projectId'
  > {}

function givenFacts(dialect: Dialect, facts: string) {
  const rows = elementsOf(dialect, facts)
  return sql<GivenFact>`(select value->>0 as id, value->>1 as kind, cast(value->>2 as bigint) as quantity, cast(value->>3 as bigint) as occurred_at, value->>4 as run_id, value->>5 as agent_id, value->>6 as workflow_id, value->>7 as user_id, value->>8 as project_id from ${rows})`.as(
    'given',
  )
}

/** Writes what is not there yet and answers the ids of what it wrote: the first to tell a fact stays. */
export const insertFacts = statement(
  'usage.ingest',
  (db, p: Bind<{ facts: string; apiKeyId: Stored['apiKeyId']; at: EpochMs }>, dialect) =>
    db
      .insertInto('usageRecords')
      .columns([
        'tenantId',
        'id',
        'kind',
        'quantity',
        'occurredAt',
        'runId',
        'agentId',
        'workflowId',
        'userId',
        'projectId',
        'apiKeyId',
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
        'replay',
        'acceptedAt',
      ])
      .expression(
        db
          .selectFrom(givenFacts(dialect, p.facts))
          .select((eb) => [
            eb.val(p.tenantId).as('tenantId'),
            'given.id',
            'given.kind',
            'given.quantity',
            'given.occurredAt',
            'given.runId',
            'given.agentId',
            'given.workflowId',
            'given.userId',
            'given.projectId',
            eb.cast<Stored['apiKeyId']>(eb.val(p.apiKeyId), 'text').as('apiKeyId'),
            eb.cast<null>(eb.lit(null), 'text').as('modelCallId'),
            eb.cast<null>(eb.lit(null), 'text').as('model'),
            sql.lit('known').as('usageState'),
            eb.lit(0).as('inputTokens'),
            eb.lit(0).as('cachedInputTokens'),
            eb.lit(0).as('cacheWriteTokens'),
            eb.lit(0).as('outputTokens'),
            eb.lit(0).as('reasoningTokens'),
            sql.lit('null').as('rawUsage'),
            sql.lit('priced').as('costState'),
            eb.cast<bigint>(eb.lit(0), 'bigint').as('costNanos'),
            eb.cast<null>(eb.lit(null), 'text').as('priceId'),
            eb.lit(0).as('replay'),
            eb.cast<number>(eb.val(p.at), 'bigint').as('acceptedAt'),
          ])
          .where(sql<boolean>`true`),
      )
      .onConflict((conflict) => conflict.columns(['tenantId', 'id']).doNothing())
      .returning('id'),
)

/** What is on record of these facts. */
export const factsById = statement('usage.ingested', (db, p: Bind<{ ids: string }>, dialect) =>
  db
    .selectFrom('usageRecords')
    .select(['id', 'quantity'])
    .where('tenantId', '=', p.tenantId)
    .where('id', 'in', textsOf<UsageId>(dialect, p.ids)),
)

export const knownRuns = statement('runs.known', (db, p: Bind<{ ids: string }>, dialect) =>
  db
    .selectFrom('runs')
    .select('id')
    .where('tenantId', '=', p.tenantId)
    .where('id', 'in', textsOf<RunId>(dialect, p.ids)),
)

export const knownProjects = statement('projects.known', (db, p: Bind<{ ids: string }>, dialect) =>
  db
    .selectFrom('projects')
    .select('id')
    .where('tenantId', '=', p.tenantId)
    .where('id', 'in', textsOf<ProjectId>(dialect, p.ids)),
)

/** The sums by kind of what was accepted in that time; as texts, for they may be more than a number holds. */
export const sumsByKind = statement('usage.sums-by-kind', (db, p: Bind<{ from: EpochMs; until: EpochMs }>) =>
  db
    .selectFrom('usageRecords')
    .select((eb) => ['kind', eb.cast<string>(eb.fn.sum('quantity'), 'text').as('quantity')])
    .where('tenantId', '=', p.tenantId)
    .where('replay', '=', 0)
    .where('acceptedAt', '>=', p.from)
    .where('acceptedAt', '<', p.until)
    .groupBy('kind'),
)
