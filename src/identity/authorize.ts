// May this principal do that? The one place that answers, and that makes a fact of a no.

import { AppError } from '../base/errors.ts'
import type { Permission } from '../contract/permission.ts'
import type { Principal } from '../contract/principal.ts'
import type { Denials } from './denials.ts'
import type { RequestContext } from './identity.ts'

export type Authorize = (
  principal: Principal,
  permission: Permission,
  context: RequestContext,
) => Promise<void>
export type Deny = (principal: Principal, permission: Permission, context: RequestContext) => Promise<never>

/** Answers a function that throws `access.denied` where the principal has not the permission, once that is recorded. */
export function createAuthorize(deny: Deny): Authorize {
  return async (principal, permission, context) => {
    if (!principal.permissions.has(permission)) await deny(principal, permission, context)
  }
}

/** Answers a function that records the denial and then always throws `access.denied`. */
export function createDeny(denials: Denials): Deny {
  return async (principal, permission, context) => {
    await denials.record(principal, permission, context)
    throw new AppError(
      'access.denied',
      `This needs the permission ${permission}; ask an admin of the tenant for it.`,
    )
  }
}
