import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { failingWrites } from '../../../test/support/around-writes.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { openFactory } from '../../../test/support/factory.ts'
import { AppError } from '../../base/errors.ts'
import { defineTool } from '../../define/define-tool.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import type { Database } from '../../storage/database.ts'

const context = { requestId: undefined }

/** A tool that notes its calls, and a database whose next write fails after the call of that number. */
function countingTool(
  db: Database,
  effect: 'read' | 'once',
  failsAfter: number,
  work: (n: number) => Promise<void> = async () => undefined,
) {
  const { db: flaky, failNext } = failingWrites(db, new AppError('storage.full', 'The disk is full.'))
  const called: number[] = []
  const tool = defineTool({
    name: 'count',
    description: 'Counts.',
    input: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
    effect,
    approval: 'never',
    run: async ({ n }) => {
      called.push(Number(n))
      if (called.length === failsAfter) failNext()
      await work(Number(n))
      return n
    },
  })
  return { flaky, called, tool }
}

forEachDatabase((_name, open) => {
  describe('a write that fails', () => {
    it('is the last one: nothing is called or written on top of what is lost, and the run is taken up again', async () => {
      await using db = await open()
      const { flaky, called, tool } = countingTool(db, 'read', 1)
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
      const { flaky, called, tool } = countingTool(db, 'once', 2, (n) => sleep(n * 20))
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
