// The SQL of claiming, beyond the candidates (candidate-statements.ts). Each statement walks an index that holds only the rows in question, and stops early.

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
import { QUEUED_BY_KEY } from './queued.ts'
import { TENANT_CAP } from './tenant-cap.ts'

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

export const tenantCaps = systemStatement(
  'tenants.cap',
  REASON,
  (db, p: SystemBind<{ tenantId: TenantId }>) =>
    db
      .selectFrom('tenants')
      .leftJoin('billingAccounts', 'billingAccounts.tenantId', 'tenants.id')
      .select(TENANT_CAP.as('maxConcurrentJobs'))
      .where('tenants.id', '=', p.tenantId),
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

export const unticket = statement('jobs.unticket', (db, p: Bind<{ ids: string }>, dialect) =>
  db
    .updateTable('jobs')
    .set({ ticketedAt: 0 })
    .where('tenantId', '=', p.tenantId)
    .where((eb) => isOneOf(dialect, eb.ref('id'), p.ids))
    .where(QUEUED_BY_KEY, '=', 'queued'),
)
