// The SQL of what a claim may take next: which tenants have queued jobs, what they hold, and the first of their jobs.
// Each statement walks an index that holds only the rows in question, and stops early.

import { sql } from 'kysely'
import type { TenantId } from '../base/ids.ts'
import { forUpdateSkipLocked, isOneOf } from '../storage/dialect.ts'
import type { Bind, SystemBind } from '../storage/statement.ts'
import { statement, systemStatement } from '../storage/statement.ts'
import { QUEUED_BY_KEY, withCapped } from './queued.ts'
import { TENANT_CAP } from './tenant-cap.ts'

const CANDIDATE = ['id', 'kind', 'readyRank', 'definitionId', 'definitionCap'] as const

/**
 * Tenants with queued jobs above one, in their order, with their caps. A loose index scan: each step seeks the next
 * tenant, however many jobs the last one has.
 */
export const tenantsReady = systemStatement(
  'jobs.tenants-ready',
  'a worker serves every tenant',
  (db, p: SystemBind<{ after: string; limit: number }>) =>
    db
      .withRecursive('ready(tenantId, place)', (cte) =>
        cte
          .selectFrom('jobs')
          .select((eb) => [
            eb.fn.min<TenantId | null>('jobs.tenantId').as('tenantId'),
            sql<number>`1`.as('place'),
          ])
          .where('state', '=', 'queued')
          .where('tenantId', '>', p.after as TenantId)
          .unionAll(
            cte
              .selectFrom('ready')
              .select((eb) => [
                eb
                  .selectFrom('jobs')
                  .select((inner) => inner.fn.min('jobs.tenantId').as('next'))
                  .where('state', '=', 'queued')
                  .whereRef('jobs.tenantId', '>', 'ready.tenantId')
                  .as('tenantId'),
                eb('ready.place', '+', 1).as('place'),
              ])
              .where('ready.tenantId', 'is not', null)
              .where('ready.place', '<', p.limit),
          ),
      )
      .selectFrom('ready')
      .select((eb) => [
        eb.ref('ready.tenantId').$notNull().as('tenantId'),
        eb
          .selectFrom('tenants')
          .leftJoin('billingAccounts', 'billingAccounts.tenantId', 'tenants.id')
          .select(TENANT_CAP.as('cap'))
          .whereRef('tenants.id', '=', 'ready.tenantId')
          .as('maxConcurrentJobs'),
      ])
      .where('ready.tenantId', 'is not', null)
      .orderBy('ready.tenantId'),
)

export const heldByDefinition = statement('jobs.held', (db, p: Bind<object>) =>
  db
    .selectFrom('jobs')
    .select((eb) => ['definitionId', eb.fn.countAll<number>().as('count')])
    .where('tenantId', '=', p.tenantId)
    .where('state', '=', 'leased')
    .groupBy('definitionId'),
)

/** The first of a tenant's jobs that no definition's cap is on. */
export const freeHead = statement(
  'jobs.free-head',
  (db, p: Bind<{ kinds: string; limit: number }>, dialect) =>
    forUpdateSkipLocked(dialect)(
      db
        .selectFrom('jobs')
        .select([...CANDIDATE])
        .where('tenantId', '=', p.tenantId)
        .where('state', '=', 'queued')
        .where('definitionCap', 'is', null)
        .where((eb) => isOneOf(dialect, eb.ref('kind'), p.kinds))
        .orderBy('readyRank')
        .orderBy('id')
        .limit(p.limit),
    ),
)

/** The first queued job of each of a tenant's capped definitions. */
export const cappedHeads = statement('jobs.capped-heads', (db, p: Bind<{ kinds: string }>, dialect) =>
  withCapped(db, p.tenantId)
    .selectFrom('capped')
    .select((eb) => {
      const head = eb
        .selectFrom('jobs')
        .where('jobs.tenantId', '=', p.tenantId)
        .where('jobs.state', '=', 'queued')
        .where('jobs.definitionCap', 'is not', null)
        .whereRef('jobs.definitionId', '=', 'capped.definitionId')
        .where((inner) => isOneOf(dialect, inner.ref('jobs.kind'), p.kinds))
        .orderBy('jobs.readyRank')
        .orderBy('jobs.id')
        .limit(1)
      return [
        'capped.definitionId as definitionId',
        head.select('jobs.id').as('id'),
        head.select('jobs.readyRank').as('readyRank'),
        head.select('jobs.definitionCap').as('definitionCap'),
      ]
    })
    .where('capped.definitionId', 'is not', null),
)

export const definitionHead = statement(
  'jobs.definition-head',
  (db, p: Bind<{ kinds: string; definitionId: string | null; limit: number }>, dialect) =>
    forUpdateSkipLocked(dialect)(
      db
        .selectFrom('jobs')
        .select([...CANDIDATE])
        .where('tenantId', '=', p.tenantId)
        .where('state', '=', 'queued')
        .where('definitionCap', 'is not', null)
        .where('definitionId', '=', p.definitionId)
        .where((eb) => isOneOf(dialect, eb.ref('kind'), p.kinds))
        .orderBy('readyRank')
        .orderBy('id')
        .limit(p.limit),
    ),
)

/** Those of the jobs that are queued, and that no other claim has. */
export const queuedTickets = statement('jobs.queued-tickets', (db, p: Bind<{ ids: string }>, dialect) =>
  forUpdateSkipLocked(dialect)(
    db
      .selectFrom('jobs')
      .select([...CANDIDATE])
      .where('tenantId', '=', p.tenantId)
      .where((eb) => isOneOf(dialect, eb.ref('id'), p.ids))
      .where(QUEUED_BY_KEY, '=', 'queued'),
  ),
)
