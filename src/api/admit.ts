// Who asks, and whether they may: before anything else of a request is read.

import { AppError, type ErrorCode, isAppError } from '../base/errors.ts'
import type { Principal } from '../contract/principal.ts'
import type { Route } from '../contract/route.ts'
import { isHeld } from '../identity/authorize.ts'
import type { Identity } from '../identity/identity.ts'
import type { RequestFacts } from './call.ts'

const BEARER = /^Bearer +([\x21-\x7e]{1,500})$/i

/** The principal of a request that may go on; undefined on a public route. Throws `auth.…` or `access.denied`. */
export async function admit(
  deps: { readonly identity: Identity },
  route: Route,
  facts: RequestFacts,
): Promise<Principal | undefined> {
  const { permission } = route
  if (permission === 'public') return undefined
  const principal = await deps.identity.authenticateKey(credentialOf(facts.header('authorization')))
  if (permission === 'authenticated') return principal
  // Where it is held there is nothing to record; identity/ tells the audit log of a denial.
  if (isHeld(principal, permission)) return principal
  await deps.identity.authorize(principal, permission, { requestId: facts.requestId, ip: facts.ip })
  throw new AppError('access.denied', `This needs the permission ${permission}.`)
}

/**
 * Whether somebody who was let in would be let in still. An answer that takes its time asks before it goes on, since a
 * revocation takes effect within a second, also for those who are inside.
 */
export async function isStillAdmitted(
  deps: { readonly identity: Identity },
  { permission }: Route,
  facts: Pick<RequestFacts, 'header'>,
): Promise<boolean> {
  if (permission === 'public') return true
  try {
    const now = await deps.identity.authenticateKey(credentialOf(facts.header('authorization')))
    return permission === 'authenticated' || isHeld(now, permission)
  } catch (error) {
    if (isAppError(error) && LOST.has(error.code)) return false
    throw error
  }
}

const LOST: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['auth.invalid', 'auth.expired', 'tenant.suspended'])

function credentialOf(header: string | undefined): string {
  const credential = BEARER.exec(header ?? '')?.[1]
  if (credential !== undefined) return credential
  throw new AppError('auth.missing', 'Send an API key: "Authorization: Bearer af_…".')
}
