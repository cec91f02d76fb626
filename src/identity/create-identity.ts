// identity/ put together: who somebody is, what they may do, and the use cases on keys and the tenant.
// It never trusts a tenant id from a body. app/ makes it, and closes it so that what was counted is written.

import type { Clock } from '../base/time.ts'
import type { Database } from '../storage/database.ts'
import { createApiKeys } from './api-keys.ts'
import { createAuthorize, createDeny } from './authorize.ts'
import { createBootstrap } from './bootstrap.ts'
import { createDenials, type Denial } from './denials.ts'
import type { Identity } from './identity.ts'
import { createKeyVerifier } from './key-verifier.ts'
import { createLastUsed } from './last-used.ts'
import { createProjects } from './projects.ts'
import { createTenants } from './tenants.ts'

export interface IdentityDeps {
  readonly db: Database
  readonly clock: Clock
  /** A clock that never goes back, in milliseconds, for the ages of cached answers; tests may hold it. */
  readonly elapsed?: Clock
  /** Told of each denied attempt, also of those that the log only counts. */
  readonly onDenied?: (denial: Denial) => void
}

export function createIdentity(deps: IdentityDeps): Identity & AsyncDisposable {
  const { db, clock, elapsed = () => performance.now(), onDenied } = deps
  const lastUsed = createLastUsed(db)
  const denials = createDenials({ db, clock, onDenied })
  const deny = createDeny(denials)
  const authorize = createAuthorize(deny)
  const verifier = createKeyVerifier({
    db,
    clock,
    elapsed,
    onVerified: ({ tenantId, apiKeyId }, at) => {
      if (apiKeyId !== undefined) lastUsed.note(tenantId, apiKeyId, at)
    },
  })
  return {
    authenticateKey: verifier.verify,
    authorize,
    recordRefusal: denials.record,
    ...createApiKeys({ db, clock, authorize, deny, forgetKey: verifier.forget }),
    ...createTenants({ db, clock, authorize }),
    projects: createProjects({ db, clock }),
    bootstrap: createBootstrap({ db, clock }),
    [Symbol.asyncDispose]: async () => {
      await denials[Symbol.asyncDispose]()
      await lastUsed[Symbol.asyncDispose]()
    },
  }
}
