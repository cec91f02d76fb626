// Idempotency keys as rows: SQL in, records out. A key belongs to a user and a route; it is written in the
// transaction of the change that it names, so that neither can be there without the other.

import type { TenantId } from '../base/ids.ts'
import type { Clock, EpochMs } from '../base/time.ts'
import type { Database, TenantTransaction } from '../storage/database.ts'
import { type Bind, statement } from '../storage/statement.ts'

export interface IdempotencyScope {
  readonly tenantId: TenantId
  /** Who sent it and for which route. */
  readonly scope: string
  readonly key: string
  readonly fingerprint: string
}

export interface IdempotencyRecord {
  readonly fingerprint: string
  readonly status: number
  /** What was made; '' while it is being made. */
  readonly resourceId: string
}

export interface IdempotencyStore {
  find(scope: IdempotencyScope): Promise<IdempotencyRecord | undefined>
  /** In the change's own transaction. False where another request with the key was first: the change must not be. */
  record(tx: TenantTransaction, scope: IdempotencyScope, status: number, resourceId: string): Promise<boolean>
  /** For a change whose transaction cannot carry the key: takes the key before. False where it is taken. */
  claim(scope: IdempotencyScope, status: number): Promise<boolean>
  /** What the claim made. */
  settle(scope: IdempotencyScope, resourceId: string): Promise<void>
  /** The claim made nothing. */
  release(scope: IdempotencyScope): Promise<void>
}

/** How long a key is remembered. */
export const IDEMPOTENCY_TTL_MS = 24 * 60 * 60 * 1_000
/** How long a claim stands whose process died: then the key may be used again. */
export const CLAIM_TTL_MS = 60_000

export function createIdempotencyStore(db: Database, clock: Clock): IdempotencyStore {
  const insert = (tx: TenantTransaction, scope: IdempotencyScope, made: Made): Promise<number> => {
    const { key, fingerprint } = scope
    const now = clock()
    const { status, resourceId, ttlMs } = made
    const row = {
      scope: scope.scope,
      key,
      fingerprint,
      status,
      resourceId,
      createdAt: now,
      expiresAt: now + ttlMs,
    }
    return tx.run(insertKey, row)
  }
  return {
    find: ({ tenantId, scope, key }) =>
      db.tenant(tenantId).read((reader) => reader.first(findKey, { scope, key, now: clock() })),
    record: async (tx, scope, status, resourceId) =>
      (await insert(tx, scope, { status, resourceId, ttlMs: IDEMPOTENCY_TTL_MS })) > 0,
    claim: (scope, status) =>
      db
        .tenant(scope.tenantId)
        .write(async (tx) => (await insert(tx, scope, { status, resourceId: '', ttlMs: CLAIM_TTL_MS })) > 0),
    async settle({ tenantId, scope, key }, resourceId) {
      const expiresAt = clock() + IDEMPOTENCY_TTL_MS
      await db.tenant(tenantId).write((tx) => tx.run(settleKey, { scope, key, resourceId, expiresAt }))
    },
    async release({ tenantId, scope, key }) {
      await db.tenant(tenantId).write((tx) => tx.run(releaseKey, { scope, key }))
    },
  }
}

interface Made {
  readonly status: number
  readonly resourceId: string
  readonly ttlMs: number
}

interface KeyRow {
  readonly scope: string
  readonly key: string
  readonly fingerprint: string
  readonly status: number
  readonly resourceId: string
  readonly createdAt: EpochMs
  readonly expiresAt: EpochMs
}

const findKey = statement(
  'idempotency.find',
  (db, p: Bind<{ readonly scope: string; readonly key: string; readonly now: EpochMs }>) =>
    db
      .selectFrom('idempotencyKeys')
      .select(['fingerprint', 'status', 'resourceId'])
      .where('tenantId', '=', p.tenantId)
      .where('scope', '=', p.scope)
      .where('key', '=', p.key)
      .where('expiresAt', '>', p.now),
)

/** Changes nothing where the key is taken; takes over one that has expired. */
const insertKey = statement('idempotency.insert', (db, p: Bind<KeyRow>) =>
  db
    .insertInto('idempotencyKeys')
    .values({
      tenantId: p.tenantId,
      scope: p.scope,
      key: p.key,
      fingerprint: p.fingerprint,
      status: p.status,
      resourceId: p.resourceId,
      createdAt: p.createdAt,
      expiresAt: p.expiresAt,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['tenantId', 'scope', 'key'])
        .doUpdateSet({
          fingerprint: p.fingerprint,
          status: p.status,
          resourceId: p.resourceId,
          createdAt: p.createdAt,
          expiresAt: p.expiresAt,
        })
        .where('idempotencyKeys.expiresAt', '<=', p.createdAt),
    ),
)

const settleKey = statement(
  'idempotency.settle',
  (
    db,
    p: Bind<{
      readonly scope: string
      readonly key: string
      readonly resourceId: string
      readonly expiresAt: EpochMs
    }>,
  ) =>
    db
      .updateTable('idempotencyKeys')
      .set({ resourceId: p.resourceId, expiresAt: p.expiresAt })
      .where('tenantId', '=', p.tenantId)
      .where('scope', '=', p.scope)
      .where('key', '=', p.key),
)

const releaseKey = statement(
  'idempotency.release',
  (db, p: Bind<{ readonly scope: string; readonly key: string }>) =>
    db
      .deleteFrom('idempotencyKeys')
      .where('tenantId', '=', p.tenantId)
      .where('scope', '=', p.scope)
      .where('key', '=', p.key)
      .where('resourceId', '=', ''),
)
