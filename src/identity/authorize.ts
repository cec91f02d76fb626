// May this principal do that? The one place that answers, and that makes a fact of a no.

import { AppError } from '../base/errors.ts'
import { OPERATE } from '../contract/permission.ts'
import type { Principal } from '../contract/principal.ts'
import type { Denials } from './denials.ts'
import type { RequestContext, Right } from './identity.ts'

export type Authorize = (principal: Principal, right: Right, context: RequestContext) => Promise<void>
export type Deny = (principal: Principal, right: Right, context: RequestContext) => Promise<never>

/** Whether the principal has that right now. Nothing is recorded. */
export function isHeld(principal: Principal, right: Right): boolean {
  return right === OPERATE ? principal.operator : principal.permissions.has(right)
}

/** Answers a function that throws `access.denied` where the principal has not the right, once that is recorded. */
export function createAuthorize(deny: Deny): Authorize {
  return async (principal, right, context) => {
    if (!isHeld(principal, right)) await deny(principal, right, context)
  }
}

/** Answers a function that records the denial and then always throws `access.denied`. */
export function createDeny(denials: Denials): Deny {
  return async (principal, right, context) => {
    await denials.record(principal, right, context)
    throw new AppError(
      'access.denied',
      right === OPERATE
        ? 'This is for the operator of the platform.'
        : `This needs the permission ${right}; ask an admin of the tenant for it.`,
    )
  }
}
