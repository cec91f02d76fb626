import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { newId } from '../../base/ids.ts'
import type { Database } from '../../storage/database.ts'
import {
  agent,
  CHECKS,
  CONTEXT,
  DRAFT,
  errorsOf,
  PUBLISH,
  shareDatabase,
  tool,
  workflow,
} from '../catalog-bench.test.ts'
import { createCatalog } from '../create-catalog.ts'
import { PUBLISHED_TTL_MS } from './version-cache.ts'

forEachDatabase((_, open) => {
  const openBench = shareDatabase(open)

  it('finds published versions by id and by name, and says why not', async () => {
    const { catalog, ada, bob } = await openBench()
    const { versions } = catalog
    const draft = await catalog.agents.create(ada, agent('guide'), DRAFT, CONTEXT)
    const { id } = draft.head
    await errorsOf(() => versions.publishedAgent(ada.tenantId, 'guide'), 'agent.not-published')
    await catalog.agents.publish(ada, 'guide', undefined, CONTEXT)
    const found = await versions.publishedAgent(ada.tenantId, 'guide')
    assert.deepEqual([found.id, found.name, found.version, found.status], [id, 'guide', 1, 'published'])
    assert.deepEqual(await versions.publishedAgent(ada.tenantId, id), found)
    for (const key of ['guide', id])
      await errorsOf(() => versions.publishedAgent(bob.tenantId, key), 'agent.not-found')
    await catalog.agents.archive(ada, id, CONTEXT)
    await errorsOf(() => versions.publishedAgent(ada.tenantId, id), 'agent.archived')
    await errorsOf(() => versions.publishedAgent(ada.tenantId, 'guide'), 'agent.not-found')
  })

  it('finds workflows as it finds agents', async () => {
    const { catalog, ada, bob } = await openBench()
    const { versions } = catalog
    const { head } = await catalog.workflows.create(ada, workflow('triage'), DRAFT, CONTEXT)
    await errorsOf(() => versions.publishedWorkflow(ada.tenantId, 'triage'), 'workflow.not-published')
    await catalog.workflows.publish(ada, 'triage', undefined, CONTEXT)
    const found = await versions.publishedWorkflow(ada.tenantId, 'triage')
    assert.deepEqual([found.id, found.name, found.version], [head.id, 'triage', 1])
    await errorsOf(() => versions.publishedWorkflow(bob.tenantId, head.id), 'workflow.not-found')
    await catalog.workflows.update(ada, 'triage', workflow('triage', { output: 'input' }), PUBLISH, CONTEXT)
    assert.equal((await versions.publishedWorkflow(ada.tenantId, 'triage')).version, 2)
    await catalog.workflows.archive(ada, head.id, CONTEXT)
    await errorsOf(() => versions.publishedWorkflow(ada.tenantId, head.id), 'workflow.archived')
    const pinned = await versions.pinnedWorkflow(ada.tenantId, head.id, 1)
    assert.deepEqual(pinned.definition, workflow('triage'))
    await errorsOf(() => versions.pinnedWorkflow(bob.tenantId, head.id, 1), 'version.not-found')
  })

  it('answers undefined for a tool that the tenant has not published', async () => {
    const { catalog, ada } = await openBench()
    const find = () => catalog.versions.publishedTool(ada.tenantId, 'mail')
    assert.equal(await find(), undefined)
    await catalog.tools.create(ada, tool('mail'), DRAFT, CONTEXT)
    assert.equal(await find(), undefined)
    await catalog.tools.publish(ada, 'mail', undefined, CONTEXT)
    assert.equal((await find())?.version, 1)
    await catalog.tools.archive(ada, 'mail', CONTEXT)
    assert.equal(await find(), undefined)
  })

  it('sees its own changes at once, and those of another process within the time named', async () => {
    const { catalog, other, ada, clock } = await openBench()
    const seen = async (one: typeof catalog) =>
      (await one.versions.publishedAgent(ada.tenantId, 'guide')).version
    await catalog.agents.create(ada, agent('guide'), PUBLISH, CONTEXT)
    assert.deepEqual([await seen(catalog), await seen(other)], [1, 1])
    await catalog.agents.update(ada, 'guide', agent('guide', { instructions: 'Two.' }), PUBLISH, CONTEXT)
    assert.deepEqual([await seen(catalog), await seen(other)], [2, 1])
    clock.nowMs += PUBLISHED_TTL_MS
    assert.deepEqual([await seen(catalog), await seen(other)], [2, 2])
    await catalog.agents.rollback(ada, 'guide', undefined, CONTEXT)
    assert.equal(await seen(catalog), 1)
  })

  it('reads pinned versions of whatever was published since, and only the tenant own', async () => {
    const { catalog, ada, bob } = await openBench()
    const { head } = await catalog.agents.create(ada, agent('guide'), PUBLISH, CONTEXT)
    const pinned = await catalog.versions.pinnedAgent(ada.tenantId, head.id, 1)
    await catalog.agents.update(ada, 'guide', agent('guide', { instructions: 'Two.' }), PUBLISH, CONTEXT)
    await catalog.agents.archive(ada, 'guide', CONTEXT)
    assert.deepEqual(await catalog.versions.pinnedAgent(ada.tenantId, head.id, 1), pinned)
    assert.deepEqual(pinned.definition, agent('guide'))
    assert.throws(() => Object.assign(pinned.definition, { instructions: 'Mine.' }), TypeError)
    await errorsOf(() => catalog.versions.pinnedAgent(bob.tenantId, head.id, 1), 'version.not-found')
    await errorsOf(() => catalog.versions.pinnedAgent(ada.tenantId, head.id, 7), 'version.not-found')
    await errorsOf(() => catalog.versions.pinnedTool(ada.tenantId, newId('tool'), 1), 'version.not-found')
  })

  it('asks the database once for what many ask, and again after a failure', async () => {
    const { catalog, ada, db, clock } = await openBench()
    const { head } = await catalog.agents.create(ada, agent('guide'), PUBLISH, CONTEXT)
    let reads = 0
    let broken = false
    const counted: Database = {
      ...db,
      tenant: (tenantId) => ({
        ...db.tenant(tenantId),
        read: (work) => {
          reads += 1
          return broken ? Promise.reject(new Error('down')) : db.tenant(tenantId).read(work)
        },
      }),
    }
    const { versions } = createCatalog({ ...CHECKS, db: counted, clock: () => clock.nowMs })
    const ask = () =>
      Promise.all([
        versions.publishedAgent(ada.tenantId, 'guide'),
        versions.pinnedAgent(ada.tenantId, head.id, 1),
      ])
    await Promise.all(Array.from({ length: 50 }, ask))
    assert.equal(reads, 2)
    clock.nowMs += PUBLISHED_TTL_MS
    broken = true
    await assert.rejects(ask, /down/)
    broken = false
    await ask()
    assert.equal(reads, 4)
  })
})
