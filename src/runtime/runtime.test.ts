import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { openFactory } from '../../test/support/factory.ts'
import { defineTool } from '../define/define-tool.ts'
import { createScriptedModel } from '../models/scripted/scripted-model.ts'

const add = defineTool({
  name: 'add',
  description: 'Adds two numbers.',
  input: {
    type: 'object',
    properties: { a: { type: 'number' }, b: { type: 'number' } },
    required: ['a', 'b'],
  },
  effect: 'read',
  run: async (input) => ({
    sum: (input as { a: number; b: number }).a + (input as { a: number; b: number }).b,
  }),
})

forEachDatabase((_name, open) => {
  describe('a run', () => {
    it('asks the model, calls the tool, answers, and has every step, call and event on record', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', [
        { toolCalls: [{ tool: 'add', arguments: { a: 2, b: 3 } }] },
        { text: 'The sum is 5.' },
      ])
      await using factory = await openFactory({ db, models: [model], codeTools: [add] })
      await factory.agent({ name: 'adder', tools: ['add'] })
      const run = await factory.run('adder', 'What is 2 + 3?')
      assert.equal(run.state, 'completed', JSON.stringify(run.error))
      assert.equal(run.output, 'The sum is 5.')
      assert.equal(run.toolCallCount, 1)
      assert.equal(run.inputTokens, 20)
      const { runtime, tenantId } = factory
      const steps = await runtime.steps(tenantId, run.id, { limit: 50, after: 0 })
      assert.deepEqual(
        steps.map(({ seq, kind, state }) => [seq, kind, state]),
        [
          [1, 'model', 'done'],
          [2, 'tool', 'done'],
          [3, 'model', 'done'],
        ],
      )
      assert.deepEqual(steps[1]?.output, { sum: 5 })
      const events = await runtime.events(tenantId, run.id, { limit: 50, after: 0 })
      assert.deepEqual(
        events.map(({ runSeq, type }) => `${runSeq} ${type}`),
        [
          '1 run.requested',
          '2 run.started',
          '3 model.requested',
          '4 model.called',
          '5 tool.requested',
          '6 tool.finished',
          '7 model.requested',
          '8 model.called',
          '9 run.completed',
        ],
      )
      const calls = await runtime.modelCalls(tenantId, run.id, { limit: 10 })
      assert.equal(calls.items.length, 2)
      const second = calls.items[1]
      assert.ok(second)
      const detail = await runtime.modelCall(tenantId, second.id)
      assert.deepEqual(
        detail.request?.messages.map(({ role }) => role),
        ['user', 'assistant', 'tool'],
      )
      assert.deepEqual(detail.response, [{ type: 'text', text: 'The sum is 5.' }])
      assert.equal(detail.request?.instructions, 'Do what the user says.')
    })
  })
})
