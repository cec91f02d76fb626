import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { type Factory, type FactoryOptions, openFactory } from '../../test/support/factory.ts'
import { defineTool } from '../define/define-tool.ts'
import type { ModelRequest } from '../models/model.ts'
import { createScriptedModel } from '../models/scripted/scripted-model.ts'

const context = { requestId: undefined }
const WAIT_MS = 20_000

const ask = defineTool({
  name: 'ask',
  description: 'Needs a person.',
  input: { type: 'object' },
  effect: 'read',
  approval: 'always',
  run: async () => 'allowed',
})

/** Each run asks a person once. */
function opened(options: FactoryOptions) {
  const model = createScriptedModel('scripted', (request: ModelRequest) =>
    request.messages.length > 1
      ? { text: 'Done.' }
      : {
          toolCalls: [
            {
              tool: request.tools[0]?.name ?? '',
              arguments: request.tools[0]?.name === 'asker' ? { input: 'A' } : {},
            },
          ],
        },
  )
  return openFactory({ ...options, models: [model], codeTools: [ask] })
}

async function publishSecond(factory: Factory, cancel: boolean): Promise<void> {
  const { catalog, runtime, admin } = factory
  const definition = { name: 'asker', instructions: 'Second.', model: 'scripted/test', tools: ['ask'] }
  await catalog.agents.update(admin, 'asker', definition, { publish: false }, context)
  await catalog.agents.publish(admin, 'asker', undefined, {
    requestId: 'the-publish',
    ...(cancel && {
      inTransaction: (tx, id) => runtime.orderCancelOlder(tx, admin, id, { requestId: 'the-publish' }),
    }),
  })
}

forEachDatabase((_name, open) => {
  describe('a publish', () => {
    it('changes no run in flight', async () => {
      await using db = await open()
      await using factory = await opened({ db })
      await factory.agent({ name: 'asker', tools: ['ask'] })
      const { id } = await factory.run('asker', 'Go.')
      await publishSecond(factory, false)
      const { runtime, admin, tenantId } = factory
      assert.equal((await runtime.get(tenantId, id)).state, 'waiting')
      await runtime.resolve(admin, id, 2, { outcome: 'approve' }, context)
      const done = await runtime.wait(tenantId, id, WAIT_MS)
      assert.deepEqual([done.state, done.definitionVersion], ['completed', 1])
    })

    it('changes neither the tools nor the agents below a run in flight, at any depth', async () => {
      await using db = await open()
      const asked: ModelRequest[] = []
      const entered = Promise.withResolvers<void>()
      const gate = Promise.withResolvers<void>()
      const look = defineTool({
        name: 'look',
        description: 'Looks.',
        input: { type: 'object' },
        effect: 'read',
        run: async () => 'seen',
      })
      const pause = defineTool({
        name: 'pause',
        description: 'Lets something be published meanwhile.',
        input: { type: 'object' },
        effect: 'read',
        run: async () => {
          entered.resolve()
          await gate.promise
        },
      })
      const model = createScriptedModel('scripted', (request: ModelRequest) => {
        asked.push(request)
        const turn = (request.messages.length - 1) / 2
        const name = request.tools[turn]?.name
        if (name === undefined) return { text: 'Done.' }
        const input = name === 'look' || name === 'pause' ? {} : { input: 'A' }
        return { toolCalls: [{ tool: name, arguments: input as Record<string, string> }] }
      })
      await using factory = await openFactory({ db, models: [model], codeTools: [look, pause] })
      const { catalog, runtime, admin, tenantId } = factory
      const tool = (description: string) => ({
        name: 'look',
        description,
        implementation: { type: 'code' as const, name: 'look' },
      })
      const bottom = { name: 'bottom', instructions: 'First.', model: 'scripted/test', tools: ['look'] }
      await factory.tool(tool('First.'))
      await factory.agent(bottom)
      await factory.agent({ name: 'middle', instructions: 'Middle.', subAgents: ['bottom'] })
      await factory.agent({ name: 'top', instructions: 'Top.', tools: ['pause'], subAgents: ['middle'] })
      const { id } = await runtime.start(admin, { agent: 'top', input: 'Go.' }, context)
      await entered.promise
      await catalog.tools.update(admin, 'look', tool('Second.'), { publish: true }, context)
      await catalog.agents.update(
        admin,
        'bottom',
        { ...bottom, instructions: 'Second.' },
        { publish: true },
        context,
      )
      gate.resolve()
      assert.equal((await runtime.wait(tenantId, id, WAIT_MS)).state, 'completed')
      const below = asked.find(({ tools }) => tools[0]?.name === 'look')
      assert.deepEqual([below?.instructions, below?.tools[0]?.description], ['First.', 'First.'])
    })

    it('with the policy cancel asks runs of other versions to stop, and no others', async () => {
      await using db = await open()
      await using factory = await opened({ db })
      await factory.agent({ name: 'asker', tools: ['ask'] })
      await factory.agent({ name: 'other', tools: ['ask'] })
      await factory.agent({ name: 'above', subAgents: ['asker'] })
      const { runtime, admin, tenantId } = factory
      const older = [await factory.run('asker', 'One.'), await factory.run('asker', 'Two.')]
      const untouched = [await factory.run('other', 'One.'), await factory.run('above', 'One.')]
      await publishSecond(factory, true)
      const newer = await factory.run('asker', 'Three.')
      for (const { id } of older) {
        let run = await runtime.get(tenantId, id)
        while (run.state === 'waiting') {
          await new Promise(setImmediate)
          run = await runtime.get(tenantId, id)
        }
        assert.equal(run.state, 'cancelled')
        const events = await runtime.events(tenantId, id, { limit: 100, after: 0 })
        const asked = events.find(({ type }) => type === 'run.cancel-requested')
        assert.equal(asked?.actor, admin.apiKeyId ?? admin.userId)
      }
      for (const { id } of [...untouched, newer])
        assert.equal((await runtime.get(tenantId, id)).state, 'waiting')
    })

    it('is finished by another worker where the one that published dies', async () => {
      await using db = await open()
      await using working = await opened({ db })
      await working.agent({ name: 'asker', tools: ['ask'] })
      const { id } = await working.run('asker', 'One.')
      await working.worker.stop(0)
      await publishSecond(working, true)
      assert.equal((await working.runtime.get(working.tenantId, id)).state, 'waiting')
      await using other = await opened({ db })
      let run = await other.runtime.get(other.tenantId, id)
      while (run.state === 'waiting') {
        await new Promise(setImmediate)
        run = await other.runtime.get(other.tenantId, id)
      }
      assert.equal(run.state, 'cancelled')
    })
  })
})
