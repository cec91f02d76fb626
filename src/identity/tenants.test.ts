import assert from 'node:assert/strict'
import { after, beforeEach, describe, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { type ErrorCode, isAppError } from '../base/errors.ts'
import { isId, newId } from '../base/ids.ts'
import type { Permission } from '../contract/permission.ts'
import { type AuditEntry, listAudit } from '../events/audit-log.ts'
import type { Database } from '../storage/database.ts'
import { createIdentity } from './create-identity.ts'
import type { Denial } from './denials.ts'

const NOW = Date.parse('2026-11-22T12:00:00.000Z')
const context = { requestId: 'req_7', ip: '203.0.113.9' }

forEachDatabase((_, open) => {
  describe('tenants', () => {
    const opened: AsyncDisposable[] = []
    const denied: Denial[] = []
    let db: Database
    let identity: ReturnType<typeof createIdentity>
    let now = NOW
    const start = async () => {
      const first = await identity.bootstrap({ tenantName: ' Acme ', adminName: 'Ada' })
      assert.ok(first)
      return { ...first, admin: await identity.authenticateKey(first.key) }
    }

    beforeEach(async () => {
      now = NOW
      denied.length = 0
      db = await open()
      identity = createIdentity({ db, clock: () => now, onDenied: (denial) => denied.push(denial) })
      opened.unshift(identity, db)
    })
    after(async () => {
      for (const each of opened) await each[Symbol.asyncDispose]()
    })

    it('begin with one tenant, its admin and a key, each with its fact', async () => {
      const { tenantId, userId, key, admin } = await start()
      assert.ok(isId('tenant', tenantId) && isId('user', userId))
      assert.equal((await identity.getTenant(admin)).name, 'Acme')
      const { items } = await listAudit(db, tenantId, { limit: 10 })
      assert.deepEqual(
        items.map(({ type, actor, subject }) => ({ type, actor, subject })),
        [
          { type: 'api-key.created', actor: 'system', subject: admin.apiKeyId },
          { type: 'user.created', actor: 'system', subject: userId },
          { type: 'tenant.created', actor: 'system', subject: tenantId },
        ],
      )
      assert.ok(!JSON.stringify(items).includes(key) && !JSON.stringify(items).includes('Ada'))
    })

    it('begin once, also when several processes begin at the same moment', async () => {
      const others = Array.from({ length: 4 }, () => createIdentity({ db, clock: () => now }))
      opened.unshift(...others)
      const made = await Promise.all(
        [identity, ...others].map((each) => each.bootstrap({ tenantName: 'Acme', adminName: 'Ada' })),
      )
      assert.equal(made.filter((each) => each !== undefined).length, 1)
      assert.equal(await identity.bootstrap({ tenantName: 'Acme', adminName: 'Ada' }), undefined)
    })

    it('begin with names that are names, or not at all', async () => {
      await assert.rejects(identity.bootstrap({ tenantName: '', adminName: 'a\tb' }), (error: unknown) => {
        assert.ok(isAppError(error, 'request.invalid'))
        assert.deepEqual(
          error.errors.map(({ path }) => path),
          ['/tenant_name', '/admin_name'],
        )
        return true
      })
      assert.ok(await identity.bootstrap({ tenantName: 'Ácme & Söhne', adminName: '张伟' }))
    })

    it('change by an admin, with what changed in the log', async () => {
      const { admin, tenantId } = await start()
      now += 5
      const changed = await identity.updateTenant(
        admin,
        { name: 'Acme 2', capturePolicy: 'redacted' },
        context,
      )
      assert.deepEqual(
        [changed.name, changed.capturePolicy, changed.updatedAt],
        ['Acme 2', 'redacted', NOW + 5],
      )
      assert.deepEqual(await identity.getTenant(admin), changed)
      await identity.updateTenant(admin, { name: 'Acme 2' }, context)
      await identity.updateTenant(admin, {}, context)
      const [fact, before] = (await listAudit(db, tenantId, { limit: 10 })).items
      assert.deepEqual(
        [fact?.type, fact?.actor, fact?.data, fact?.requestId],
        [
          'tenant.updated',
          admin.apiKeyId,
          { name: { before: 'Acme', after: 'Acme 2' }, capturePolicy: { before: 'full', after: 'redacted' } },
          'req_7',
        ],
      )
      assert.equal(before?.type, 'api-key.created')
      await assert.rejects(identity.updateTenant(admin, { name: '\n' }, context), withCode('request.invalid'))
      const policy = 'none' as unknown as 'full'
      await assert.rejects(
        identity.updateTenant(admin, { capturePolicy: policy }, context),
        withCode('request.invalid'),
      )
    })

    it('take as much of the platform as its operator lets them, and see it', async () => {
      const { admin, tenantId } = await start()
      const plain = { ...admin, operator: false }
      const cap = (by: typeof admin, maxConcurrentJobs: number | null, id = tenantId) =>
        identity.updateTenant(by, { maxConcurrentJobs }, context, id)
      await assert.rejects(cap(plain, 5), withCode('access.denied'))
      assert.equal((await cap(admin, 5)).maxConcurrentJobs, 5)
      assert.equal((await identity.getTenant(plain)).maxConcurrentJobs, 5)
      const [fact] = (await listAudit(db, tenantId, { limit: 1 })).items
      assert.deepEqual(fact?.data, { maxConcurrentJobs: { before: null, after: 5 } })
      const elsewhere = { ...admin, tenantId: newId('tenant') }
      assert.equal((await cap(elsewhere, null)).maxConcurrentJobs, null)
      await assert.rejects(
        identity.updateTenant(elsewhere, { name: 'Mine now' }, context, tenantId),
        withCode('request.invalid'),
      )
      await assert.rejects(cap({ ...elsewhere, operator: false }, 9), withCode('access.denied'))
      await assert.rejects(cap(admin, 0), withCode('request.invalid'))
      await assert.rejects(cap(admin, 5, newId('tenant')), withCode('tenant.not-found'))
    })

    it('are found by their own principals only', async () => {
      const { admin } = await start()
      await assert.rejects(
        identity.getTenant({ ...admin, tenantId: newId('tenant') }),
        withCode('tenant.not-found'),
      )
    })

    describe('denials', () => {
      const deny = async (times: number, permission: Permission) => {
        const { admin, tenantId } = await start()
        const nobody = { ...admin, permissions: new Set<Permission>() }
        for (let i = 0; i < times; i++) {
          await assert.rejects(identity.authorize(nobody, permission, context), withCode('access.denied'))
          now += 10
        }
        const facts = async (): Promise<readonly AuditEntry[]> =>
          (await listAudit(db, tenantId, { limit: 20 })).items.filter(({ type }) => type === 'access.denied')
        return { admin, nobody, facts }
      }

      it('are in the log when the answer is given', async () => {
        const { admin, facts } = await deny(1, 'READ_AUDIT')
        const [fact, ...rest] = await facts()
        assert.deepEqual(rest, [])
        assert.deepEqual(
          [fact?.actor, fact?.subject, fact?.requestId],
          [admin.apiKeyId, admin.userId, 'req_7'],
        )
        const at = '2026-11-22T12:00:00.000Z'
        assert.deepEqual(fact?.data, {
          permission: 'READ_AUDIT',
          count: 1,
          from: at,
          until: at,
          ip: '203.0.113.9',
        })
      })

      it('do not fill the log in a flood: those after the first are counted and told of together', async () => {
        const { nobody, facts } = await deny(500, 'READ_AUDIT')
        await assert.rejects(identity.authorize(nobody, 'ADMIN', context), withCode('access.denied'))
        assert.equal((await facts()).length, 2)
        assert.equal(denied.length, 501)
        await identity[Symbol.asyncDispose]()
        const [told, ...rest] = await facts()
        assert.equal(rest.length, 2)
        assert.deepEqual(told?.data, {
          permission: 'READ_AUDIT',
          count: 499,
          from: '2026-11-22T12:00:00.000Z',
          until: '2026-11-22T12:00:04.990Z',
        })
      })

      it('are none where the permission is held', async () => {
        const { admin, facts } = await deny(0, 'ADMIN')
        await identity.authorize(admin, 'READ_AUDIT', context)
        assert.deepEqual(await facts(), [])
      })
    })
  })
})

function withCode(code: ErrorCode) {
  return (error: unknown) => isAppError(error, code)
}
