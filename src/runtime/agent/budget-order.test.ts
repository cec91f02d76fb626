import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CALL_NANOS, openBudgeted, ROOM_NANOS, SHORT, spentOf } from '../../../test/support/budgeted.ts'
import { addBudget } from '../../../test/support/budgets.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'

forEachDatabase((_, open) => {
  describe('what a call cost', () => {
    it('is settled before money is set aside for the next one: a budget with room for one call at a time is enough', async () => {
      await using db = await open()
      const turns = [{ text: 'No JSON.' }, { text: '{"a":1}' }]
      const model = createScriptedModel('scripted', turns)
      await using factory = await openBudgeted({ db, models: [model] })
      const budget = await addBudget(db, factory.tenantId, { limitNanos: ROOM_NANOS + CALL_NANOS })
      await factory.agent({ name: 'one', ...SHORT, outputSchema: { type: 'object' } })
      const run = await factory.run('one', 'Go.')
      assert.deepEqual([run.error, run.state], [null, 'completed'])
      assert.deepEqual(await spentOf(factory, budget), { settled: 2n * CALL_NANOS, held: 0n })
    })
  })

  describe('a call whose options leave no bound to what is sent', () => {
    it('is refused by a hard budget, and not made', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', [{ text: 'Hello.' }])
      await using factory = await openBudgeted({ db, models: [model] })
      await addBudget(db, factory.tenantId, { limitNanos: 1_000_000_000_000n })
      const providerOptions = { openai: { previousResponseId: 'resp_1' } }
      await factory.agent({ name: 'one', modelSettings: { ...SHORT.modelSettings, providerOptions } })
      const run = await factory.run('one', 'Go.')
      assert.equal(run.error?.code, 'budget.unpriced')
      assert.equal(model.calls(), 0)
    })
  })
})
