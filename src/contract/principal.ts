// Who acts: made by identity from a credential, handed to every use case.

import type { ApiKeyId, TenantId, UserId } from '../base/ids.ts'
import type { Permission, Role } from './permission.ts'

export interface Principal {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly kind: 'human' | 'service'
  /** The key that was shown, where it was a key. */
  readonly apiKeyId: ApiKeyId | undefined
  /** What the user is in the tenant now, whatever the key says. */
  readonly role: Role
  readonly permissions: ReadonlySet<Permission>
  readonly operator: boolean
}

/** The name that events and rows carry for the principal: its key where there is one, else its user. */
export function actorOf(principal: Pick<Principal, 'apiKeyId' | 'userId'>): string {
  return principal.apiKeyId ?? principal.userId
}
