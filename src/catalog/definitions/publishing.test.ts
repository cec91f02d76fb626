import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { isAppError } from '../../base/errors.ts'
import { agent, CONTEXT, DRAFT, errorsOf, PUBLISH, shareDatabase, tool } from '../catalog-bench.test.ts'

forEachDatabase((_, open) => {
  const openBench = shareDatabase(open)

  it('lets a draft name what is not there, and asks for it when publishing, all at once', async () => {
    const { catalog, ada } = await openBench()
    const definition = agent('guide', {
      tools: ['lookup', 'calculator', 'weather', 'mail'],
      subAgents: ['helper', 'writer'],
    })
    await catalog.agents.create(ada, definition, DRAFT, CONTEXT)
    await catalog.tools.create(ada, tool('mail'), DRAFT, CONTEXT)
    await catalog.agents.create(ada, agent('writer'), DRAFT, CONTEXT)
    const errors = await errorsOf(() => catalog.agents.publish(ada, 'guide', undefined, CONTEXT))
    assert.deepEqual(
      errors.map(({ path }) => path),
      ['/tools/2', '/tools/3', '/sub_agents/0', '/sub_agents/1'],
    )
    assert.match(errors[1]?.message ?? '', /not published/)
    assert.match(errors[2]?.message ?? '', /is no agent/)
    await catalog.tools.create(ada, tool('weather'), PUBLISH, CONTEXT)
    await catalog.tools.publish(ada, 'mail', undefined, CONTEXT)
    await catalog.agents.create(ada, agent('helper'), PUBLISH, CONTEXT)
    await catalog.agents.publish(ada, 'writer', undefined, CONTEXT)
    assert.equal((await catalog.agents.publish(ada, 'guide', undefined, CONTEXT)).head.publishedVersion, 1)
  })

  it('tells errors of meaning together with what is missing', async () => {
    const { catalog, ada } = await openBench()
    const wrong = agent('guide', {
      model: 'openai/gpt-5',
      tools: ['mail'],
      outputSchema: { type: 'nothing' },
    })
    const errors = await errorsOf(() => catalog.agents.create(ada, wrong, PUBLISH, CONTEXT))
    assert.deepEqual(
      errors.map(({ path }) => path),
      ['/model', '/output_schema/type', '/tools/0'],
    )
    await errorsOf(() => catalog.agents.get(ada, 'guide'), 'agent.not-found')
  })

  it('asks for the code behind a tool when publishing', async () => {
    const { catalog, ada } = await openBench()
    const code = tool('weather', { implementation: { type: 'code', name: 'unknown' } })
    const builtin = tool('weather', { implementation: { type: 'builtin', name: 'unknown' } })
    await catalog.tools.create(ada, code, DRAFT, CONTEXT)
    for (const definition of [code, builtin]) {
      const errors = await errorsOf(() => catalog.tools.update(ada, 'weather', definition, PUBLISH, CONTEXT))
      assert.deepEqual(
        errors.map(({ path }) => path),
        ['/implementation/name'],
      )
    }
  })

  it('names the circle of agents that would call each other', async () => {
    const { catalog, ada } = await openBench()
    const calls = (name: string, ...subAgents: string[]) => agent(name, { subAgents })
    for (const definition of [agent('c'), calls('b', 'c'), agent('z'), calls('a', 'z', 'b')]) {
      await catalog.agents.create(ada, definition, PUBLISH, CONTEXT)
    }
    // As a draft it may stand there.
    await catalog.agents.update(ada, 'c', calls('c', 'z', 'a'), DRAFT, CONTEXT)
    const errors = await errorsOf(() => catalog.agents.publish(ada, 'c', undefined, CONTEXT), 'agent.cycle')
    assert.deepEqual(errors, [{ path: '/sub_agents/1', message: 'closes the circle c → a → b → c' }])
    await errorsOf(() => catalog.agents.create(ada, calls('me', 'me'), PUBLISH, CONTEXT), 'agent.cycle')
    // A rollback is a way to publish, too.
    await catalog.agents.update(ada, 'b', agent('b', { instructions: 'Alone.' }), PUBLISH, CONTEXT)
    await catalog.agents.publish(ada, 'c', undefined, CONTEXT)
    await errorsOf(() => catalog.agents.rollback(ada, 'b', undefined, CONTEXT), 'agent.cycle')
  })

  it('lets no two changes at the same moment close a circle', async () => {
    const { catalog, other, ada } = await openBench()
    for (let round = 0; round < 2; round++) {
      const [a, b] = [`a${round}`, `b${round}`]
      for (const name of [a, b]) await catalog.agents.create(ada, agent(name), PUBLISH, CONTEXT)
      const results = await Promise.allSettled([
        catalog.agents.update(ada, a, agent(a, { subAgents: [b] }), PUBLISH, CONTEXT),
        other.agents.update(ada, b, agent(b, { subAgents: [a] }), PUBLISH, CONTEXT),
      ])
      const failed = results.filter((result) => result.status === 'rejected')
      assert.equal(failed.length, 1)
      assert.ok(isAppError(failed[0]?.reason, 'agent.cycle'), String(failed[0]?.reason))
    }
  })

  it('refuses to archive what a published definition uses, and names the users', async () => {
    const { catalog, ada } = await openBench()
    await catalog.tools.create(ada, tool('my_tool'), PUBLISH, CONTEXT)
    await catalog.tools.create(ada, tool('myXtool'), PUBLISH, CONTEXT)
    await catalog.agents.create(ada, agent('helper', { tools: ['my_tool'] }), PUBLISH, CONTEXT)
    await catalog.agents.create(ada, agent('draft-user', { tools: ['my_tool', 'myXtool'] }), DRAFT, CONTEXT)
    // Says the name, and does not use it.
    await catalog.agents.create(
      ada,
      agent('my-speaker', { modelSettings: { stopSequences: ['my_tool', 'helper'] } }),
      PUBLISH,
      CONTEXT,
    )
    const nodes = [
      { id: 'one', type: 'agent' as const, agent: 'helper', input: 'input' },
      { id: 'two', type: 'tool' as const, tool: 'my_tool', input: 'nodes.one', after: ['one'] },
    ]
    await catalog.workflows.create(ada, { name: 'flow', nodes }, PUBLISH, CONTEXT)
    const message = async (work: () => Promise<unknown>) => {
      const error: unknown = await work().catch((thrown: unknown) => thrown)
      return isAppError(error, 'definition.in-use') ? error.message : String(error)
    }
    assert.match(
      await message(() => catalog.tools.archive(ada, 'my_tool', CONTEXT)),
      /used by agent "helper", workflow "flow":/,
    )
    assert.match(
      await message(() => catalog.agents.archive(ada, 'helper', CONTEXT)),
      /used by workflow "flow":/,
    )
    await catalog.tools.archive(ada, 'myXtool', CONTEXT)
    await catalog.workflows.archive(ada, 'flow', CONTEXT)
    await catalog.agents.archive(ada, 'helper', CONTEXT)
    await catalog.tools.archive(ada, 'my_tool', CONTEXT)
  })

  it('finds a user behind hundreds that only say the name', async () => {
    const { catalog, ada } = await openBench()
    await catalog.tools.create(ada, tool('mail'), PUBLISH, CONTEXT)
    for (let index = 0; index < 130; index++) {
      await catalog.agents.create(
        ada,
        agent(`a${index}`, { modelSettings: { stopSequences: ['mail'] } }),
        PUBLISH,
        CONTEXT,
      )
    }
    await catalog.agents.create(ada, agent('user', { tools: ['mail'] }), PUBLISH, CONTEXT)
    await errorsOf(() => catalog.tools.archive(ada, 'mail', CONTEXT), 'definition.in-use')
  })

  it('lets nothing be archived while somebody begins to use it', async () => {
    const { catalog, other, ada } = await openBench()
    for (let round = 0; round < 2; round++) {
      const name = `tool${round}`
      await catalog.tools.create(ada, tool(name), PUBLISH, CONTEXT)
      const results = await Promise.allSettled([
        catalog.agents.create(ada, agent(`agent${round}`, { tools: [name] }), PUBLISH, CONTEXT),
        other.tools.archive(ada, name, CONTEXT),
      ])
      assert.equal(results.filter(({ status }) => status === 'rejected').length, 1)
    }
  })
})
