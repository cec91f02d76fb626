import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterChanges } from '../../test/support/around-writes.ts'
import { forEachDatabase } from '../../test/support/database.ts'
import { openFactory } from '../../test/support/factory.ts'
import { payTool } from '../../test/support/pay-tool.ts'
import { defineTool } from '../define/define-tool.ts'
import { createScriptedModel } from '../models/scripted/scripted-model.ts'

const context = { requestId: undefined }

/** A tool that asks a person, and one that a test lets go on. */
function tools() {
  const paid: number[] = []
  const gate = Promise.withResolvers<void>()
  const entered = Promise.withResolvers<void>()
  const pay = payTool(paid)
  const slow = defineTool({
    name: 'slow',
    description: 'Takes its time.',
    input: { type: 'object' },
    effect: 'read',
    run: async () => {
      entered.resolve()
      await gate.promise
      return 'done'
    },
  })
  return { pay, slow, paid, open: gate.resolve, entered: entered.promise }
}

const pay = (amount: number) => ({ tool: 'pay', arguments: { amount } })
const slow = { tool: 'slow', arguments: {} }

forEachDatabase((name, open) => {
  describe('what happens while a run comes to wait', () => {
    it('a request to cancel it from another process is not lost', async () => {
      await using db = await open()
      const { pay: tool } = tools()
      const model = createScriptedModel('scripted', [{ toolCalls: [pay(5)], delayMs: 150 }])
      await using factory = await openFactory({ db, models: [model], codeTools: [tool] })
      await using other = await openFactory({ db, models: [model], codeTools: [tool], working: false })
      await factory.agent({ name: 'payer', tools: ['pay'] })
      const { runtime, tenantId, admin } = factory
      const { id } = await runtime.start(admin, { agent: 'payer', input: 'Pay.' }, context)
      while (model.calls() === 0) await sleep(5)
      await other.runtime.cancel(admin, id, context)
      while (['queued', 'running'].includes((await runtime.get(tenantId, id)).state)) await sleep(5)
      assert.equal((await runtime.get(tenantId, id)).state, 'cancelled')
    })

    it('one of two answers is acted on, though the other call waits still', async () => {
      await using db = await open()
      const made = tools()
      const model = createScriptedModel('scripted', [
        { toolCalls: [pay(1), pay(2), slow] },
        { text: 'Done.' },
      ])
      await using factory = await openFactory({ db, models: [model], codeTools: [made.pay, made.slow] })
      await factory.agent({ name: 'payer', tools: ['pay', 'slow'] })
      const { runtime, tenantId, admin } = factory
      const { id } = await runtime.start(admin, { agent: 'payer', input: 'Pay.' }, context)
      await made.entered
      await runtime.resolve(admin, id, 2, { outcome: 'approve' }, context)
      made.open()
      assert.equal((await runtime.wait(tenantId, id, 5_000)).state, 'waiting')
      assert.deepEqual(made.paid, [1])
      await runtime.resolve(admin, id, 3, { outcome: 'approve' }, context)
      assert.equal((await runtime.wait(tenantId, id, 5_000)).state, 'completed')
      assert.deepEqual(made.paid, [1, 2])
    })

    it('an answer that comes before the wait leaves no trace of a wait', async () => {
      await using db = await open()
      const made = tools()
      const model = createScriptedModel('scripted', [{ toolCalls: [pay(1), slow] }, { text: 'Done.' }])
      await using factory = await openFactory({ db, models: [model], codeTools: [made.pay, made.slow] })
      await factory.agent({ name: 'payer', tools: ['pay', 'slow'] })
      const { runtime, tenantId, admin } = factory
      const { id } = await runtime.start(admin, { agent: 'payer', input: 'Pay.' }, context)
      await made.entered
      await runtime.resolve(admin, id, 2, { outcome: 'approve' }, context)
      made.open()
      assert.equal((await runtime.wait(tenantId, id, 5_000)).state, 'completed')
      const events = await runtime.events(tenantId, id, { limit: 100, after: 0 })
      assert.ok(!events.some(({ type }) => type === 'run.waiting'))
      assert.deepEqual(
        events.map(({ runSeq }) => runSeq),
        events.map((_, index) => index + 1),
      )
    })

    // On SQLite, with one writer, two units never overlap.
    if (name === 'postgres') {
      it('an answer below wakes a run above that is about to wait', async () => {
        await using db = await open()
        const made = tools()
        const model = createScriptedModel('scripted', (request) => {
          if (request.messages.length > 1) return { text: 'Done.' }
          const asks = request.tools.map((tool) => tool.name)
          if (asks.includes('pay')) return { toolCalls: [pay(5)] }
          return { toolCalls: [{ tool: 'bottom', arguments: { input: 'Please.' } }] }
        })
        // The second run that is set aside is the root; its transaction stays open for a while.
        let setAside = 0
        const reached = Promise.withResolvers<void>()
        const gate = Promise.withResolvers<void>()
        const held = afterChanges(db, async (statement) => {
          if (statement !== 'runs.set-aside') return
          setAside += 1
          if (setAside !== 2) return
          reached.resolve()
          await gate.promise
        })
        await using factory = await openFactory({ db: held, models: [model], codeTools: [made.pay] })
        await using other = await openFactory({ db, models: [model], codeTools: [made.pay], working: false })
        await factory.agent({ name: 'bottom', tools: ['pay'] })
        await factory.agent({ name: 'top', subAgents: ['bottom'] })
        const { runtime, tenantId, admin } = factory
        const { id } = await runtime.start(admin, { agent: 'top', input: 'Pay.' }, context)
        await reached.promise
        const below = (await runtime.list(tenantId, { limit: 10, agent: 'bottom' })).items[0] ?? assert.fail()
        const answered = other.runtime.resolve(admin, below.id, 2, { outcome: 'approve' }, context)
        await Promise.race([answered, sleep(200)])
        gate.resolve()
        await answered
        while ((await runtime.get(tenantId, id)).state !== 'completed') await sleep(10)
        assert.deepEqual(made.paid, [5])
      })
    }
  })
})
