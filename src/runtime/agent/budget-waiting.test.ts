import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  CALL_NANOS,
  holdStates,
  openBudgeted,
  SHORT,
  spentOf,
  waitsOf,
  wakeWaiting,
} from '../../../test/support/budgeted.ts'
import { addBudget, NOBODY, NOW } from '../../../test/support/budgets.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import type { Factory } from '../../../test/support/factory.ts'
import type { BudgetId, RunId } from '../../base/ids.ts'
import type { WorkflowNode } from '../../contract/workflow.ts'
import type { ScriptedTurn } from '../../models/scripted/script.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import type { Database } from '../../storage/database.ts'

const WAIT_MS = 10_000
const DAY_MS = 86_400_000
const context = { requestId: undefined }

/** A factory with one agent and a budget that asks and has no room for a call. */
async function openAsking(db: Database, turns: readonly ScriptedTurn[], clock?: () => number) {
  const model = createScriptedModel('scripted', turns)
  const factory = await openBudgeted({ db, models: [model], ...(clock === undefined ? {} : { clock }) })
  const budget = await addBudget(db, factory.tenantId, { mode: 'ask', limitNanos: 1n })
  await factory.agent({ name: 'one', ...SHORT })
  return { factory, model, budget }
}

async function topUp({ money, admin }: Factory, budget: BudgetId, amountUsd: string): Promise<void> {
  await money.budgets.topUp(admin, budget, { amountUsd }, context)
}

async function typesOf({ runtime, tenantId }: Factory, id: RunId): Promise<readonly string[]> {
  return (await runtime.events(tenantId, id, { limit: 100, after: 0 })).map(({ type }) => type)
}

forEachDatabase((_, open) => {
  describe('a run that a budget lets wait', () => {
    it('tells why and what to do, and goes on after a top-up with the same step', async () => {
      await using db = await open()
      const { factory, model, budget } = await openAsking(db, [{ text: 'Hello.' }])
      await using _factory = factory
      const { runtime, tenantId } = factory
      const { id } = await factory.run('one', 'Go.')
      const waiting = await runtime.get(tenantId, id)
      assert.deepEqual([waiting.state, waiting.waitingReason], ['waiting', 'budget'])
      assert.equal(waiting.blockedBy?.code, 'budget.exceeded')
      assert.match(waiting.blockedBy?.message ?? '', new RegExp(`budget top-up ${budget}`))
      assert.equal((await runtime.job(tenantId, waiting.jobId)).state, 'parked')
      const [step] = await runtime.steps(tenantId, id, { limit: 10, after: 0 })
      assert.deepEqual([step?.kind, step?.state, step?.waitingReason], ['model', 'waiting', 'budget'])
      assert.equal(model.calls(), 0)
      await topUp(factory, budget, '1')
      assert.equal(await wakeWaiting(factory, Date.now() + 1), 1)
      const run = await runtime.wait(tenantId, id, WAIT_MS)
      assert.equal(run.state, 'completed')
      assert.equal(run.stepCount, 1)
      assert.deepEqual(await typesOf(factory, id), [
        'run.requested',
        'run.started',
        'budget.waiting',
        'run.waiting',
        'run.resumed',
        'model.requested',
        'model.called',
        'run.completed',
      ])
      assert.deepEqual(await spentOf(factory, budget), { settled: CALL_NANOS, held: 0n })
      assert.deepEqual(await waitsOf(db), [])
    })

    it('waits again where there is still no room, and burns no attempt', async () => {
      await using db = await open()
      const { factory, model, budget } = await openAsking(db, [{ text: 'Hello.' }])
      await using _factory = factory
      const { runtime, tenantId } = factory
      const { id, jobId } = await factory.run('one', 'Go.')
      for (const _ of [1, 2, 3]) {
        await topUp(factory, budget, '0.000000001')
        await wakeWaiting(factory, Date.now() + 1)
        assert.equal((await runtime.wait(tenantId, id, WAIT_MS)).waitingReason, 'budget')
        while ((await runtime.job(tenantId, jobId)).state !== 'parked') await runtime.wait(tenantId, id, 20)
      }
      assert.equal(model.calls(), 0)
      const [step, ...more] = await runtime.steps(tenantId, id, { limit: 10, after: 0 })
      assert.deepEqual([step?.attempt, more.length], [1, 0])
      await topUp(factory, budget, '1')
      await wakeWaiting(factory, Date.now() + 1)
      const run = await runtime.wait(tenantId, id, WAIT_MS)
      assert.equal(run.state, 'completed')
      assert.equal((await runtime.job(tenantId, jobId)).attempt, 1)
    })

    it('goes on by itself once the next period has begun, and not before', async () => {
      await using db = await open()
      let now = NOW
      const { factory, budget } = await openAsking(db, [{ text: 'Hello.' }], () => now)
      await using _factory = factory
      const { runtime, tenantId } = factory
      // What the month has is spent but for a rest that is too small for a call.
      const { reservations } = factory.money
      await db.tenant(tenantId).write((tx) => reservations.charge(tx, NOBODY, null, 1_000_000n, now))
      await factory.money.budgets.update(factory.admin, budget, { limitUsd: '0.0015' }, context)
      const { id } = await factory.run('one', 'Go.')
      const [wait] = await waitsOf(db)
      const month = Date.UTC(2026, 11, 1)
      assert.equal(wait?.againAt, month)
      assert.equal(await wakeWaiting(factory, month - 1), 0)
      now = month + DAY_MS
      assert.equal(await wakeWaiting(factory, now), 1)
      assert.equal((await runtime.wait(tenantId, id, WAIT_MS)).state, 'completed')
    })

    it('can be cancelled, and leaves nothing waiting', async () => {
      await using db = await open()
      const { factory } = await openAsking(db, [])
      await using _factory = factory
      const { runtime, tenantId, admin } = factory
      const { id } = await factory.run('one', 'Go.')
      await runtime.cancel(admin, id, context)
      assert.equal((await runtime.wait(tenantId, id, WAIT_MS)).state, 'cancelled')
      assert.deepEqual(await waitsOf(db), [])
      const [step] = await runtime.steps(tenantId, id, { limit: 10, after: 0 })
      assert.equal(step?.state, 'interrupted')
    })

    it('goes on when what another run had set aside is free again', async () => {
      await using db = await open()
      const { factory, budget } = await openAsking(db, [{ text: 'Hello.' }])
      await using _factory = factory
      const { runtime, tenantId, money } = factory
      await topUp(factory, budget, '0.0015')
      const owner = 'run:other:1'
      await db.tenant(tenantId).write((tx) =>
        money.reservations.reserve(tx, {
          owner,
          of: NOBODY,
          rootRunId: 'run_other' as RunId,
          worstNanos: 1_000_000n,
          estimateNanos: 1n,
          at: Date.now(),
          expiresAt: Date.now() + DAY_MS,
        }),
      )
      const { id } = await factory.run('one', 'Go.')
      assert.equal((await runtime.get(tenantId, id)).waitingReason, 'budget')
      await db.tenant(tenantId).write((tx) => money.reservations.settle(tx, owner, 5n, Date.now()))
      await wakeWaiting(factory, Date.now() + 1)
      assert.equal((await runtime.wait(tenantId, id, WAIT_MS)).state, 'completed')
      assert.deepEqual(await spentOf(factory, budget), { settled: CALL_NANOS + 5n, held: 0n })
    })
  })

  describe('a run below others that a budget lets wait', () => {
    it('parks the agents above it, and wakes them all', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', ({ messages }) => {
        const [first] = messages
        if (first?.role === 'user' && first.text === 'Part.') return { text: 'Below.' }
        if (messages.length > 1) return { text: 'Done.' }
        return { toolCalls: [{ tool: 'below', arguments: { input: 'Part.' } }] }
      })
      await using factory = await openBudgeted({ db, models: [model] })
      const { runtime, tenantId, catalog } = factory
      await factory.agent({ name: 'below', ...SHORT })
      await factory.agent({ name: 'top', subAgents: ['below'], ...SHORT })
      const { id: agentId } = await catalog.versions.publishedAgent(tenantId, 'below')
      const budget = await addBudget(db, tenantId, {
        scopeType: 'agent',
        scopeId: agentId,
        mode: 'ask',
        limitNanos: 0n,
      })
      const { id } = await factory.run('top', 'Go.')
      const waiting = await runtime.get(tenantId, id)
      assert.deepEqual([waiting.state, waiting.waitingReason], ['waiting', 'budget'])
      assert.match(waiting.blockedBy?.message ?? '', /budget top-up/)
      await topUp(factory, budget, '1')
      await wakeWaiting(factory, Date.now() + 1)
      const run = await runtime.wait(tenantId, id, WAIT_MS)
      assert.deepEqual([run.state, run.output], ['completed', 'Done.'])
      assert.deepEqual(await spentOf(factory, budget), { settled: CALL_NANOS, held: 0n })
    })

    it('parks the workflow above it, whose other branches go on', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', [{ text: 'Hello.' }])
      await using factory = await openBudgeted({ db, models: [model] })
      const { runtime, tenantId, admin, catalog } = factory
      const budget = await addBudget(db, tenantId, { mode: 'ask', limitNanos: 1n })
      await factory.agent({ name: 'one', ...SHORT })
      const nodes: WorkflowNode[] = [
        { id: 'ask', type: 'agent', agent: 'one', input: "'Go.'" },
        { id: 'aside', type: 'transform', value: '1', after: [] },
        { id: 'both', type: 'transform', value: '2', after: ['ask', 'aside'] },
      ]
      await catalog.workflows.create(admin, { name: 'flow', nodes }, { publish: true }, context)
      const { id } = await runtime.start(admin, { workflow: 'flow', input: {} }, context)
      const waiting = await runtime.wait(tenantId, id, WAIT_MS)
      assert.deepEqual([waiting.state, waiting.waitingReason], ['waiting', 'budget'])
      const steps = await runtime.steps(tenantId, id, { limit: 10, after: 0 })
      assert.equal(steps.find(({ path }) => path === 'aside')?.state, 'done')
      await topUp(factory, budget, '1')
      await wakeWaiting(factory, Date.now() + 1)
      const run = await runtime.wait(tenantId, id, WAIT_MS)
      assert.equal(run.state, 'completed')
      assert.deepEqual(await holdStates(factory), ['settled'])
    })
  })
})
