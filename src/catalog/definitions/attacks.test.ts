// What somebody might try: another tenant's things, odd names, definitions that are too much, fields that are not theirs.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { isAppError } from '../../base/errors.ts'
import type { AgentDefinition } from '../../contract/agent.ts'
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

  it('treats what belongs to another tenant as not there, by id, name and cursor', async () => {
    const { catalog, ada, bob, db } = await openBench()
    const mine = await catalog.agents.create(ada, agent('guide'), PUBLISH, CONTEXT)
    await catalog.agents.update(ada, 'guide', agent('guide', { instructions: 'Two.' }), DRAFT, CONTEXT)
    const before = await catalog.agents.get(ada, 'guide')
    for (const key of [mine.head.id, 'guide']) {
      const attempts = [
        () => catalog.agents.get(bob, key),
        () => catalog.agents.version(bob, key, 1),
        () => catalog.agents.versions(bob, key, { limit: 10 }),
        () => catalog.agents.diff(bob, key, 1, 2),
        () => catalog.agents.update(bob, key, agent('guide'), PUBLISH, CONTEXT),
        () => catalog.agents.publish(bob, key, 2, CONTEXT),
        () => catalog.agents.rollback(bob, key, 1, CONTEXT),
        () => catalog.agents.archive(bob, key, CONTEXT),
      ]
      for (const attempt of attempts) await errorsOf(attempt, 'agent.not-found')
    }
    const { nextCursor } = await pageOfTwo(catalog, ada)
    assert.deepEqual((await catalog.agents.list(bob, { limit: 10, cursor: nextCursor })).items, [])
    assert.deepEqual(await auditOf(db, bob), [])
    assert.deepEqual(await catalog.agents.get(ada, 'guide'), before)
  })

  it('lets no definition lean on another tenant', async () => {
    const { catalog, ada, bob } = await openBench()
    await catalog.tools.create(ada, tool('mail'), PUBLISH, CONTEXT)
    await catalog.agents.create(ada, agent('helper'), PUBLISH, CONTEXT)
    const definition = agent('guide', { tools: ['mail'], subAgents: ['helper'] })
    const errors = await errorsOf(() => catalog.agents.create(bob, definition, PUBLISH, CONTEXT))
    assert.deepEqual(
      errors.map(({ path }) => path),
      ['/tools/0', '/sub_agents/0'],
    )
    // And its users are not told to others: the same names, archived without a word.
    await catalog.tools.create(bob, tool('mail'), PUBLISH, CONTEXT)
    await catalog.agents.create(ada, agent('user', { tools: ['mail'] }), PUBLISH, CONTEXT)
    await catalog.tools.archive(bob, 'mail', CONTEXT)
  })

  it('does not look for names that nothing can have', async () => {
    const { catalog, ada } = await openBench()
    await catalog.agents.create(ada, agent('guide'), PUBLISH, CONTEXT)
    const names = [
      '',
      ' ',
      'guide\0',
      'gui\0de',
      "guide' or '1'='1",
      '%',
      'GUIDE',
      '../guide',
      '__proto__',
      'constructor',
      '\ud800',
      'é',
      'x'.repeat(100_000),
    ]
    for (const name of names) {
      await errorsOf(() => catalog.agents.get(ada, name), 'agent.not-found')
      await errorsOf(() => catalog.agents.archive(ada, name, CONTEXT), 'agent.not-found')
      await errorsOf(() => catalog.versions.publishedAgent(ada.tenantId, name), 'agent.not-found')
      assert.equal(await catalog.versions.publishedTool(ada.tenantId, name), undefined)
    }
    const bad = ['', 'Guide', 'gu ide', 'guide\n', 'guide\u001b[2J', '=1+1', 'agt_01', 'g'.repeat(65), '../x']
    for (const name of bad) {
      const errors = await errorsOf(() => catalog.agents.create(ada, agent(name), DRAFT, CONTEXT))
      assert.deepEqual(
        errors.map(({ path }) => path),
        ['/name'],
        JSON.stringify(name),
      )
    }
  })

  it('refuses tools with the name of a built-in one, or of the form of an id', async () => {
    const { catalog, ada } = await openBench()
    const { head } = await catalog.tools.create(ada, tool('mail'), PUBLISH, CONTEXT)
    for (const name of ['calculator', head.id]) {
      const errors = await errorsOf(() => catalog.tools.create(ada, tool(name), DRAFT, CONTEXT))
      assert.deepEqual(
        errors.map(({ path }) => path),
        ['/name'],
      )
    }
  })

  it('takes no field that is not of the definition', async () => {
    const { catalog, ada, bob } = await openBench()
    const greedy = {
      ...agent('guide'),
      tenantId: bob.tenantId,
      id: 'agt_00000000000000000000000000',
      status: 'published',
      createdAt: 1,
    } as AgentDefinition
    const errors = await errorsOf(() => catalog.agents.create(ada, greedy, DRAFT, CONTEXT))
    assert.match(errors[0]?.message ?? '', /tenant_id.*id.*status.*created_at/)
  })

  it('refuses definitions that are too large, too deep, or reach for prototypes', async () => {
    const { catalog, ada } = await openBench()
    const attempt = (definition: AgentDefinition) =>
      errorsOf(() => catalog.agents.create(ada, definition, DRAFT, CONTEXT))
    const settings = (providerOptions: Record<string, never>) =>
      agent('guide', { modelSettings: { providerOptions } })
    let deep = {}
    for (let level = 0; level < 100_000; level++) deep = { deep }
    const wide = Object.fromEntries(Array.from({ length: 200_000 }, (_, index) => [`k${index}`, index]))
    const long = { text: 'é'.repeat(600_000) }
    const reaching = JSON.parse('{"__proto__":{"polluted":true}}') as object
    for (const value of [deep, wide, long, reaching, { half: '\ud800' }]) {
      const [error] = await attempt(settings(value as Record<string, never>))
      assert.equal(error?.path, '')
    }
    assert.equal(Reflect.get({}, 'polluted'), undefined)
    const [error] = await attempt(agent('guide', { instructions: 'x'.repeat(65_537) }))
    assert.equal(error?.path, '/instructions')
  })

  it('answers with our own errors to values of no type at all', async () => {
    const { catalog, ada } = await openBench()
    for (const value of [
      null,
      undefined,
      1,
      'text',
      [],
      () => 1,
      { name: {} },
      { ...agent('guide'), tools: 'all' },
    ]) {
      const error: unknown = await catalog.agents
        .create(ada, value as unknown as AgentDefinition, DRAFT, CONTEXT)
        .catch((thrown: unknown) => thrown)
      assert.ok(isAppError(error, 'definition.invalid'), String(error))
    }
  })
})

async function pageOfTwo(
  catalog: Awaited<ReturnType<ReturnType<typeof shareDatabase>>>['catalog'],
  ada: Parameters<typeof catalog.agents.list>[0],
) {
  await catalog.agents.create(ada, agent('second'), DRAFT, CONTEXT)
  const page = await catalog.agents.list(ada, { limit: 1 })
  assert.notEqual(page.nextCursor, undefined)
  return page
}
