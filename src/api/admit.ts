// Who asks, and whether they may: before anything else of a request is read.

import { AppError } from '../base/errors.ts'
import { OPERATE } from '../contract/permission.ts'
import type { Principal } from '../contract/principal.ts'
import type { Route } from '../contract/route.ts'
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
  if (permission === OPERATE) {
    if (!principal.operator) throw new AppError('access.denied', 'This is for the operator of the platform.')
    return principal
  }
  // Where it is held there is nothing to record; identity/ tells the audit log of a denial.
  if (!principal.permissions.has(permission)) {
    await deps.identity.authorize(principal, permission, { requestId: facts.requestId, ip: facts.ip })
    throw new AppError('access.denied', `This needs the permission ${permission}.`)
  }
  return principal
}

function credentialOf(header: string | undefined): string {
  const credential = BEARER.exec(header ?? '')?.[1]
  if (credential !== undefined) return credential
  throw new AppError('auth.missing', 'Send an API key: "Authorization: Bearer af_…".')
}
