import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aroundWrites } from '../../../test/support/around-writes.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { openFactory } from '../../../test/support/factory.ts'
import { AppError } from '../../base/errors.ts'
import { defineTool } from '../../define/define-tool.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'

const context = { requestId: undefined }
const full = new AppError('storage.full', 'The disk is full.')

forEachDatabase((_name, open) => {
  describe('a write that fails', () => {
    it('is the last one: nothing is called or written on top of what is lost, and the run is taken up again', async () => {
      await using db = await open()
      let failing = false
      const flaky = aroundWrites(db, (write, work) => {
        if (!failing) return write(work)
        failing = false
        return Promise.reject(full)
      })
      const called: number[] = []
      const tool = defineTool({
        name: 'count',
        description: 'Counts.',
        input: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
        effect: 'read',
        run: async ({ n }) => {
          called.push(Number(n))
          failing = called.length === 1
          return n
        },
      })
      const model = createScriptedModel('scripted', (request) =>
        request.messages.length > 1
          ? { text: 'Done.' }
          : { toolCalls: [1, 2, 3].map((n) => ({ tool: 'count', arguments: { n } })) },
      )
      const lease = { leaseMs: 400, heartbeatMs: 100 }
      await using factory = await openFactory({ db: flaky, models: [model], codeTools: [tool], lease })
      await factory.agent({ name: 'agent', tools: ['count'], limits: { parallelToolCalls: 1 } })
      const run = await factory.run('agent', 'Go.')
      assert.equal(run.state, 'completed', JSON.stringify(run.error))
      assert.deepEqual(called, [1, 1, 2, 3])
      const events = await factory.runtime.events(factory.tenantId, run.id, { limit: 100, after: 0 })
      assert.equal(events.filter(({ type }) => type === 'tool.finished').length, 3)
      assert.deepEqual(
        events.map(({ runSeq }) => runSeq),
        events.map((_, index) => index + 1),
      )
    })

    it('in one lane stops the others at their next call', async () => {
      await using db = await open()
      let failing = false
      const flaky = aroundWrites(db, (write, work) => {
        if (!failing) return write(work)
        failing = false
        return Promise.reject(full)
      })
      const called: number[] = []
      const tool = defineTool({
        name: 'count',
        description: 'Counts.',
        input: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
        effect: 'once',
        approval: 'never',
        run: async ({ n }) => {
          called.push(Number(n))
          failing = called.length === 2
          await new Promise((resolve) => setTimeout(resolve, Number(n) * 20))
          return n
        },
      })
      const model = createScriptedModel('scripted', [
        { toolCalls: [1, 2, 3, 4].map((n) => ({ tool: 'count', arguments: { n } })) },
      ])
      await using factory = await openFactory({ db: flaky, models: [model], codeTools: [tool] })
      await factory.agent({ name: 'agent', tools: ['count'], limits: { parallelToolCalls: 2 } })
      const { id } = await factory.runtime.start(factory.admin, { agent: 'agent', input: 'Go.' }, context)
      // The database is well again: the run is taken up soon, and a person is asked what became of the calls.
      const run = await factory.runtime.wait(factory.tenantId, id, 20_000)
      assert.deepEqual([run.state, run.waitingReason], ['waiting', 'in_doubt'])
      assert.deepEqual(called, [1, 2])
    })
  })
})
