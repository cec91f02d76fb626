import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { actorOf } from '../../contract/principal.ts'
import { statement } from '../../storage/statement.ts'
import {
  agent,
  auditOf,
  CONTEXT,
  DRAFT,
  errorsOf,
  PUBLISH,
  shareDatabase,
  tool,
} from '../catalog-bench.test.ts'

forEachDatabase((_, open) => {
  const openBench = shareDatabase(open)

  it('makes version 1 as a draft, under an id and a name', async () => {
    const { catalog, ada } = await openBench()
    const made = await catalog.agents.create(ada, agent('guide'), DRAFT, CONTEXT)
    assert.match(made.head.id, /^agt_/)
    assert.equal(made.head.publishedVersion, null)
    assert.deepEqual(
      [made.version.version, made.version.status, made.version.createdBy],
      [1, 'draft', actorOf(ada)],
    )
    assert.deepEqual(made.version.definition, agent('guide'))
    assert.deepEqual(await catalog.agents.get(ada, 'guide'), made)
    assert.deepEqual(await catalog.agents.get(ada, made.head.id), made)
  })

  it('writes each change to the audit log with the digests before and after', async () => {
    const { catalog, ada, db } = await openBench()
    const one = await catalog.agents.create(ada, agent('guide'), PUBLISH, CONTEXT)
    const two = await catalog.agents.update(
      ada,
      'guide',
      agent('guide', { instructions: 'Two.' }),
      PUBLISH,
      CONTEXT,
    )
    await catalog.agents.rollback(ada, 'guide', undefined, CONTEXT)
    await catalog.agents.archive(ada, 'guide', CONTEXT)
    const facts = await auditOf(db, ada)
    const [d1, d2] = [one.version.digest, two.version.digest]
    assert.notEqual(d1, d2)
    assert.deepEqual(
      facts.map(({ type, data }) => [type, data]),
      [
        ['agent.created', { name: 'guide', version: 1, before: null, after: d1 }],
        ['agent.published', { name: 'guide', version: 1, before: null, after: d1 }],
        ['agent.updated', { name: 'guide', version: 2, before: d1, after: d2 }],
        ['agent.published', { name: 'guide', version: 2, before: d1, after: d2 }],
        ['agent.rolled-back', { name: 'guide', version: 1, before: d2, after: d1 }],
        ['agent.archived', { name: 'guide', version: 1, before: d1, after: null }],
      ],
    )
    for (const fact of facts) {
      assert.deepEqual(
        [fact.actor, fact.subject, fact.audit, fact.requestId],
        [actorOf(ada), one.head.id, 1, 'req_1'],
      )
    }
  })

  it('records what the caller adds in the same transaction, and nothing of a change that fails there', async () => {
    const { catalog, ada, db } = await openBench()
    const seen: string[] = []
    const inTransaction = async (_tx: unknown, id: string) => {
      seen.push(id)
      throw new Error('the key is taken')
    }
    await assert.rejects(
      catalog.agents.create(ada, agent('guide'), PUBLISH, { requestId: undefined, inTransaction }),
      /key is taken/,
    )
    assert.equal(seen.length, 1)
    await errorsOf(() => catalog.agents.get(ada, 'guide'), 'agent.not-found')
    assert.deepEqual(await auditOf(db, ada), [])
  })

  it('refuses a taken name, and never turns a create into an update', async () => {
    const { catalog, ada } = await openBench()
    const made = await catalog.agents.create(ada, agent('guide'), DRAFT, CONTEXT)
    const other = agent('guide', { instructions: 'Mine now.' })
    await errorsOf(() => catalog.agents.create(ada, other, PUBLISH, CONTEXT), 'agent.name-taken')
    assert.deepEqual(await catalog.agents.get(ada, 'guide'), made)
    // The kinds have their own names.
    await catalog.tools.create(ada, tool('guide'), DRAFT, CONTEXT)
  })

  it('lets one of two creates of the same name win', async () => {
    const { catalog, other, ada } = await openBench()
    const results = await Promise.allSettled(
      [catalog, other, catalog, other].map((one) => one.agents.create(ada, agent('guide'), DRAFT, CONTEXT)),
    )
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
  })

  it('adds no version for the same content, in whatever order its keys are', async () => {
    const { catalog, ada, db } = await openBench()
    const definition = agent('guide', { outputSchema: { type: 'object', properties: { a: {}, b: {} } } })
    const made = await catalog.agents.create(ada, definition, DRAFT, CONTEXT)
    const turned = Object.fromEntries(Object.entries(definition).reverse()) as typeof definition
    const again = await catalog.agents.update(ada, 'guide', turned, DRAFT, CONTEXT)
    assert.deepEqual(again, made)
    assert.equal((await auditOf(db, ada)).length, 1)
    const published = await catalog.agents.update(ada, 'guide', turned, PUBLISH, CONTEXT)
    assert.deepEqual([published.head.latestVersion, published.head.publishedVersion], [1, 1])
  })

  it('refuses a lost update', async () => {
    const { catalog, ada } = await openBench()
    await catalog.agents.create(ada, agent('guide'), DRAFT, CONTEXT)
    const change = (text: string, expectedVersion: number) =>
      catalog.agents.update(
        ada,
        'guide',
        agent('guide', { instructions: text }),
        { publish: false, expectedVersion },
        CONTEXT,
      )
    const results = await Promise.allSettled([change('a', 1), change('b', 1), change('c', 1)])
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    await errorsOf(() => change('d', 1), 'version.conflict')
    assert.equal((await change('d', 2)).head.latestVersion, 3)
  })

  it('numbers concurrent updates one after another', async () => {
    const { catalog, other, ada } = await openBench()
    await catalog.agents.create(ada, agent('guide'), DRAFT, CONTEXT)
    const texts = Array.from({ length: 12 }, (_, index) => `Text ${index}.`)
    await Promise.all(
      texts.map((instructions, index) =>
        (index % 2 ? catalog : other).agents.update(
          ada,
          'guide',
          agent('guide', { instructions }),
          PUBLISH,
          CONTEXT,
        ),
      ),
    )
    const { items } = await catalog.agents.versions(ada, 'guide', { limit: 50 })
    assert.deepEqual(
      items.map(({ version }) => version),
      [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
    )
    assert.equal(items.filter(({ status }) => status === 'published').length, 1)
  })

  it('publishes any version, goes back step by step, and never to a draft', async () => {
    const { catalog, ada } = await openBench()
    const { agents } = catalog
    await agents.create(ada, agent('guide'), DRAFT, CONTEXT)
    for (const text of ['2', '3', '4'])
      await agents.update(ada, 'guide', agent('guide', { instructions: text }), DRAFT, CONTEXT)
    await errorsOf(() => agents.rollback(ada, 'guide', undefined, CONTEXT), 'version.not-found')
    for (const version of [1, 2, 4]) await agents.publish(ada, 'guide', version, CONTEXT)
    await errorsOf(() => agents.rollback(ada, 'guide', 3, CONTEXT), 'version.conflict')
    assert.equal((await agents.rollback(ada, 'guide', undefined, CONTEXT)).version.version, 2)
    assert.equal((await agents.rollback(ada, 'guide', undefined, CONTEXT)).version.version, 1)
    await errorsOf(() => agents.rollback(ada, 'guide', undefined, CONTEXT), 'version.not-found')
    assert.equal((await agents.rollback(ada, 'guide', 4, CONTEXT)).version.version, 4)
    await agents.publish(ada, 'guide', undefined, CONTEXT)
    const { items } = await agents.versions(ada, 'guide', { limit: 10 })
    assert.deepEqual(
      items.map(({ status }) => status),
      ['published', 'draft', 'archived', 'archived'],
    )
    for (const version of [0, 5, -1, 1.5, Number.NaN, 1e300]) {
      await errorsOf(() => agents.publish(ada, 'guide', version, CONTEXT), 'version.not-found')
      await errorsOf(() => agents.version(ada, 'guide', version), 'version.not-found')
    }
  })

  it('archives for good, and frees the name', async () => {
    const { catalog, ada } = await openBench()
    const { agents } = catalog
    const { head } = await agents.create(ada, agent('guide'), PUBLISH, CONTEXT)
    const archived = await agents.archive(ada, 'guide', CONTEXT)
    assert.equal(archived.publishedVersion, null)
    assert.notEqual(archived.archivedAt, null)
    assert.deepEqual(await agents.archive(ada, head.id, CONTEXT), archived)
    await errorsOf(() => agents.get(ada, 'guide'), 'agent.not-found')
    assert.equal((await agents.get(ada, head.id)).version.status, 'archived')
    await errorsOf(() => agents.update(ada, head.id, agent('guide'), DRAFT, CONTEXT), 'agent.archived')
    await errorsOf(() => agents.publish(ada, head.id, 1, CONTEXT), 'agent.archived')
    await errorsOf(() => agents.rollback(ada, head.id, 1, CONTEXT), 'agent.archived')
    const next = await agents.create(ada, agent('guide'), DRAFT, CONTEXT)
    assert.notEqual(next.head.id, head.id)
    const names = async (archived: boolean) =>
      (await agents.list(ada, { limit: 10, archived })).items.map(({ head }) => head.id)
    assert.deepEqual(await names(false), [next.head.id])
    assert.deepEqual(await names(true), [head.id])
  })

  it('keeps a name for good', async () => {
    const { catalog, ada } = await openBench()
    await catalog.agents.create(ada, agent('guide'), DRAFT, CONTEXT)
    const errors = await errorsOf(() => catalog.agents.update(ada, 'guide', agent('leader'), DRAFT, CONTEXT))
    assert.deepEqual(
      errors.map(({ path }) => path),
      ['/name'],
    )
  })

  it('stores the canonical wire form, of which the digest is the SHA-256', async () => {
    const { catalog, ada, db } = await openBench()
    const { version } = await catalog.agents.create(
      ada,
      agent('guide', { limits: { maxSteps: 2 } }),
      DRAFT,
      CONTEXT,
    )
    const rows = await db.tenant(ada.tenantId).read((reader) => reader.all(selectBodies, {}))
    const body =
      '{"instructions":"Answer.","limits":{"max_steps":2},"model":"offline/extractive","name":"guide"}'
    assert.deepEqual(rows, [{ body, digest: version.digest }])
    const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(body))
    assert.equal(version.digest, Buffer.from(hash).toString('hex'))
  })
})

const selectBodies = statement('test.catalog.bodies', (db, p) =>
  db.selectFrom('definitionVersions').select(['body', 'digest']).where('tenantId', '=', p.tenantId),
)
