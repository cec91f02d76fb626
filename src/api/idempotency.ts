// The same key and the same request make a thing once; the second time, what was made is read as it is now.

import { hash } from 'node:crypto'
import { AppError } from '../base/errors.ts'
import type { Principal } from '../contract/principal.ts'
import type { TenantTransaction } from '../storage/database.ts'
import type { Answer, RequestFacts } from './call.ts'
import type { IdempotencyRecord, IdempotencyScope, IdempotencyStore } from './idempotency-store.ts'

const KEY = /^[\x21-\x7e]{1,255}$/
const REPLAYED_HEADER = 'idempotency-replayed'

/** What this needs of a call, whatever its route. */
export interface KeyedCall {
  readonly route: { readonly id: string }
  readonly principal: Principal
  readonly query: object
  readonly body: unknown
  readonly request: RequestFacts
}

/** To be called in the transaction of the change, with the id of what was made. */
export type InTransaction = (tx: TenantTransaction, id: string) => Promise<void>

export interface Once<V> {
  readonly status: number
  readonly make: (inTransaction: InTransaction | undefined) => Promise<Answer<V>>
  /** Answers what an earlier request with the same key made. */
  readonly again: (id: string) => Promise<Answer<V>>
}

/** Another request with the same key was first: thrown inside the transaction, so that it leaves nothing. */
const OVERTAKEN = new Error('Another request with the same Idempotency-Key was first.')

/** Makes it, or answers what was made before with that key. Without a key it is made each time. */
export async function once<V>(store: IdempotencyStore, call: KeyedCall, work: Once<V>): Promise<Answer<V>> {
  const scope = scopeOf(call)
  if (!scope) return work.make(undefined)
  const found = await store.find(scope)
  if (found) return replay(found, scope, work)
  try {
    return await work.make(async (tx, id) => {
      if (!(await store.record(tx, scope, work.status, id))) throw OVERTAKEN
    })
  } catch (error) {
    if (error !== OVERTAKEN) throw error
    const winner = await store.find(scope)
    if (!winner) throw inProgress()
    return replay(winner, scope, work)
  }
}

/**
 * The same for a change whose transaction cannot carry the key: the key is claimed first. When the process dies
 * in between, the key answers `idempotency.in-progress` until the claim lapses.
 */
export async function onceClaimed<V extends { readonly id: string }>(
  store: IdempotencyStore,
  call: KeyedCall,
  work: Once<V>,
): Promise<Answer<V>> {
  const scope = scopeOf(call)
  if (!scope) return work.make(undefined)
  if (!(await store.claim(scope, work.status))) {
    const found = await store.find(scope)
    if (!found) throw inProgress()
    return replay(found, scope, work)
  }
  let made: Answer<V>
  try {
    made = await work.make(undefined)
  } catch (error) {
    await store.release(scope)
    throw error
  }
  await store.settle(scope, made.value.id)
  return made
}

async function replay<V>(
  found: IdempotencyRecord,
  scope: IdempotencyScope,
  work: Once<V>,
): Promise<Answer<V>> {
  if (found.fingerprint !== scope.fingerprint) {
    throw new AppError(
      'idempotency.key-reused',
      'This Idempotency-Key was sent with another request. Use a new key.',
    )
  }
  if (found.resourceId === '') throw inProgress()
  const answer = await work.again(found.resourceId)
  return { ...answer, headers: { ...answer.headers, [REPLAYED_HEADER]: 'true' } }
}

function inProgress(): AppError {
  const message = 'A request with this Idempotency-Key is being worked on. Send it again in a moment.'
  return new AppError('idempotency.in-progress', message, { retryAfterMs: 1_000 })
}

function scopeOf(call: KeyedCall): IdempotencyScope | undefined {
  const key = call.request.header('idempotency-key')
  if (key === undefined) return undefined
  if (!KEY.test(key)) {
    throw new AppError('request.invalid', 'Idempotency-Key must be 1 to 255 visible ASCII characters.')
  }
  const { tenantId, userId } = call.principal
  return { tenantId, scope: `${userId} ${call.route.id}`, key, fingerprint: fingerprintOf(call) }
}

/** How long a client would wait is not a part of what it asks for. */
function fingerprintOf(call: KeyedCall): string {
  const query = Object.entries(call.query).filter(([name]) => name !== 'wait')
  return hash(
    'sha256',
    JSON.stringify([call.request.path, sorted(Object.fromEntries(query)), sorted(call.body)]),
  )
}

/** The order of keys says nothing. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([key, item]) => [key, sorted(item)])
}
