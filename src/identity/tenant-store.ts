// Tenants, users and memberships in the database. SQL in, types out; it decides nothing.

import { sql } from 'kysely'
import type { TenantId } from '../base/ids.ts'
import { forUpdate } from '../storage/dialect.ts'
import type { NewRowOf } from '../storage/schema/tables.ts'
import { type Bind, type SystemBind, statement, systemStatement } from '../storage/statement.ts'
import type { Tenant } from './identity.ts'

const OWN = 'the row of a tenant itself; its id comes from a principal'
const FIRST = 'makes the first tenant, where none is there that could be the scope'

export const selectTenant = systemStatement(
  'tenants.get',
  OWN,
  (db, p: SystemBind<{ readonly id: TenantId }>) =>
    db.selectFrom('tenants').selectAll().where('id', '=', p.id),
)

/** Reads the row and keeps others from changing it until the transaction ends. SQLite has one writer anyway. */
export const lockTenant = systemStatement(
  'tenants.lock',
  OWN,
  (db, p: SystemBind<{ readonly id: TenantId }>, dialect) =>
    forUpdate(dialect)(db.selectFrom('tenants').selectAll().where('id', '=', p.id)),
)

export const updateTenantRow = systemStatement(
  'tenants.update',
  OWN,
  (db, p: SystemBind<Pick<Tenant, 'id' | 'name' | 'capturePolicy' | 'maxConcurrentJobs' | 'updatedAt'>>) =>
    db
      .updateTable('tenants')
      .set({
        name: p.name,
        capturePolicy: p.capturePolicy,
        maxConcurrentJobs: p.maxConcurrentJobs,
        updatedAt: p.updatedAt,
      })
      .where('id', '=', p.id),
)

/** The number is this lock's name within the database; every process of the product uses the same one. */
const BOOTSTRAP_LOCK = 7_142_001

/** One process at a time makes the first tenant: on SQLite a write transaction is that already. */
export const lockBootstrap = systemStatement(
  'tenants.lock-first',
  FIRST,
  (db, _p: SystemBind<object>, dialect) =>
    dialect === 'postgres'
      ? db.selectNoFrom(
          sql<string | null>`pg_advisory_xact_lock(${sql.lit(BOOTSTRAP_LOCK)})::text`.as('locked'),
        )
      : db.selectNoFrom(sql<string | null>`null`.as('locked')),
)

export const selectAnyTenant = systemStatement('tenants.any', FIRST, (db) =>
  db.selectFrom('tenants').select('id').limit(1),
)

export const insertTenant = systemStatement(
  'tenants.insert',
  FIRST,
  (db, p: SystemBind<NewRowOf<'tenants'>>) =>
    db.insertInto('tenants').values({
      id: p.id,
      name: p.name,
      status: p.status,
      capturePolicy: p.capturePolicy,
      createdAt: p.createdAt,
      updatedAt: p.updatedAt,
    }),
)

export const insertUser = systemStatement('users.insert', FIRST, (db, p: SystemBind<NewRowOf<'users'>>) =>
  db.insertInto('users').values({
    id: p.id,
    kind: p.kind,
    name: p.name,
    email: p.email,
    platformRole: p.platformRole,
    createdAt: p.createdAt,
  }),
)

export const insertMembership = statement(
  'memberships.insert',
  (db, p: Bind<Omit<NewRowOf<'memberships'>, 'tenantId'>>) =>
    db
      .insertInto('memberships')
      .values({ tenantId: p.tenantId, userId: p.userId, role: p.role, createdAt: p.createdAt }),
)
