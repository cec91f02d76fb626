import assert from 'node:assert/strict'
import { after, beforeEach, describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { forEachDatabase } from '../../test/support/database.ts'
import { isAppError } from '../base/errors.ts'
import { isId, type TenantId, type UserId } from '../base/ids.ts'
import { PERMISSIONS, ROLE_PERMISSIONS, type Role } from '../contract/permission.ts'
import type { Database } from '../storage/database.ts'
import { type Bind, type SystemBind, statement, systemStatement } from '../storage/statement.ts'
import { createIdentity } from './create-identity.ts'
import { newApiKey } from './key-format.ts'
import { REFRESH_AFTER_MS, SERVE_MS_MAX } from './key-verifier.ts'

const setRole = statement('test.set-role', (db, p: Bind<{ readonly userId: UserId; readonly role: Role }>) =>
  db
    .updateTable('memberships')
    .set({ role: p.role })
    .where('tenantId', '=', p.tenantId)
    .where('userId', '=', p.userId),
)
const setStatus = systemStatement(
  'test.set-status',
  'a test suspends a tenant',
  (db, p: SystemBind<{ readonly id: TenantId; readonly status: 'active' | 'suspended' }>) =>
    db.updateTable('tenants').set({ status: p.status }).where('id', '=', p.id),
)

forEachDatabase((_, open) => {
  describe('authenticateKey', () => {
    let now = Date.parse('2026-11-22T12:00:00.000Z')
    let elapsed = 0
    let queries = 0
    let db: Database
    const opened: AsyncDisposable[] = []
    const identityOn = (database: Database) => {
      const identity = createIdentity({ db: database, clock: () => now, elapsed: () => elapsed })
      opened.unshift(identity)
      return identity
    }
    const start = async () => {
      const identity = identityOn(counted(db, () => (queries += 1)))
      const first = await identity.bootstrap({ tenantName: 'Acme', adminName: 'Ada' })
      assert.ok(first)
      queries = 0
      return { identity, ...first }
    }

    beforeEach(async () => {
      now = Date.parse('2026-11-22T12:00:00.000Z')
      elapsed = 0
      db = await open()
      opened.unshift(db)
    })
    after(async () => {
      for (const each of opened) await each[Symbol.asyncDispose]()
    })

    it('gives the principal of a key: its tenant, its owner, and what both may do', async () => {
      const { identity, key, tenantId, userId } = await start()
      const principal = await identity.authenticateKey(key)
      assert.deepEqual(
        {
          tenantId: principal.tenantId,
          userId: principal.userId,
          kind: principal.kind,
          role: principal.role,
          operator: principal.operator,
        },
        { tenantId, userId, kind: 'human', role: 'ADMIN', operator: true },
      )
      assert.ok(isId('apiKey', principal.apiKeyId ?? ''))
      assert.deepEqual([...principal.permissions].toSorted(), [...PERMISSIONS].toSorted())
    })

    it('refuses a key of a wrong form, or with a wrong checksum, without a query', async () => {
      const { identity, key } = await start()
      const changed = `${key.slice(0, 20)}${key[20] === 'A' ? 'B' : 'A'}${key.slice(21)}`
      for (const wrong of [
        '',
        'af_',
        key.slice(0, -1),
        `${key} `,
        key.toLowerCase(),
        changed,
        'x'.repeat(100_000),
      ]) {
        if (wrong !== key) await assert.rejects(identity.authenticateKey(wrong), withCode('auth.invalid'))
      }
      assert.equal(queries, 0)
    })

    it('asks once for an unknown key, not for each request of a flood', async () => {
      const { identity } = await start()
      const unknown = newApiKey()
      const flood = Array.from({ length: 50 }, () =>
        assert.rejects(identity.authenticateKey(unknown), withCode('auth.invalid')),
      )
      await Promise.all(flood)
      await assert.rejects(identity.authenticateKey(unknown), withCode('auth.invalid'))
      assert.equal(queries, 1)
      elapsed += 1_000
      await assert.rejects(identity.authenticateKey(unknown), withCode('auth.invalid'))
      assert.equal(queries, 2)
    })

    it('asks once for many requests at the same time, then answers from memory', async () => {
      const { identity, key } = await start()
      const all = await Promise.all(Array.from({ length: 50 }, () => identity.authenticateKey(key)))
      assert.equal(new Set(all).size, 1)
      elapsed += REFRESH_AFTER_MS - 1
      await identity.authenticateKey(key)
      assert.equal(queries, 1)
    })

    it('asks anew in the background before an answer is too old, and waits for the answer when it is', async () => {
      const { identity, key } = await start()
      const first = await identity.authenticateKey(key)
      elapsed += REFRESH_AFTER_MS
      assert.equal(await identity.authenticateKey(key), first)
      assert.equal(queries, 2)
      // Whatever the refresh did, an answer that old is not given: this one is from a third query, or from the second.
      elapsed += SERVE_MS_MAX
      assert.notEqual(await identity.authenticateKey(key), first)
    })

    it('refuses a revoked key at once in the process that revoked it', async () => {
      const { identity, key } = await start()
      const principal = await identity.authenticateKey(key)
      assert.ok(principal.apiKeyId)
      await identity.revokeKey(principal, principal.apiKeyId, { requestId: 'r1' })
      await assert.rejects(identity.authenticateKey(key), withCode('auth.invalid'))
    })

    it('does not bring a key back by a query that began before its revocation', async () => {
      const gate = Promise.withResolvers<void>()
      let slow = false
      const identity = identityOn(
        counted(
          db,
          () => undefined,
          () => (slow ? gate.promise : undefined),
        ),
      )
      const { key } = await start()
      const principal = await identity.authenticateKey(key)
      assert.ok(principal.apiKeyId)
      elapsed += REFRESH_AFTER_MS
      slow = true
      // This begins a refresh, which finds the key in force and is then slow to say so.
      await identity.authenticateKey(key)
      await setImmediate()
      slow = false
      await identity.revokeKey(principal, principal.apiKeyId, { requestId: undefined })
      await assert.rejects(identity.authenticateKey(key), withCode('auth.invalid'))
      gate.resolve()
      await setImmediate()
      await assert.rejects(identity.authenticateKey(key), withCode('auth.invalid'))
    })

    it('refuses a revoked key within a second in another process', async () => {
      const { identity, key } = await start()
      const other = identityOn(db)
      const principal = await other.authenticateKey(key)
      assert.ok(principal.apiKeyId)
      await identity.revokeKey(principal, principal.apiKeyId, { requestId: undefined })
      elapsed += SERVE_MS_MAX
      await assert.rejects(other.authenticateKey(key), withCode('auth.invalid'))
      assert.ok(SERVE_MS_MAX < 1_000)
    })

    it('refuses a key from the millisecond of its expiry, also one that it remembers', async () => {
      const { identity, key } = await start()
      const admin = await identity.authenticateKey(key)
      const expiring = await identity.createKey(
        admin,
        { name: 'short', permissions: ['READ_AGENTS'], expiresAt: now + 100 },
        { requestId: undefined },
      )
      now += 99
      await identity.authenticateKey(expiring.key)
      now += 1
      await assert.rejects(identity.authenticateKey(expiring.key), withCode('auth.expired'))
      await assert.rejects(identityOn(db).authenticateKey(expiring.key), withCode('auth.expired'))
    })

    it('narrows a key when its owner is demoted, within a second', async () => {
      const { identity, key, tenantId, userId } = await start()
      assert.ok((await identity.authenticateKey(key)).permissions.has('ADMIN'))
      await db.tenant(tenantId).write((tx) => tx.run(setRole, { userId, role: 'USER' }))
      elapsed += SERVE_MS_MAX
      const demoted = await identity.authenticateKey(key)
      assert.deepEqual([...demoted.permissions].toSorted(), [...ROLE_PERMISSIONS.USER].toSorted())
      assert.deepEqual([demoted.role, demoted.operator], ['USER', false])
    })

    it('refuses the keys of a suspended tenant within a second, and takes them again when it is active', async () => {
      const { identity, key, tenantId } = await start()
      await identity.authenticateKey(key)
      await db.system.write((tx) => tx.run(setStatus, { id: tenantId, status: 'suspended' }))
      elapsed += SERVE_MS_MAX
      await assert.rejects(identity.authenticateKey(key), withCode('tenant.suspended'))
      await assert.rejects(identity.authenticateKey(key), withCode('tenant.suspended'))
      await db.system.write((tx) => tx.run(setStatus, { id: tenantId, status: 'active' }))
      elapsed += 1_000
      await identity.authenticateKey(key)
    })

    it('writes when a key was last used once it is closed, and not while requests wait', async () => {
      const { identity, key } = await start()
      const principal = await identity.authenticateKey(key)
      assert.ok(principal.apiKeyId)
      assert.equal((await identity.getKey(principal, principal.apiKeyId)).lastUsedAt, null)
      now += 5_000
      elapsed += 5_000
      await identity.authenticateKey(key)
      await identity[Symbol.asyncDispose]()
      assert.equal((await identity.getKey(principal, principal.apiKeyId)).lastUsedAt, now)
    })

    it('answers no key while the database fails, and does not remember the failure', async () => {
      let failing = true
      const flaky = createIdentity({
        db: counted(db, () => {
          if (failing) throw new Error('no database')
        }),
        clock: () => now,
        elapsed: () => elapsed,
      })
      opened.unshift(flaky)
      const { key } = await start()
      await assert.rejects(flaky.authenticateKey(key), /no database/)
      failing = false
      const principal = await flaky.authenticateKey(key)
      failing = true
      elapsed += REFRESH_AFTER_MS
      assert.equal(await flaky.authenticateKey(key), principal)
      elapsed += SERVE_MS_MAX
      await assert.rejects(flaky.authenticateKey(key), /no database/)
      failing = false
    })
  })
})

function withCode(code: Parameters<typeof isAppError>[1]) {
  return (error: unknown) => isAppError(error, code)
}

/** The same database; `note` is called before each read across tenants, which is what looking up a key is, `wait` after. */
function counted(db: Database, note: () => unknown, wait?: () => Promise<void> | undefined): Database {
  return {
    dialect: db.dialect,
    tenant: (id) => db.tenant(id),
    ping: () => db.ping(),
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
    system: {
      write: (work) => db.system.write(work),
      read: async (work) => {
        note()
        const waiting = wait?.()
        const result = await db.system.read(work)
        await waiting
        return result
      },
    },
  }
}
