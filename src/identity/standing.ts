// What a user may do now, where no credential is shown: for what runs later in their name.

import type { TenantId, UserId } from '../base/ids.ts'
import { type Permission, ROLE_PERMISSIONS } from '../contract/permission.ts'
import type { Principal } from '../contract/principal.ts'
import type { Database } from '../storage/database.ts'
import { type SystemBind, systemStatement } from '../storage/statement.ts'

/**
 * The user as a principal of the tenant, with those of the permissions that their role still holds; undefined where they
 * are no member any more or the tenant is suspended. Never an operator: nobody is there who shows a key.
 */
export async function standingOf(
  db: Database,
  user: { readonly tenantId: TenantId; readonly userId: UserId },
  permissions: readonly Permission[],
): Promise<Principal | undefined> {
  const { tenantId, userId } = user
  const row = await db.system.read((reader) => reader.first(selectStanding, { tenantId, userId }))
  if (row === undefined || row.tenantStatus !== 'active') return undefined
  const held = new Set(ROLE_PERMISSIONS[row.role])
  return {
    tenantId,
    userId,
    kind: row.kind,
    apiKeyId: undefined,
    role: row.role,
    permissions: new Set(permissions.filter((permission) => held.has(permission))),
    operator: false,
  }
}

const selectStanding = systemStatement(
  'memberships.standing',
  'the state of the tenant itself is asked as well',
  (db, p: SystemBind<{ readonly tenantId: TenantId; readonly userId: UserId }>) =>
    db
      .selectFrom('memberships')
      .innerJoin('users', 'users.id', 'memberships.userId')
      .innerJoin('tenants', 'tenants.id', 'memberships.tenantId')
      .select(['memberships.role', 'users.kind', 'tenants.status as tenantStatus'])
      .where('memberships.tenantId', '=', p.tenantId)
      .where('memberships.userId', '=', p.userId),
)
