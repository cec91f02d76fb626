// API keys in the database. SQL in, types out; it decides nothing and never sees a key, only its hash.

import type { ApiKeyId, TenantId, UserId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import type { NewRowOf, RowOf } from '../storage/schema/tables.ts'
import { type Bind, type SystemBind, statement, systemStatement } from '../storage/statement.ts'
import type { ApiKey } from './identity.ts'
import { readPermissions } from './principals.ts'

export type ApiKeyRow = Omit<RowOf<'apiKeys'>, 'tenantId' | 'hash'>

/** Named field by field, so that nothing else of a row, its hash above all, can go along. */
export function apiKeyOf(row: ApiKeyRow): ApiKey {
  const { id, name, prefix, ownerId, createdAt, expiresAt, revokedAt, lastUsedAt } = row
  const permissions = readPermissions(row.permissions)
  return { id, name, prefix, ownerId, permissions, createdAt, expiresAt, revokedAt, lastUsedAt }
}

const COLUMNS = [
  'id',
  'name',
  'prefix',
  'ownerId',
  'permissions',
  'createdAt',
  'expiresAt',
  'revokedAt',
  'lastUsedAt',
] as const

export const selectCredential = systemStatement(
  'api-keys.credential',
  'a request shows a key before anybody knows its tenant',
  (db, p: SystemBind<{ readonly hash: string }>) =>
    db
      .selectFrom('apiKeys')
      .innerJoin('memberships', (join) =>
        join
          .onRef('memberships.tenantId', '=', 'apiKeys.tenantId')
          .onRef('memberships.userId', '=', 'apiKeys.ownerId'),
      )
      .innerJoin('users', 'users.id', 'apiKeys.ownerId')
      .innerJoin('tenants', 'tenants.id', 'apiKeys.tenantId')
      .select([
        'apiKeys.id',
        'apiKeys.hash',
        'apiKeys.tenantId',
        'apiKeys.ownerId',
        'apiKeys.permissions',
        'apiKeys.expiresAt',
        'apiKeys.revokedAt',
        'memberships.role',
        'users.kind',
        'users.platformRole',
        'tenants.status as tenantStatus',
      ])
      .where('apiKeys.hash', '=', p.hash),
)

export const selectKey = statement('api-keys.get', (db, p: Bind<{ readonly id: ApiKeyId }>) =>
  db.selectFrom('apiKeys').select(COLUMNS).where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

/** Newest first; `before` is the last id of the page before, or a text that sorts after every id. */
export const selectKeys = statement(
  'api-keys.list',
  (db, p: Bind<{ readonly before: string; readonly limit: number }>) =>
    db
      .selectFrom('apiKeys')
      .select(COLUMNS)
      .where('tenantId', '=', p.tenantId)
      .where('id', '<', p.before as ApiKeyId)
      .orderBy('id', 'desc')
      .limit(p.limit),
)

/** Keys that can still be used. */
export const countLiveKeys = statement('api-keys.count-live', (db, p: Bind<{ readonly now: EpochMs }>) =>
  db
    .selectFrom('apiKeys')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('tenantId', '=', p.tenantId)
    .where('revokedAt', 'is', null)
    .where((e) => e.or([e('expiresAt', 'is', null), e('expiresAt', '>', p.now)])),
)

export const selectRole = statement('memberships.role', (db, p: Bind<{ readonly userId: UserId }>) =>
  db
    .selectFrom('memberships')
    .select('role')
    .where('tenantId', '=', p.tenantId)
    .where('userId', '=', p.userId),
)

export type NewKeyRow = Omit<NewRowOf<'apiKeys'>, 'tenantId' | 'revokedAt' | 'lastUsedAt'>

export const insertKey = statement('api-keys.insert', (db, p: Bind<NewKeyRow>) =>
  db.insertInto('apiKeys').values({
    tenantId: p.tenantId as TenantId,
    id: p.id,
    name: p.name,
    hash: p.hash,
    prefix: p.prefix,
    ownerId: p.ownerId,
    permissions: p.permissions,
    createdAt: p.createdAt,
    expiresAt: p.expiresAt,
    revokedAt: null,
    lastUsedAt: null,
  }),
)

/** Changes nothing where the key was revoked before: the first revocation stays. */
export const markRevoked = statement(
  'api-keys.revoke',
  (db, p: Bind<{ readonly id: ApiKeyId; readonly at: EpochMs }>) =>
    db
      .updateTable('apiKeys')
      .set({ revokedAt: p.at })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where('revokedAt', 'is', null),
)

/** Never goes back: another process may have written a later use. */
export const markUsed = statement(
  'api-keys.used',
  (db, p: Bind<{ readonly id: ApiKeyId; readonly at: EpochMs }>) =>
    db
      .updateTable('apiKeys')
      .set({ lastUsedAt: p.at })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where((e) => e.or([e('lastUsedAt', 'is', null), e('lastUsedAt', '<', p.at)])),
)
