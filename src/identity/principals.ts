// From a stored key to a principal: what it may do now. Pure.

import type { ApiKeyId, TenantId, UserId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import { PERMISSIONS, type Permission, ROLE_PERMISSIONS, type Role } from '../contract/permission.ts'
import type { Principal } from '../contract/principal.ts'

/** A key with what its owner and its tenant are now. */
export interface Credential {
  readonly id: ApiKeyId
  readonly hash: string
  readonly tenantId: TenantId
  readonly ownerId: UserId
  /** JSON array, as it is stored. */
  readonly permissions: string
  readonly expiresAt: EpochMs | null
  readonly revokedAt: EpochMs | null
  readonly role: Role
  readonly kind: 'human' | 'service'
  readonly platformRole: 'OPERATOR' | null
  readonly tenantStatus: 'active' | 'suspended'
}

/**
 * Permissions of the key and of its owner's role, only those that both have: a key narrows, and a demotion narrows the
 * key. An operator's key operates the platform only where it has ADMIN, so that a narrow key stays narrow.
 */
export function principalOf(credential: Credential): Principal {
  const held = new Set(ROLE_PERMISSIONS[credential.role])
  const permissions = new Set(
    readPermissions(credential.permissions).filter((permission) => held.has(permission)),
  )
  return {
    tenantId: credential.tenantId,
    userId: credential.ownerId,
    kind: credential.kind,
    apiKeyId: credential.id,
    role: credential.role,
    permissions,
    operator: credential.platformRole === 'OPERATOR' && permissions.has('ADMIN'),
  }
}

const KNOWN: ReadonlySet<unknown> = new Set(PERMISSIONS)

export function isPermission(value: unknown): value is Permission {
  return KNOWN.has(value)
}

/** The permissions of a stored list. One that this version does not know is nothing that it could grant. */
export function readPermissions(json: string): readonly Permission[] {
  const list: unknown = JSON.parse(json)
  return Array.isArray(list) ? list.filter(isPermission) : []
}
