import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { type Factory, type FactoryOptions, openFactory } from '../../test/support/factory.ts'
import type { RunId } from '../base/ids.ts'
import { defineGuardrail } from '../define/define-guardrail.ts'
import { defineTool } from '../define/define-tool.ts'
import type { ModelRequest } from '../models/model.ts'
import { createScriptedModel } from '../models/scripted/scripted-model.ts'
import type { Run } from './runtime.ts'

const context = { requestId: undefined }
const WAIT_MS = 20_000

const look = defineTool({
  name: 'look',
  description: 'Looks something up.',
  input: { type: 'object' },
  effect: 'read',
  run: async () => 'seen',
})
const polite = defineGuardrail({ name: 'polite', on: 'input', check: () => ({ action: 'allow' }) })

const model = () =>
  createScriptedModel('scripted', (request: ModelRequest) => {
    if (request.messages.length > 1) return { text: 'Done.' }
    const [tool] = request.tools
    if (tool === undefined) return { text: 'Done.' }
    return { toolCalls: [{ tool: tool.name, arguments: tool.name === 'below' ? { input: 'A' } : {} }] }
  })

/** Starts a run where all is there, lets a worker meet it that lacks something, then one that has it. */
async function setAsideAndTaken(
  able: FactoryOptions,
  lacking: FactoryOptions,
  start: (factory: Factory) => Promise<RunId>,
): Promise<{
  readonly aside: Run
  readonly done: Run
  readonly events: readonly string[]
  readonly attempt: number
}> {
  await using accepting = await openFactory({ ...able, working: false })
  const id = await start(accepting)
  const { runtime, tenantId } = accepting
  let aside: Run
  {
    await using unable = await openFactory(lacking)
    aside = await unable.runtime.wait(tenantId, id, WAIT_MS)
  }
  const { attempt } = await runtime.job(tenantId, aside.jobId)
  await using taking = await openFactory(able)
  let done = await runtime.get(tenantId, id)
  while (done.state === 'queued' || done.state === 'running')
    done = await taking.runtime.wait(tenantId, id, WAIT_MS)
  const events = await runtime.events(tenantId, id, { limit: 100, after: 0 })
  return { aside, done, events: events.map(({ type }) => type), attempt }
}

forEachDatabase((_name, open) => {
  describe('a run that a worker cannot drive', () => {
    it('is set aside with the reason, and taken by a worker that has the tool', async () => {
      await using db = await open()
      const models = [model()]
      const { aside, done, events, attempt } = await setAsideAndTaken(
        { db, models, codeTools: [look] },
        { db, models },
        async (factory) => {
          await factory.agent({ name: 'clerk', tools: ['look'] })
          return (await factory.runtime.start(factory.admin, { agent: 'clerk', input: 'Go.' }, context)).id
        },
      )
      assert.equal(aside.state, 'queued')
      assert.match(aside.blockedBy?.message ?? '', /look/)
      assert.equal(attempt, 0)
      assert.equal(done.state, 'completed')
      assert.equal(done.blockedBy, null)
      assert.ok(events.includes('run.unroutable'))
    })

    it('waits as well for a guardrail of the host', async () => {
      await using db = await open()
      const models = [model()]
      const { aside, done } = await setAsideAndTaken(
        { db, models, codeGuardrails: [polite] },
        { db, models },
        async (factory) => {
          const check = { type: 'code' as const, name: 'polite' }
          await factory.agent({
            name: 'clerk',
            guardrails: [{ name: 'polite', on: 'input', check, action: 'block' }],
          })
          return (await factory.runtime.start(factory.admin, { agent: 'clerk', input: 'Go.' }, context)).id
        },
      )
      assert.equal(aside.blockedBy?.code, 'tool.unregistered')
      assert.equal(done.state, 'completed')
    })

    it('waits for a model provider that is not configured here', async () => {
      await using db = await open()
      const openai = createScriptedModel('openai', () => ({ text: 'Done.' }))
      const { aside, done } = await setAsideAndTaken(
        { db, models: [openai] },
        { db, models: [model()] },
        async (factory) => {
          await factory.agent({ name: 'clerk', model: 'openai/gpt-5' })
          return (await factory.runtime.start(factory.admin, { agent: 'clerk', input: 'Go.' }, context)).id
        },
      )
      assert.equal(aside.blockedBy?.code, 'model.not-configured')
      assert.equal(done.state, 'completed')
    })

    it('waits in the middle of a workflow, and does nothing twice', async () => {
      await using db = await open()
      const models = [model()]
      const { aside, done } = await setAsideAndTaken(
        { db, models, codeTools: [look] },
        { db, models },
        async (factory) => {
          const { catalog, runtime, admin } = factory
          await factory.agent({ name: 'below', tools: ['look'] })
          const nodes = [
            { id: 'first', type: 'transform' as const, value: '1' },
            { id: 'says', type: 'agent' as const, agent: 'below', input: '"A"' },
          ]
          await catalog.workflows.create(admin, { name: 'flow', nodes }, { publish: true }, context)
          return (await runtime.start(admin, { workflow: 'flow', input: {} }, context)).id
        },
      )
      assert.equal(aside.state, 'queued')
      assert.match(aside.blockedBy?.message ?? '', /look/)
      assert.equal(done.state, 'completed')
      assert.equal(done.stepCount, 2)
    })

    it('waits with its whole tree for what a run below lacks', async () => {
      await using db = await open()
      const models = [model()]
      const { aside, done } = await setAsideAndTaken(
        { db, models, codeTools: [look] },
        { db, models },
        async (factory) => {
          await factory.agent({ name: 'below', tools: ['look'] })
          await factory.agent({ name: 'top', subAgents: ['below'] })
          return (await factory.runtime.start(factory.admin, { agent: 'top', input: 'Go.' }, context)).id
        },
      )
      assert.equal(aside.state, 'queued')
      assert.match(aside.blockedBy?.message ?? '', /look/)
      assert.equal(done.state, 'completed')
      // The model of the run at the top was asked once for what it had asked for before.
      assert.equal(done.stepCount, 3)
    })
  })
})
