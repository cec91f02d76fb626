import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openBudgeted, waitsOf, wakeWaiting } from '../../../test/support/budgeted.ts'
import { addBudget } from '../../../test/support/budgets.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import type { Factory } from '../../../test/support/factory.ts'
import { calling } from '../../../test/support/scripted-turns.ts'
import { AppError } from '../../base/errors.ts'
import type { RunId } from '../../base/ids.ts'
import { defineTool } from '../../define/define-tool.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import { type Bind, statement } from '../../storage/statement.ts'
import { closeRun, closingFor } from '../agent/close-run.ts'

const context = { requestId: undefined }
const WAIT_MS = 10_000

const killJob = statement('test.kill-budget-job', (db, p: Bind<{ runId: RunId }>) =>
  db
    .updateTable('jobs')
    .set({ state: 'dead' })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId),
)

/** What the queue does with a job whose workers died too often. */
async function bury({ db, money, tenantId }: Factory, id: RunId): Promise<void> {
  const { metering, reservations: budgets } = money
  const deps = { metering, budgets, capturePolicy: async () => 'full' as const }
  const closing = await closingFor(deps, tenantId, { actor: 'test', at: Date.now() })
  await db.tenant(tenantId).write(async (tx) => {
    await closeRun(tx, id, { state: 'failed', error: new AppError('run.lost', 'Lost.') }, closing)
    await tx.run(killJob, { runId: id })
  })
}

const toolCosts = statement('test.tool-costs', (db, p: Bind<object>) =>
  db.selectFrom('costs').select(['factKey', 'amountNanos']).where('tenantId', '=', p.tenantId),
)
const toolCalls = statement('test.tool-calls', (db, p: Bind<object>) =>
  db
    .selectFrom('usageRecords')
    .select('id')
    .where('tenantId', '=', p.tenantId)
    .where('kind', '=', 'tool_call'),
)

forEachDatabase((_, open) => {
  describe('redriving a run of which a call was under way', () => {
    it('counts and charges the call once, whichever run its end is on record of', async () => {
      await using db = await open()
      const called = Promise.withResolvers<void>()
      const gate = Promise.withResolvers<string>()
      const pay = defineTool({
        name: 'pay',
        description: 'Pays.',
        input: { type: 'object' },
        effect: 'once',
        approval: 'never',
        run: () => {
          called.resolve()
          return gate.promise
        },
      })
      const model = createScriptedModel('scripted', [calling(['pay']), { text: 'Paid.' }])
      await using factory = await openBudgeted({ db, models: [model], codeTools: [pay] })
      const { money, admin, runtime, tenantId } = factory
      await money.prices.set(admin, { subject: 'tool/pay', amounts: { price: '1' } }, context)
      await factory.agent({ name: 'one', tools: ['pay'], modelSettings: { maxOutputTokens: 10 } })
      const budget = await addBudget(db, tenantId, { limitNanos: 5_000_000_000n, period: 'once' })
      const { id } = await runtime.start(admin, { agent: 'one', input: 'Go.' }, context)
      await called.promise
      await bury(factory, id)
      gate.resolve('paid')
      const again = await runtime.redrive(admin, id, context)
      const doubtful = await runtime.wait(tenantId, again.id, WAIT_MS)
      assert.deepEqual([doubtful.state, doubtful.waitingReason], ['waiting', 'in_doubt'])
      const steps = await runtime.steps(tenantId, again.id, { limit: 10, after: 0 })
      const doubt = steps.find(({ state }) => state === 'waiting')
      assert.ok(doubt)
      await runtime.resolve(admin, again.id, doubt.seq, { outcome: 'succeeded', output: 'paid' }, context)
      assert.equal((await runtime.wait(tenantId, again.id, WAIT_MS)).state, 'completed')
      const found = await db.tenant(tenantId).read(async (reader) => ({
        costs: await reader.all(toolCosts, {}),
        calls: await reader.all(toolCalls, {}),
      }))
      assert.deepEqual(
        [found.costs.map(({ amountNanos }) => amountNanos), found.calls.length],
        [[1_000_000_000n], 1],
      )
      const { now } = await money.budgets.get(tenantId, budget)
      // The call once, and next to nothing for the model.
      assert.ok(now && now.settledNanos >= 1_000_000_000n && now.settledNanos < 1_100_000_000n)
      assert.equal(now.heldNanos, 0n)
    })
  })

  describe('redriving a run of which a call waited for a budget', () => {
    it('asks the budget again, and goes on once there is room', async () => {
      await using db = await open()
      const search = defineTool({
        name: 'search',
        description: 'Searches, for money.',
        input: { type: 'object' },
        effect: 'idempotent',
        approval: 'never',
        run: async () => 'found',
      })
      const model = createScriptedModel('scripted', [calling(['search']), { text: 'Done.' }])
      await using factory = await openBudgeted({ db, models: [model], codeTools: [search] })
      const { money, admin, runtime, tenantId } = factory
      await money.prices.set(admin, { subject: 'tool/search', amounts: { price: '1' } }, context)
      await factory.agent({ name: 'one', tools: ['search'], modelSettings: { maxOutputTokens: 10 } })
      const budget = await addBudget(db, tenantId, { mode: 'ask', limitNanos: 900_000_000n, period: 'once' })
      const { id } = await factory.run('one', 'Go.')
      assert.equal((await runtime.get(tenantId, id)).waitingReason, 'budget')
      await bury(factory, id)
      assert.deepEqual(await waitsOf(db), [])
      const again = await runtime.redrive(admin, id, context)
      const waiting = await runtime.wait(tenantId, again.id, WAIT_MS)
      assert.deepEqual([waiting.state, waiting.waitingReason], ['waiting', 'budget'])
      assert.deepEqual(
        (await waitsOf(db)).map((wait) => [wait.runId, wait.budgetId]),
        [[again.id, budget]],
      )
      await money.budgets.topUp(admin, budget, { amountUsd: '10' }, context)
      await wakeWaiting(factory, Date.now() + 1)
      assert.equal((await runtime.wait(tenantId, again.id, WAIT_MS)).state, 'completed')
    })
  })
})
