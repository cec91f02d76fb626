import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  CALL_NANOS,
  costsOf,
  kindsOf,
  openBudgeted,
  SHORT,
  spentOf,
  usageOf,
  wakeWaiting,
} from '../../../test/support/budgeted.ts'
import { addBudget, NOW } from '../../../test/support/budgets.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import type { Factory } from '../../../test/support/factory.ts'
import type { BudgetId } from '../../base/ids.ts'
import { defineTool } from '../../define/define-tool.ts'
import type { ScriptedTurn } from '../../models/scripted/script.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import type { Database } from '../../storage/database.ts'
import { activeTime } from './run-end.ts'

const FINE = 1_000_000_000_000n
const WAIT_MS = 10_000
const CENT = 10_000_000n
const context = { requestId: undefined }
const CALLS: readonly ScriptedTurn[] = [{ toolCalls: [{ tool: 'search', arguments: {} }] }, { text: 'Done.' }]

/** A factory with an agent that searches, where a search costs a cent. */
async function openPriced(db: Database, turns = CALLS) {
  let searches = 0
  const search = defineTool({
    name: 'search',
    description: 'Searches, for money.',
    input: { type: 'object' },
    effect: 'once',
    approval: 'never',
    run: async () => {
      searches += 1
      return 'found'
    },
  })
  const model = createScriptedModel('scripted', turns)
  const factory = await openBudgeted({ db, models: [model], codeTools: [search] })
  const { money, admin } = factory
  await money.prices.set(admin, { subject: 'tool/search', amounts: { price: '0.01' } }, context)
  await factory.agent({ name: 'one', tools: ['search'], ...SHORT })
  return { factory, searches: () => searches }
}

/** A budget on the tenant of so much; the model's calls are small beside a cent. */
function limited({ db, tenantId }: Factory, limitNanos: bigint, mode: 'hard' | 'ask'): Promise<BudgetId> {
  return addBudget(db, tenantId, { limitNanos, mode })
}

forEachDatabase((_, open) => {
  describe('a tool with a price', () => {
    it('is on record as a cost and a call, and its budgets are settled with it', async () => {
      await using db = await open()
      const { factory } = await openPriced(db)
      await using _factory = factory
      const budget = await limited(factory, FINE, 'hard')
      const run = await factory.run('one', 'Go.')
      assert.equal(run.state, 'completed')
      const [cost, ...more] = await costsOf(db)
      assert.deepEqual(
        [cost?.type, cost?.amountNanos, cost?.description, cost?.runId, more.length],
        ['TOOL_USAGE', CENT, 'tool/search', run.id, 0],
      )
      assert.deepEqual(kindsOf(await usageOf(db, run.id)), [
        'agent_run',
        'model_call',
        'model_call',
        'tool_call',
      ])
      assert.deepEqual(await spentOf(factory, budget), { settled: CENT + 2n * CALL_NANOS, held: 0n })
    })

    it('is not called where a budget has no room for it: the model hears of it', async () => {
      await using db = await open()
      const { factory, searches } = await openPriced(db)
      await using _factory = factory
      const budget = await limited(factory, CENT / 2n, 'hard')
      const run = await factory.run('one', 'Go.')
      assert.equal(run.state, 'completed')
      assert.equal(searches(), 0)
      const steps = await factory.runtime.steps(factory.tenantId, run.id, { limit: 10, after: 0 })
      assert.equal(steps[1]?.error?.code, 'budget.exceeded')
      assert.deepEqual(await costsOf(db), [])
      assert.deepEqual(await spentOf(factory, budget), { settled: 2n * CALL_NANOS, held: 0n })
      assert.deepEqual(kindsOf(await usageOf(db, run.id)), ['agent_run', 'model_call', 'model_call'])
    })

    it('waits where a budget asks, and is called once after a top-up', async () => {
      await using db = await open()
      const { factory, searches } = await openPriced(db)
      await using _factory = factory
      const { runtime, tenantId, money, admin } = factory
      const budget = await limited(factory, CENT / 2n, 'ask')
      const { id } = await factory.run('one', 'Go.')
      const waiting = await runtime.get(tenantId, id)
      assert.deepEqual([waiting.state, waiting.waitingReason], ['waiting', 'budget'])
      const steps = await runtime.steps(tenantId, id, { limit: 10, after: 0 })
      assert.deepEqual([steps[1]?.state, steps[1]?.waitingReason], ['waiting', 'budget'])
      await money.budgets.topUp(admin, budget, { amountUsd: '1' }, context)
      await wakeWaiting(factory, Date.now() + 1)
      assert.equal((await runtime.wait(tenantId, id, WAIT_MS)).state, 'completed')
      assert.equal(searches(), 1)
      assert.deepEqual(await spentOf(factory, budget), { settled: CENT + 2n * CALL_NANOS, held: 0n })
    })

    it('waits in a workflow as well, and goes on', async () => {
      await using db = await open()
      const { factory, searches } = await openPriced(db)
      await using _factory = factory
      const { runtime, tenantId, money, admin, catalog } = factory
      const budget = await limited(factory, CENT / 2n, 'ask')
      const nodes = [{ id: 'find', type: 'tool' as const, tool: 'search', input: '{}' }]
      await catalog.workflows.create(admin, { name: 'flow', nodes }, { publish: true }, context)
      const { id } = await runtime.start(admin, { workflow: 'flow', input: {} }, context)
      assert.equal((await runtime.wait(tenantId, id, WAIT_MS)).waitingReason, 'budget')
      await money.budgets.topUp(admin, budget, { amountUsd: '1' }, context)
      await wakeWaiting(factory, Date.now() + 1)
      assert.equal((await runtime.wait(tenantId, id, WAIT_MS)).state, 'completed')
      assert.equal(searches(), 1)
      assert.deepEqual(await spentOf(factory, budget), { settled: CENT, held: 0n })
      assert.deepEqual(kindsOf(await usageOf(db, id)), ['tool_call', 'workflow_run'])
    })

    it('is answered from the record in a replay: nobody called it, and it costs nothing', async () => {
      await using db = await open()
      const { factory, searches } = await openPriced(db, [...CALLS, ...CALLS])
      await using _factory = factory
      const { runtime, tenantId, admin } = factory
      const { id } = await factory.run('one', 'Go.')
      const again = await runtime.replay(admin, id, {}, context)
      assert.equal((await runtime.wait(tenantId, again.id, WAIT_MS)).state, 'completed')
      assert.equal(searches(), 1)
      assert.equal((await costsOf(db)).length, 1)
      assert.deepEqual(kindsOf(await usageOf(db, again.id)), ['agent_run', 'model_call', 'model_call'])
    })
  })

  describe('the time of a run, where it has a price', () => {
    it('is a cost of the run at the top, and of no other', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', ({ messages }) => {
        const [first] = messages
        if (first?.role === 'user' && first.text === 'Part.') return { text: 'Below.' }
        if (messages.length > 1) return { text: 'Done.' }
        return { toolCalls: [{ tool: 'below', arguments: { input: 'Part.' } }] }
      })
      let now = NOW
      // Every look at the clock takes a second.
      const clock = (): number => {
        now += 1_000
        return now
      }
      await using factory = await openBudgeted({ db, models: [model], clock })
      const { money, admin, tenantId } = factory
      await money.prices.set(admin, { subject: 'compute/second', amounts: { price: '0.001' } }, context)
      const budget = await addBudget(db, tenantId, { limitNanos: FINE })
      await factory.agent({ name: 'below', ...SHORT })
      await factory.agent({ name: 'top', subAgents: ['below'], ...SHORT })
      const run = await factory.run('top', 'Go.')
      assert.equal(run.state, 'completed')
      const [cost, ...more] = await costsOf(db)
      assert.deepEqual([cost?.type, cost?.runId, more.length], ['COMPUTE', run.id, 0])
      const seconds = cost?.quantity ?? 0
      assert.ok(seconds > 0)
      assert.equal(cost?.amountNanos, BigInt(seconds) * 1_000_000n)
      const { settled } = await spentOf(factory, budget)
      assert.equal(settled, 3n * CALL_NANOS + (cost?.amountNanos ?? 0n))
    })
  })
})

describe('activeTime', () => {
  it('counts from each start to each wait, and to the end', () => {
    const turn = (type: string, occurredAt: number) => ({ type, occurredAt })
    assert.equal(activeTime([], 10), 0)
    assert.equal(activeTime([turn('run.started', 3)], 10), 7)
    const turns = [turn('run.started', 3), turn('run.waiting', 5), turn('run.resumed', 100)]
    assert.equal(activeTime(turns, 110), 12)
    assert.equal(activeTime([...turns, turn('run.resumed', 105)], 110), 12)
    assert.equal(activeTime([turn('run.started', 3), turn('run.waiting', 5)], 110), 2)
  })
})
