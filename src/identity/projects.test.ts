import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { isAppError } from '../base/errors.ts'
import { newId, type TenantId } from '../base/ids.ts'
import { PERMISSIONS } from '../contract/permission.ts'
import type { Principal } from '../contract/principal.ts'
import { listAudit } from '../events/audit-log.ts'
import type { Database } from '../storage/database.ts'
import { PROJECTS_PER_TENANT_MAX } from './project.ts'
import { createProjects, requireActiveProject } from './projects.ts'
import { insertTenant } from './tenant-store.ts'

const NOW = Date.parse('2026-11-22T12:00:00.000Z')
const CONTEXT = { requestId: 'req' }

forEachDatabase((_, open) => {
  describe('projects', () => {
    let db: Database
    let ada: Principal
    let bo: Principal
    let now = NOW
    const code = (wanted: string) => (error: unknown) => isAppError(error) && error.code === wanted

    before(async () => {
      db = await open()
      ada = await somebody(db)
      bo = await somebody(db)
    })
    after(() => db[Symbol.asyncDispose]())

    it('are made, renamed, archived and taken up again, each on record with before and after', async () => {
      const projects = createProjects({ db, clock: () => now++ })
      const made = await projects.create(ada, { name: '  Support  ' }, CONTEXT)
      assert.deepEqual([made.name, made.state], ['Support', 'active'])
      await projects.update(ada, made.id, { name: 'Help desk' }, CONTEXT)
      await projects.update(ada, made.id, { state: 'archived' }, CONTEXT)
      const again = await projects.update(ada, made.id, { state: 'active' }, CONTEXT)
      await projects.update(ada, made.id, { state: 'active', name: 'Help desk' }, CONTEXT)
      assert.deepEqual(await projects.get(ada.tenantId, made.id), again)
      const { items } = await listAudit(db, ada.tenantId, { limit: 10 })
      assert.deepEqual(
        items.filter(({ subject }) => subject === made.id).map(({ type, data }) => [type, data]),
        [
          ['project.updated', { state: { before: 'archived', after: 'active' } }],
          ['project.updated', { state: { before: 'active', after: 'archived' } }],
          ['project.updated', { name: { before: 'Support', after: 'Help desk' } }],
          ['project.created', { name: 'Support' }],
        ],
      )
    })

    it('have a name of their own in the tenant, also where many ask for it at once', async () => {
      const projects = createProjects({ db, clock: () => now++ })
      const asked = Array.from({ length: 4 }, () => projects.create(ada, { name: 'One' }, CONTEXT))
      const outcomes = await Promise.allSettled(asked)
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') assert.ok(code('project.name-taken')(outcome.reason))
      const two = await projects.create(ada, { name: 'Two' }, CONTEXT)
      await assert.rejects(projects.update(ada, two.id, { name: 'One' }, CONTEXT), code('project.name-taken'))
      await assert.rejects(projects.create(ada, { name: 'a\u202eb' }, CONTEXT), code('request.invalid'))
      // Another tenant's names are no matter of this one.
      assert.equal((await projects.create(bo, { name: 'One' }, CONTEXT)).name, 'One')
    })

    it('are another tenant’s as if they were not there', async () => {
      const projects = createProjects({ db, clock: () => now++ })
      const made = await projects.create(ada, { name: 'Secret' }, CONTEXT)
      const missing = code('project.not-found')
      await assert.rejects(projects.get(bo.tenantId, made.id), missing)
      await assert.rejects(projects.update(bo, made.id, { name: 'Mine' }, CONTEXT), missing)
      const listed = await projects.list(bo.tenantId, { limit: 50 })
      assert.ok(listed.items.every(({ id }) => id !== made.id))
      const required = (tenantId: TenantId) =>
        db.tenant(tenantId).read((reader) => requireActiveProject(reader, made.id))
      await required(ada.tenantId)
      await assert.rejects(required(bo.tenantId), missing)
      await projects.update(ada, made.id, { state: 'archived' }, CONTEXT)
      await assert.rejects(required(ada.tenantId), missing)
    })

    it('are so many and no more', async () => {
      const projects = createProjects({ db, clock: () => now++ })
      const cy = await somebody(db)
      const first = await projects.create(cy, { name: 'first' }, CONTEXT)
      const others = Array.from({ length: PROJECTS_PER_TENANT_MAX - 1 }, (_, at) => ({
        ...first,
        tenantId: cy.tenantId,
        id: newId('project'),
        name: `other ${at}`,
      }))
      await db.tenant(cy.tenantId).write(async (tx) => {
        while (others.length > 0) {
          const rows = others.splice(0, 2_000)
          await tx.query((builder) => builder.insertInto('projects').values(rows).returning('id'))
        }
      })
      await assert.rejects(projects.create(cy, { name: 'last' }, CONTEXT), code('request.invalid'))
    })

    it('are listed newest first, in pages, by their state', async () => {
      const projects = createProjects({ db, clock: () => now++ })
      const cy = await somebody(db)
      const ids: string[] = []
      for (const name of ['a', 'b', 'c']) ids.push((await projects.create(cy, { name }, CONTEXT)).id)
      const first = await projects.list(cy.tenantId, { limit: 2 })
      const second = await projects.list(cy.tenantId, { limit: 2, cursor: first.nextCursor })
      assert.deepEqual(
        [...first.items, ...second.items].map(({ id }) => id),
        ids.toReversed(),
      )
      assert.equal(second.nextCursor, undefined)
      const archived = first.items[0]
      assert.ok(archived)
      await projects.update(cy, archived.id, { state: 'archived' }, CONTEXT)
      const { items } = await projects.list(cy.tenantId, { limit: 9, state: 'archived' })
      assert.deepEqual(
        items.map(({ id }) => id),
        [archived.id],
      )
    })
  })
})

async function somebody(db: Database): Promise<Principal> {
  const tenantId = newId('tenant')
  const row = { id: tenantId, name: 'T', status: 'active', capturePolicy: 'full' } as const
  await db.system.write((tx) =>
    tx.run(insertTenant, { ...row, maxConcurrentJobs: null, createdAt: NOW, updatedAt: NOW }),
  )
  return {
    tenantId,
    userId: newId('user'),
    kind: 'human',
    apiKeyId: undefined,
    permissions: new Set(PERMISSIONS),
    operator: false,
    role: 'ADMIN',
  }
}
