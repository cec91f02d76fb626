// The SQL of claiming. Each statement walks an index that holds only the rows in question, and stops early.

import {
  type Expression,
  type ExpressionBuilder,
  type Kysely,
  type SelectQueryBuilder,
  type SqlBool,
  sql,
} from 'kysely'
import type { JobId, TenantId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import { forNoKeyUpdate, forNoKeyUpdateSkipLocked, forUpdateSkipLocked, isOneOf } from '../storage/dialect.ts'
import type { Bind, SystemBind, Tables } from '../storage/statement.ts'
import { statement, systemStatement } from '../storage/statement.ts'
import type { ClaimedJob } from './job.ts'

const REASON = 'a worker serves every tenant'

interface Lease {
  readonly owner: string
  readonly at: EpochMs
  readonly leaseUntil: EpochMs
}

const CLAIMED = [
  'tenantId',
  'id as jobId',
  'kind',
  'runId',
  'payload',
  'fence',
  'attempt',
  'maxAttempts',
  'leaseUntil',
  'traceparent',
  'cancelRequestedAt',
] as const satisfies readonly (keyof ClaimedJob | 'id as jobId')[]

/** The state, said so that no planner takes the index of all that is queued where a few keys are given. */
const QUEUED_BY_KEY = sql<string>`(state || '')`

const CANDIDATE = ['id', 'kind', 'readyRank', 'definitionId', 'definitionCap'] as const

/** What a lease changes; the fence rises above every earlier one. */
function leased(db: Pick<Kysely<Tables>, 'updateTable'>, p: Lease) {
  return db.updateTable('jobs').set((eb) => ({
    state: 'leased' as const,
    leaseOwner: p.owner,
    leaseUntil: p.leaseUntil,
    fence: eb('fence', '+', 1),
    attempt: eb('attempt', '+', 1),
    ticketedAt: 0,
    updatedAt: p.at,
  }))
}

/** Puts the select that finds jobs apart: inside a condition, Postgres may plan to make it again and again, and lock more. */
function found(db: Kysely<Tables>, select: SelectQueryBuilder<Tables, 'jobs', Key>): Kysely<Tables> {
  const apart = db.with(
    (cte) => cte('found').materialized(),
    () => select,
  )
  return apart as unknown as Kysely<Tables>
}

interface Key {
  tenantId: TenantId
  id: JobId
}

/** The condition that a job of any tenant is among the found ones. */
function isFound(eb: ExpressionBuilder<Tables, 'jobs'>): Expression<SqlBool> {
  return eb(eb.refTuple('tenantId', 'id'), 'in', (all) =>
    (all as unknown as ExpressionBuilder<Tables & { found: Key }, 'jobs'>)
      .selectFrom('found')
      .select(['found.tenantId', 'found.id'])
      .$asTuple('tenantId', 'id'),
  )
}

export const promoteScheduled = systemStatement(
  'jobs.promote',
  'jobs of any tenant come due',
  (db, p: SystemBind<{ at: EpochMs; limit: number }>, dialect) =>
    found(
      db,
      forUpdateSkipLocked(dialect)(
        db
          .selectFrom('jobs')
          .select(['tenantId', 'id'])
          .where('state', '=', 'scheduled')
          .where('notBefore', '<=', p.at)
          .orderBy('notBefore')
          .limit(p.limit),
      ),
    )
      .updateTable('jobs')
      .set({ state: 'queued', ticketedAt: 0, updatedAt: p.at })
      .where('state', '=', 'scheduled')
      .where(isFound),
)

/**
 * The first job that a claim may find, queued, due, or with a lease that has lapsed: null where there is none. Of any
 * kind: it must not read a backlog of kinds that others take.
 */
export const anyToTake = systemStatement('jobs.any-to-take', REASON, (db, p: SystemBind<{ at: EpochMs }>) =>
  db.selectNoFrom((eb) => [
    eb
      .selectFrom('jobs')
      .select('id')
      .where('state', '=', 'queued')
      .where('tenantId', '>', '' as TenantId)
      .orderBy('tenantId')
      .limit(1)
      .as('queued'),
    eb
      .selectFrom('jobs')
      .select('id')
      .where('state', '=', 'scheduled')
      .where('notBefore', '<=', p.at)
      .orderBy('notBefore')
      .limit(1)
      .as('due'),
    eb
      .selectFrom('jobs')
      .select('id')
      .where('state', '=', 'leased')
      .where('leaseUntil', '<', p.at)
      .orderBy('leaseUntil')
      .limit(1)
      .as('lapsed'),
  ]),
)

export const claimLapsed = systemStatement(
  'jobs.claim-lapsed',
  REASON,
  (db, p: SystemBind<Lease & { kinds: string; limit: number }>, dialect) => {
    const select = forUpdateSkipLocked(dialect)(
      db
        .selectFrom('jobs')
        .select(['tenantId', 'id'])
        .where('state', '=', 'leased')
        .where('leaseUntil', '<', p.at)
        .where((eb) => isOneOf(dialect, eb.ref('kind'), p.kinds))
        .orderBy('leaseUntil')
        .limit(p.limit),
    )
    return leased(found(db, select), p)
      .where(isFound)
      .returning([...CLAIMED])
  },
)

/**
 * Tenants with queued jobs above one, in their order, with their caps. A loose index scan: each step seeks the next
 * tenant, however many jobs the last one has.
 */
export const tenantsReady = systemStatement(
  'jobs.tenants-ready',
  REASON,
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
          .select('tenants.maxConcurrentJobs')
          .whereRef('tenants.id', '=', 'ready.tenantId')
          .as('maxConcurrentJobs'),
      ])
      .where('ready.tenantId', 'is not', null)
      .orderBy('ready.tenantId'),
)

export const tenantCaps = systemStatement(
  'tenants.cap',
  REASON,
  (db, p: SystemBind<{ tenantId: TenantId }>) =>
    db.selectFrom('tenants').select('maxConcurrentJobs').where('id', '=', p.tenantId),
)

/** Takes a tenant's row for counting; none where another claim has it. */
export const tryTenant = systemStatement(
  'tenants.try-lock',
  REASON,
  (db, p: SystemBind<{ tenantId: TenantId }>, dialect) =>
    forNoKeyUpdateSkipLocked(dialect)(db.selectFrom('tenants').select('id').where('id', '=', p.tenantId)),
)

export const lockTenant = systemStatement(
  'tenants.lock',
  REASON,
  (db, p: SystemBind<{ tenantId: TenantId }>, dialect) =>
    forNoKeyUpdate(dialect)(db.selectFrom('tenants').select('id').where('id', '=', p.tenantId)),
)

export const heldByDefinition = statement('jobs.held', (db, p: Bind<object>) =>
  db
    .selectFrom('jobs')
    .select((eb) => ['definitionId', eb.fn.countAll<number>().as('count')])
    .where('tenantId', '=', p.tenantId)
    .where('state', '=', 'leased')
    .groupBy('definitionId'),
)

/** Claims a tenant's first jobs that no definition's cap is on. */
export const claimFree = statement(
  'jobs.claim-free',
  (db, p: Bind<Lease & { kinds: string; limit: number }>, dialect) =>
    leased(
      found(
        db,
        forUpdateSkipLocked(dialect)(
          db
            .selectFrom('jobs')
            .select(['tenantId', 'id'])
            .where('tenantId', '=', p.tenantId)
            .where('state', '=', 'queued')
            .where('definitionCap', 'is', null)
            .where((eb) => isOneOf(dialect, eb.ref('kind'), p.kinds))
            .orderBy('readyRank')
            .orderBy('id')
            .limit(p.limit),
        ),
      ),
      p,
    )
      .where('tenantId', '=', p.tenantId)
      .where('id', 'in', sql<JobId>`(select id from found)`)
      .returning([...CLAIMED]),
)

/** Claims these jobs where they are still queued; the caller has checked what else there is to check. */
export const claimById = statement('jobs.claim-by-id', (db, p: Bind<Lease & { ids: string }>, dialect) =>
  leased(db, p)
    .where('tenantId', '=', p.tenantId)
    .where((eb) => isOneOf(dialect, eb.ref('id'), p.ids))
    .where(QUEUED_BY_KEY, '=', 'queued')
    .returning([...CLAIMED]),
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

/** The first queued job of each of a tenant's capped definitions: a loose index scan, as for tenants. */
export const cappedHeads = statement('jobs.capped-heads', (db, p: Bind<{ kinds: string }>, dialect) =>
  db
    .withRecursive('capped(definitionId)', (cte) =>
      cte
        .selectFrom('jobs')
        .select((eb) => eb.fn.min<string | null>('jobs.definitionId').as('definitionId'))
        .where('tenantId', '=', p.tenantId)
        .where('state', '=', 'queued')
        .where('definitionCap', 'is not', null)
        .unionAll(
          cte
            .selectFrom('capped')
            .select((eb) =>
              eb
                .selectFrom('jobs')
                .select((inner) => inner.fn.min('jobs.definitionId').as('next'))
                .where('tenantId', '=', p.tenantId)
                .where('state', '=', 'queued')
                .where('definitionCap', 'is not', null)
                .whereRef('jobs.definitionId', '>', 'capped.definitionId')
                .as('definitionId'),
            )
            .where('capped.definitionId', 'is not', null),
        ),
    )
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

export const unticket = statement('jobs.unticket', (db, p: Bind<{ ids: string }>, dialect) =>
  db
    .updateTable('jobs')
    .set({ ticketedAt: 0 })
    .where('tenantId', '=', p.tenantId)
    .where((eb) => isOneOf(dialect, eb.ref('id'), p.ids))
    .where(QUEUED_BY_KEY, '=', 'queued'),
)
