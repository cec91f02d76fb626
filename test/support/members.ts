// People of a tenant, for tests: a user, what they are, and the principal that they are when they ask.

import { type ApiKeyId, newId, type TenantId } from '../../src/base/ids.ts'
import { ROLE_PERMISSIONS, type Role } from '../../src/contract/permission.ts'
import type { Principal } from '../../src/contract/principal.ts'
import { insertKey } from '../../src/identity/api-key-store.ts'
import { insertMembership, insertUser } from '../../src/identity/tenant-store.ts'
import type { Database } from '../../src/storage/database.ts'

/** A new user with that role, and a key of theirs. */
export async function member(db: Database, tenantId: TenantId, role: Role): Promise<Principal> {
  const userId = newId('user')
  await db.system.write(async (tx) => {
    await tx.run(insertUser, {
      id: userId,
      kind: 'human',
      name: 'somebody',
      email: null,
      platformRole: null,
      createdAt: 0,
    })
    await tx.forTenant(tenantId).run(insertMembership, { userId, role, createdAt: 0 })
  })
  const permissions = new Set(ROLE_PERMISSIONS[role])
  const principal = { tenantId, userId, kind: 'human', role, permissions, operator: false } as const
  return { ...principal, apiKeyId: await keyOf(db, { tenantId, userId }) }
}

/** Another key of the same user. */
export async function keyOf(
  db: Database,
  { tenantId, userId }: Pick<Principal, 'tenantId' | 'userId'>,
): Promise<ApiKeyId> {
  const id = newId('apiKey')
  const row = { id, name: 'key', hash: id, prefix: 'af_', ownerId: userId, permissions: '[]' }
  await db.tenant(tenantId).write((tx) => tx.run(insertKey, { ...row, createdAt: 0, expiresAt: null }))
  return id
}
