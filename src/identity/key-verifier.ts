// Verification of API keys, from a cache that never serves a key for longer than a second after the database said so.
// What it owns: two bounded caches and the queries under way. It changes nothing; createIdentity is its only caller.

import { timingSafeEqual } from 'node:crypto'
import { createBoundedMap } from '../base/bounded-map.ts'
import { AppError, type ErrorCode } from '../base/errors.ts'
import type { ApiKeyId } from '../base/ids.ts'
import type { Clock, EpochMs } from '../base/time.ts'
import type { Principal } from '../contract/principal.ts'
import type { Database } from '../storage/database.ts'
import { selectCredential } from './api-key-store.ts'
import { hashApiKey, isApiKey } from './key-format.ts'
import { type Credential, principalOf } from './principals.ts'

/** From this age on, an answer is given and asked for anew in the background … */
export const REFRESH_AFTER_MS = 400
/** … and from this age on it is not given any more. Ages count from before the query, so a change shows within it. */
export const SERVE_MS_MAX = 900
/** How long a refusal is remembered: a new key can have no refusal, a lifted suspension shows within a second. */
const REFUSE_MS_MAX = 900
const KEYS_CACHED_MAX = 10_000
const REFUSALS_CACHED_MAX = 10_000

export interface KeyVerifierDeps {
  readonly db: Database
  readonly clock: Clock
  /** A clock that never goes back, in milliseconds, for the ages of answers. */
  readonly elapsed: Clock
  /** Told of each answer that the database gave, at most once per key and refresh. */
  readonly onVerified: (principal: Principal, at: EpochMs) => void
}

export interface KeyVerifier {
  /** Throws `auth.invalid`, `auth.expired` or `tenant.suspended`. */
  verify(key: string): Promise<Principal>
  /** Forgets a key, once its revocation has committed. Answers that were asked for before are not kept. */
  forget(id: ApiKeyId): void
}

interface Verified {
  readonly principal: Principal
  readonly expiresAt: EpochMs | null
  /** `elapsed` before the query. */
  readonly askedAt: number
}

interface Refused {
  readonly code: RefusalCode
  readonly askedAt: number
}

type RefusalCode = Extract<ErrorCode, 'auth.invalid' | 'auth.expired' | 'tenant.suspended'>
type Answer = Verified | Refused

export function createKeyVerifier(deps: KeyVerifierDeps): KeyVerifier {
  const verified = createBoundedMap<Verified>(KEYS_CACHED_MAX)
  // Apart, so that a flood of wrong keys cannot push out the right ones.
  const refused = createBoundedMap<Refused>(REFUSALS_CACHED_MAX)
  const asking = new Map<string, Promise<Answer>>()
  let generation = 0

  /** One query per key at a time, whoever waits for it. */
  const ask = (key: string): Promise<Answer> => {
    const underWay = asking.get(key)
    if (underWay !== undefined) return underWay
    const startedIn = generation
    const answer = askDatabase(deps, key).then((found) => {
      if (startedIn !== generation) return found
      if ('principal' in found) verified.set(key, found)
      else refuse(key, found)
      return found
    })
    const settled = answer.finally(() => {
      if (asking.get(key) === settled) asking.delete(key)
    })
    asking.set(key, settled)
    return settled
  }

  const refuse = (key: string, answer: Refused): void => {
    const id = verified.get(key)?.principal.apiKeyId
    if (id !== undefined) verified.deleteWhere(({ principal }) => principal.apiKeyId === id)
    refused.set(key, answer)
  }

  return {
    verify: async (key) => {
      const known = verified.get(key)
      if (known !== undefined) {
        const age = deps.elapsed() - known.askedAt
        if (age < SERVE_MS_MAX) {
          // A refresh that fails leaves the answer to run out; the next caller then meets the failure.
          if (age >= REFRESH_AFTER_MS) ask(key).catch(() => undefined)
          return unexpired(known, deps.clock())
        }
      } else {
        if (!isApiKey(key)) throw refusal('auth.invalid')
        const refusedBefore = refused.get(key)
        if (refusedBefore !== undefined && deps.elapsed() - refusedBefore.askedAt < REFUSE_MS_MAX) {
          throw refusal(refusedBefore.code)
        }
      }
      const answer = await ask(key)
      if ('code' in answer) throw refusal(answer.code)
      return unexpired(answer, deps.clock())
    },
    forget: (id) => {
      generation += 1
      asking.clear()
      verified.deleteWhere(({ principal }) => principal.apiKeyId === id)
    },
  }
}

async function askDatabase(
  { db, clock, elapsed, onVerified }: KeyVerifierDeps,
  key: string,
): Promise<Answer> {
  const askedAt = elapsed()
  const hash = hashApiKey(key)
  const credential: Credential | undefined = await db.system.read((reader) =>
    reader.first(selectCredential, { hash }),
  )
  const now = clock()
  const code = refusalOf(credential, hash, now)
  if (code !== undefined || credential === undefined) return { code: code ?? 'auth.invalid', askedAt }
  const principal = principalOf(credential)
  onVerified(principal, now)
  return { principal, expiresAt: credential.expiresAt, askedAt }
}

/** A revoked key says no more than an unknown one; expiry and suspension are for its holder to know. */
function refusalOf(credential: Credential | undefined, hash: string, now: EpochMs): RefusalCode | undefined {
  if (credential === undefined || !isSame(credential.hash, hash) || credential.revokedAt !== null)
    return 'auth.invalid'
  if (credential.expiresAt !== null && now >= credential.expiresAt) return 'auth.expired'
  return credential.tenantStatus === 'suspended' ? 'tenant.suspended' : undefined
}

/** The index has found the hash already; comparing in constant time costs nothing and needs no trust in collations. */
function isSame(stored: string, shown: string): boolean {
  return stored.length === shown.length && timingSafeEqual(Buffer.from(stored), Buffer.from(shown))
}

/** Expiry is to the millisecond: a cached answer does not outlive it. */
function unexpired({ principal, expiresAt }: Verified, now: EpochMs): Principal {
  if (expiresAt !== null && now >= expiresAt) throw refusal('auth.expired')
  return principal
}

function refusal(code: RefusalCode): AppError {
  return new AppError(code, MESSAGES[code])
}

const MESSAGES: Readonly<Record<RefusalCode, string>> = {
  'auth.invalid': 'The API key is not valid; check that it was copied whole, or create a new one.',
  'auth.expired': 'The API key has expired; create a new one.',
  'tenant.suspended': 'The tenant is suspended; ask the operator of the platform.',
}
