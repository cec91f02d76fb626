import assert from 'node:assert/strict'
import { after, beforeEach, describe, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { AppError, type ErrorCode } from '../base/errors.ts'
import { type ApiKeyId, newId, type TenantId } from '../base/ids.ts'
import { PERMISSIONS, type Permission, ROLE_PERMISSIONS, type Role } from '../contract/permission.ts'
import type { Principal } from '../contract/principal.ts'
import { listAudit } from '../events/audit-log.ts'
import type { Database } from '../storage/database.ts'
import { insertKey } from './api-key-store.ts'
import { API_KEYS_PER_TENANT_MAX } from './api-keys.ts'
import { createIdentity } from './create-identity.ts'
import { hashApiKey, newApiKey } from './key-format.ts'
import { EXPIRY_MS_MAX } from './key-input.ts'
import { insertMembership, insertTenant, insertUser } from './tenant-store.ts'

const NOW = Date.parse('2026-11-22T12:00:00.000Z')
const context = { requestId: 'req_1' }

forEachDatabase((_, open) => {
  describe('API keys', () => {
    const opened: AsyncDisposable[] = []
    let db: Database
    let identity: ReturnType<typeof createIdentity>
    let admin: Principal
    let now = NOW

    beforeEach(async () => {
      now = NOW
      db = await open()
      identity = createIdentity({ db, clock: () => now })
      opened.unshift(identity, db)
      admin = await addMember(db, 'ADMIN')
    })
    after(async () => {
      for (const each of opened) await each[Symbol.asyncDispose]()
    })

    const facts = async (tenantId: TenantId) => (await listAudit(db, tenantId, { limit: 50 })).items
    const create = (permissions: readonly Permission[], by = admin) =>
      identity.createKey(by, { name: 'ci', permissions }, context)

    it('shows a key once and stores only its hash', async () => {
      const { apiKey, key } = await create(['READ_AGENTS', 'RUN_AGENTS', 'READ_AGENTS'])
      assert.deepEqual(apiKey, {
        id: apiKey.id,
        name: 'ci',
        prefix: key.slice(0, 11),
        ownerId: admin.userId,
        permissions: ['READ_AGENTS', 'RUN_AGENTS'],
        createdAt: NOW,
        expiresAt: null,
        revokedAt: null,
        lastUsedAt: null,
      })
      assert.deepEqual(await identity.getKey(admin, apiKey.id), apiKey)
      const written = JSON.stringify([
        await facts(admin.tenantId),
        await identity.listKeys(admin, { limit: 9 }),
      ])
      assert.ok(!written.includes(key) && !written.includes(hashApiKey(key)))
    })

    it('gives a key its own permissions only', async () => {
      const { key } = await create(['READ_AGENTS'])
      const principal = await identity.authenticateKey(key)
      assert.deepEqual([...principal.permissions], ['READ_AGENTS'])
      assert.equal(principal.tenantId, admin.tenantId)
      await assert.rejects(create(['READ_AGENTS'], principal), withCode('access.denied'))
    })

    it('lets nobody grant more than they hold', async () => {
      const narrow: Principal = { ...admin, permissions: new Set(['ADMIN', 'READ_AGENTS']) }
      await assert.rejects(create(['READ_AGENTS', 'WRITE_AGENTS'], narrow), withCode('access.denied'))
      const { apiKey } = await create(['ADMIN'], narrow)
      assert.deepEqual(apiKey.permissions, ['ADMIN'])
      const [, denied] = await facts(admin.tenantId)
      assert.equal(denied?.type, 'access.denied')
      assert.deepEqual(denied?.data, {
        permission: 'WRITE_AGENTS',
        count: 1,
        from: '2026-11-22T12:00:00.000Z',
        until: '2026-11-22T12:00:00.000Z',
      })
    })

    it('makes no key for one who was demoted, or whose key was revoked, a moment ago', async () => {
      const stale = { ...(await addMember(db, 'CREATOR')), permissions: new Set(PERMISSIONS) }
      await assert.rejects(create(['READ_AGENTS'], stale), withCode('access.denied'))
      const { key, apiKey } = await create(PERMISSIONS)
      const withKey = await identity.authenticateKey(key)
      await identity.revokeKey(admin, apiKey.id, context)
      await assert.rejects(create(['READ_AGENTS'], withKey), withCode('access.denied'))
    })

    it('names every wrong field of a request', async () => {
      const bad = {
        name: 'a\nb',
        permissions: ['READ_AGENTS' as const, 'FLY' as Permission],
        expiresAt: NOW,
      }
      await assert.rejects(identity.createKey(admin, bad, context), (error: unknown) => {
        assert.ok(error instanceof AppError && error.code === 'request.invalid')
        assert.deepEqual(
          error.errors.map(({ path }) => path),
          ['/name', '/permissions/1', '/expires_at'],
        )
        return true
      })
    })

    it('refuses an empty list of permissions, names that are none, and expiries that are not in the future', async () => {
      await assert.rejects(create([]), withCode('request.invalid'))
      for (const name of ['', '  ', 'x'.repeat(65), '\u001b[31mred', 'a\u2028b', '\u202eevil']) {
        const input = { name, permissions: ['READ_AGENTS'] as const }
        await assert.rejects(identity.createKey(admin, input, context), withCode('request.invalid'), name)
      }
      for (const expiresAt of [0, -1, NOW - 1, NOW, NOW + 0.5, Number.NaN, NOW + EXPIRY_MS_MAX + 1]) {
        const input = { name: 'n', permissions: ['READ_AGENTS'] as const, expiresAt }
        await assert.rejects(identity.createKey(admin, input, context), withCode('request.invalid'))
      }
      const input = { name: 'n', permissions: ['READ_AGENTS'] as const, expiresAt: NOW + 1 }
      assert.equal((await identity.createKey(admin, input, context)).apiKey.expiresAt, NOW + 1)
    })

    it('limits the keys of a tenant that can be used, and counts no other', async () => {
      await db.tenant(admin.tenantId).write(async (tx) => {
        for (let i = 0; i < API_KEYS_PER_TENANT_MAX; i++) {
          const expiresAt = i === 0 ? NOW + 5 : null
          await tx.run(insertKey, { ...keyRow(admin), expiresAt })
        }
      })
      await assert.rejects(create(['READ_AGENTS']), withCode('request.invalid'))
      now += 5
      const { apiKey } = await create(['READ_AGENTS'])
      await assert.rejects(create(['READ_AGENTS']), withCode('request.invalid'))
      await identity.revokeKey(admin, apiKey.id, context)
      await create(['READ_AGENTS'])
    })

    it('lists keys newest first, each once, while others are made', async () => {
      const ids: ApiKeyId[] = []
      for (let i = 0; i < 5; i++) ids.push((await create(['READ_AGENTS'])).apiKey.id)
      const first = await identity.listKeys(admin, { limit: 2 })
      await create(['READ_AGENTS'])
      const second = await identity.listKeys(admin, { limit: 2, cursor: first.nextCursor })
      const third = await identity.listKeys(admin, { limit: 2, cursor: second.nextCursor })
      const seen = [first, second, third].flatMap(({ items }) => items.map(({ id }) => id))
      assert.deepEqual(seen, ids.toReversed())
      assert.equal(third.nextCursor, undefined)
      for (const cursor of ['', 'x', Buffer.from('run_1').toString('base64url')]) {
        await assert.rejects(identity.listKeys(admin, { limit: 2, cursor }), withCode('cursor.invalid'))
      }
      for (const limit of [0, -1, 201, 1.5]) {
        await assert.rejects(identity.listKeys(admin, { limit }), withCode('request.invalid'))
      }
    })

    it('does not know the keys of another tenant, for reading and for revoking', async () => {
      const stranger = await addMember(db, 'ADMIN')
      const { apiKey, key } = await create(['READ_AGENTS'])
      for (const id of [apiKey.id, newId('apiKey'), "key_' or 1=1 --" as ApiKeyId]) {
        await assert.rejects(identity.getKey(stranger, id), withCode('api-key.not-found'))
        await assert.rejects(identity.revokeKey(stranger, id, context), withCode('api-key.not-found'))
      }
      assert.deepEqual((await identity.listKeys(stranger, { limit: 9 })).items, [])
      // Another tenant's cursor is only a place in the order.
      const cursor = Buffer.from(newId('apiKey')).toString('base64url')
      assert.deepEqual((await identity.listKeys(stranger, { limit: 9, cursor })).items, [])
      assert.equal((await identity.authenticateKey(key)).tenantId, admin.tenantId)
      assert.deepEqual(await facts(stranger.tenantId), [])
    })

    it('revokes a key once, with one fact, however often it is asked', async () => {
      const { apiKey } = await create(['READ_AGENTS'])
      now += 10
      const [first, second] = await Promise.all([
        identity.revokeKey(admin, apiKey.id, context),
        identity.revokeKey(admin, apiKey.id, context),
      ])
      now += 10
      const third = await identity.revokeKey(admin, apiKey.id, context)
      assert.deepEqual([first.revokedAt, second.revokedAt, third.revokedAt], [NOW + 10, NOW + 10, NOW + 10])
      const [revoked, created, ...rest] = await facts(admin.tenantId)
      assert.deepEqual([revoked?.type, created?.type, rest.length], ['api-key.revoked', 'api-key.created', 0])
      assert.deepEqual(
        [revoked?.subject, revoked?.actor, revoked?.requestId],
        [apiKey.id, admin.userId, 'req_1'],
      )
    })

    it('is for admins only', async () => {
      for (const role of ['USER', 'CREATOR'] as const) {
        const member = await addMember(db, role)
        await assert.rejects(create(['READ_AGENTS'], member), withCode('access.denied'))
        await assert.rejects(identity.listKeys(member, { limit: 1 }), withCode('access.denied'))
        await assert.rejects(identity.getKey(member, newId('apiKey')), withCode('access.denied'))
        await assert.rejects(identity.revokeKey(member, newId('apiKey'), context), withCode('access.denied'))
      }
    })
  })
})

function withCode(code: ErrorCode) {
  return (error: unknown) => error instanceof AppError && error.code === code
}

function keyRow({ userId }: Principal) {
  return {
    id: newId('apiKey'),
    name: 'many',
    hash: hashApiKey(newApiKey()),
    prefix: 'af_',
    ownerId: userId,
    permissions: '["READ_AGENTS"]',
    createdAt: NOW,
  }
}

/** A member of a tenant of its own. */
async function addMember(db: Database, role: Role): Promise<Principal> {
  const tenantId = newId('tenant')
  const userId = newId('user')
  const at = { createdAt: NOW, updatedAt: NOW }
  await db.system.write(async (tx) => {
    await tx.run(insertTenant, {
      id: tenantId,
      name: 't',
      status: 'active',
      capturePolicy: 'full',
      maxConcurrentJobs: null,
      ...at,
    })
    await tx.run(insertUser, {
      id: userId,
      kind: 'human',
      name: 'u',
      email: null,
      platformRole: null,
      createdAt: NOW,
    })
    await tx.forTenant(tenantId).run(insertMembership, { userId, role, createdAt: NOW })
  })
  const permissions = new Set(ROLE_PERMISSIONS[role])
  return {
    tenantId,
    userId,
    kind: 'human',
    apiKeyId: undefined,
    role: 'CREATOR',
    permissions,
    operator: false,
  }
}
