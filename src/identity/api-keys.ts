// Use cases of API keys: an admin makes keys for itself, lists, reads and revokes those of its tenant.

import { AppError } from '../base/errors.ts'
import { type ApiKeyId, isId, newId } from '../base/ids.ts'
import { PAGE_SIZE_MAX } from '../base/limits.ts'
import { type Clock, type EpochMs, formatTime } from '../base/time.ts'
import { type Permission, ROLE_PERMISSIONS } from '../contract/permission.ts'
import { actorOf, type Principal } from '../contract/principal.ts'
import { appendAudit } from '../events/append.ts'
import type { Database, TenantReader } from '../storage/database.ts'
import {
  apiKeyOf,
  countLiveKeys,
  insertKey,
  markRevoked,
  selectKey,
  selectKeys,
  selectRole,
} from './api-key-store.ts'
import type { Authorize, Deny } from './authorize.ts'
import type { ApiKey, Identity } from './identity.ts'
import { hashApiKey, newApiKey, prefixOf } from './key-format.ts'
import { checkKeyInput } from './key-input.ts'
import { lockTenant } from './tenant-store.ts'

/** Keys of a tenant that can still be used. */
export const API_KEYS_PER_TENANT_MAX = 1_000

export interface ApiKeysDeps {
  readonly db: Database
  readonly clock: Clock
  readonly authorize: Authorize
  readonly deny: Deny
  /** Called when a revocation has committed. */
  readonly forgetKey: (id: ApiKeyId) => void
}

export function createApiKeys(
  deps: ApiKeysDeps,
): Pick<Identity, 'createKey' | 'listKeys' | 'getKey' | 'revokeKey'> {
  return {
    createKey: (principal, input, context) => createKey(deps, principal, input, context),
    listKeys: (principal, page) => listKeys(deps, principal, page),
    getKey: (principal, id) => getKey(deps, principal, id),
    revokeKey: (principal, id, context) => revokeKey(deps, principal, id, context),
  }
}

type UseCase<N extends 'createKey' | 'listKeys' | 'getKey' | 'revokeKey'> = (
  deps: ApiKeysDeps,
  ...rest: Parameters<Identity[N]>
) => ReturnType<Identity[N]>

const createKey: UseCase<'createKey'> = async (deps, principal, input, context) => {
  const { db, clock, authorize, deny, forgetKey } = deps
  await authorize(principal, 'ADMIN', context)
  const now = clock()
  const { name, permissions, expiresAt } = checkKeyInput(input, now)
  // Nobody grants more than they hold; the denial is recorded as any other.
  for (const permission of permissions) await authorize(principal, permission, context)
  const key = newApiKey()
  const row = {
    id: newId('apiKey'),
    name,
    hash: hashApiKey(key),
    prefix: prefixOf(key),
    ownerId: principal.userId,
    permissions: JSON.stringify(permissions),
    createdAt: now,
    expiresAt,
  }
  const outcome = await db.system.write(async (system) => {
    // The lock makes the count true.
    await system.first(lockTenant, { id: principal.tenantId })
    const tx = system.forTenant(principal.tenantId)
    if (!(await mayStillGrant(tx, principal, permissions, now))) return 'denied'
    const live = (await tx.first(countLiveKeys, { now }))?.count ?? 0
    if (live >= API_KEYS_PER_TENANT_MAX) throw tooManyKeys()
    await tx.run(insertKey, row)
    await appendAudit(tx, {
      type: 'api-key.created',
      actor: actorOf(principal),
      subject: row.id,
      data: {
        name,
        prefix: row.prefix,
        ownerId: row.ownerId,
        permissions,
        expiresAt: expiresAt === null ? null : formatTime(expiresAt),
      },
      requestId: context.requestId,
      at: now,
    })
    return 'created'
  })
  if (outcome === 'denied') {
    if (principal.apiKeyId !== undefined) forgetKey(principal.apiKeyId)
    return deny(principal, 'ADMIN', context)
  }
  return { apiKey: apiKeyOf({ ...row, revokedAt: null, lastUsedAt: null }), key }
}

const listKeys: UseCase<'listKeys'> = async ({ db, authorize }, principal, { limit, cursor }) => {
  await authorize(principal, 'ADMIN', { requestId: undefined })
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > PAGE_SIZE_MAX) {
    throw new AppError('request.invalid', `A page has 1 to ${PAGE_SIZE_MAX} items.`)
  }
  const before = cursor === undefined ? AFTER_EVERY_ID : readCursor(cursor)
  const rows = await db
    .tenant(principal.tenantId)
    .read((tx) => tx.all(selectKeys, { before, limit: limit + 1 }))
  const items = rows.slice(0, limit).map(apiKeyOf)
  const last = items.at(-1)
  return { items, nextCursor: rows.length > limit && last !== undefined ? writeCursor(last.id) : undefined }
}

const getKey: UseCase<'getKey'> = async ({ db, authorize }, principal, id) => {
  await authorize(principal, 'ADMIN', { requestId: undefined })
  return db.tenant(principal.tenantId).read((reader) => findKey(reader, id))
}

const revokeKey: UseCase<'revokeKey'> = async (
  { db, clock, authorize, forgetKey },
  principal,
  id,
  context,
) => {
  await authorize(principal, 'ADMIN', context)
  const now = clock()
  const revoked = await db.tenant(principal.tenantId).write(async (tx) => {
    if ((await tx.run(markRevoked, { id, at: now })) === 0) return findKey(tx, id)
    const key = await findKey(tx, id)
    await appendAudit(tx, {
      type: 'api-key.revoked',
      actor: actorOf(principal),
      subject: id,
      data: { name: key.name, prefix: key.prefix, ownerId: key.ownerId },
      requestId: context.requestId,
      at: now,
    })
    return key
  })
  forgetKey(id)
  return revoked
}

/**
 * Whether the principal, which may be a second old, still holds what it grants: a demoted owner or a revoked key must
 * not live on in a key that it made in that second.
 */
async function mayStillGrant(
  tx: TenantReader,
  { userId, apiKeyId }: Principal,
  permissions: readonly Permission[],
  now: EpochMs,
): Promise<boolean> {
  const role = (await tx.first(selectRole, { userId }))?.role
  const held = role === undefined ? [] : ROLE_PERMISSIONS[role]
  if (!held.includes('ADMIN') || !permissions.every((permission) => held.includes(permission))) return false
  if (apiKeyId === undefined) return true
  const own = await tx.first(selectKey, { id: apiKeyId })
  return own !== undefined && own.revokedAt === null && (own.expiresAt === null || own.expiresAt > now)
}

/** Throws `api-key.not-found` also where the key is another tenant's. */
async function findKey(reader: TenantReader, id: ApiKeyId): Promise<ApiKey> {
  const row = await reader.first(selectKey, { id })
  if (row === undefined)
    throw new AppError('api-key.not-found', 'There is no such API key; list the keys to see which there are.')
  return apiKeyOf(row)
}

/** Sorts after every id of a key in both databases: ids are letters and digits after the same prefix. */
const AFTER_EVERY_ID = 'key_zzzzzzzzzzzzzzzzzzzzzzzzzzz'

function writeCursor(id: ApiKeyId): string {
  return Buffer.from(id).toString('base64url')
}

function readCursor(cursor: string): ApiKeyId {
  const id = Buffer.from(cursor, 'base64url').toString()
  if (!isId('apiKey', id))
    throw new AppError('cursor.invalid', 'This cursor is not from this list; begin without one.')
  return id
}

function tooManyKeys(): AppError {
  const message = `The tenant has ${API_KEYS_PER_TENANT_MAX} API keys in use, which is the most; revoke one first.`
  return new AppError('request.invalid', message)
}
