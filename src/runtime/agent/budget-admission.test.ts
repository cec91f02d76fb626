import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CALL_NANOS,
  holdStates,
  openBudgeted,
  PRICES,
  SHORT,
  spentOf,
  usageOf,
} from '../../../test/support/budgeted.ts'
import { addBudget } from '../../../test/support/budgets.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { isAppError } from '../../base/errors.ts'
import type { ModelProvider } from '../../models/model.ts'
import type { ScriptedTurn } from '../../models/scripted/script.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import { OUTPUT_TOKENS_BUDGETED } from './prompt-bound.ts'

const FINE = 1_000_000_000_000n
const context = { requestId: undefined }

forEachDatabase((_, open) => {
  describe('a model call under a budget', () => {
    it('is made where there is room, and what it cost takes the place of what was set aside', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', [{ text: 'Hello.' }])
      await using factory = await openBudgeted({ db, models: [model] })
      const budget = await addBudget(db, factory.tenantId, { limitNanos: FINE })
      await factory.agent({ name: 'one' })
      const run = await factory.run('one', 'Go.')
      assert.equal(run.state, 'completed')
      assert.equal(run.costNanos, CALL_NANOS)
      assert.deepEqual(await spentOf(factory, budget), { settled: CALL_NANOS, held: 0n })
      assert.deepEqual(await holdStates(factory), ['settled'])
    })

    it('is sent with a cap on its output, also in the prompt log, where the agent names none', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', [{ text: 'Hello.' }])
      await using factory = await openBudgeted({ db, models: [model] })
      await addBudget(db, factory.tenantId, { limitNanos: FINE })
      await factory.agent({ name: 'one' })
      const { id } = await factory.run('one', 'Go.')
      assert.equal(model.requests()[0]?.settings.maxOutputTokens, OUTPUT_TOKENS_BUDGETED)
      const { runtime, tenantId } = factory
      const [call] = (await runtime.modelCalls(tenantId, id, { limit: 1 })).items
      const logged = await runtime.modelCall(tenantId, call?.id ?? assert.fail())
      assert.equal(logged.request?.settings.maxOutputTokens, OUTPUT_TOKENS_BUDGETED)
    })

    it('is sent as it is where no budget applies', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', [{ text: 'Hello.' }])
      await using factory = await openBudgeted({ db, models: [model] })
      await addBudget(db, factory.tenantId, { scopeType: 'user', scopeId: 'usr_somebody_else' })
      await factory.agent({ name: 'one' })
      assert.equal((await factory.run('one', 'Go.')).state, 'completed')
      assert.deepEqual(model.requests()[0]?.settings, {})
      assert.deepEqual(await holdStates(factory), [])
    })

    it('is not made where its worst case passes the limit, and the run fails', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', [{ text: 'Hello.' }])
      await using factory = await openBudgeted({ db, models: [model] })
      const budget = await addBudget(db, factory.tenantId, { limitNanos: CALL_NANOS })
      await factory.agent({ name: 'one', fallbackModels: ['scripted/test'] })
      const run = await factory.run('one', 'Go.')
      assert.equal(run.state, 'failed')
      assert.equal(run.error?.code, 'budget.exceeded')
      assert.equal(model.calls(), 0)
      assert.deepEqual(await spentOf(factory, budget), { settled: 0n, held: 0n })
      assert.deepEqual(await holdStates(factory), [])
      const { runtime, tenantId } = factory
      const [step] = await runtime.steps(tenantId, run.id, { limit: 10, after: 0 })
      assert.deepEqual([step?.kind, step?.state, step?.error?.code], ['model', 'failed', 'budget.exceeded'])
      const events = await runtime.events(tenantId, run.id, { limit: 10, after: 0 })
      const types = events.map(({ type }) => type)
      assert.deepEqual(types, ['run.requested', 'run.started', 'budget.refused', 'run.failed'])
      assert.equal(events[2]?.data.budget_id, budget)
    })

    it('is refused where nobody knows what it can cost', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', [{ text: 'Hello.' }])
      await using factory = await openBudgeted({ db, models: [model] })
      await addBudget(db, factory.tenantId, { limitNanos: FINE })
      await factory.agent({ name: 'one', model: 'scripted/unpriced' })
      const run = await factory.run('one', 'Go.')
      assert.equal(run.error?.code, 'budget.unpriced')
      assert.equal(model.calls(), 0)
    })

    it('has money set aside for each attempt: what certainly cost nothing is free, what nobody knows is estimated', async () => {
      await using db = await open()
      const failure = { kind: 'server_error', message: 'It broke.' } as const
      const turns: readonly ScriptedTurn[] = [
        { failure },
        { failure, usage: { state: 'missing', raw: null } },
        { text: 'Hello.' },
      ]
      const model = createScriptedModel('scripted', turns)
      await using factory = await openBudgeted({ db, models: [model] })
      const budget = await addBudget(db, factory.tenantId, { limitNanos: FINE })
      await factory.agent({ name: 'one' })
      const run = await factory.run('one', 'Go.')
      assert.equal(run.state, 'completed')
      assert.deepEqual((await holdStates(factory)).toSorted(), ['estimated', 'settled', 'settled'])
      const { settled, held } = await spentOf(factory, budget)
      assert.equal(held, 0n)
      assert.ok(settled > CALL_NANOS, 'the attempt of unknown cost is counted')
    })

    it('counts for a budget of its project, its user and its root run alike, all or none', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', [{ text: 'Hello.' }, { text: 'Again.' }])
      await using factory = await openBudgeted({ db, models: [model] })
      const { tenantId, admin } = factory
      const user = await addBudget(db, tenantId, {
        scopeType: 'user',
        scopeId: admin.userId,
        limitNanos: FINE,
      })
      await factory.agent({ name: 'one' })
      assert.equal((await factory.run('one', 'Go.')).state, 'completed')
      const tenant = await addBudget(db, tenantId, { limitNanos: 1n })
      assert.equal((await factory.run('one', 'Go.')).error?.code, 'budget.exceeded')
      assert.deepEqual(await spentOf(factory, user), { settled: CALL_NANOS, held: 0n })
      assert.deepEqual(await spentOf(factory, tenant), { settled: 0n, held: 0n })
    })

    it('costs what the tenant has agreed, where it has a price of its own', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', [{ text: 'Hello.' }])
      await using factory = await openBudgeted({ db, models: [model] })
      const { money, admin } = factory
      const amounts = { input: '2', output: '4' }
      await money.prices.set(admin, { subject: 'scripted/test', amounts }, context)
      const budget = await addBudget(db, factory.tenantId, { limitNanos: FINE })
      await factory.agent({ name: 'one' })
      const run = await factory.run('one', 'Go.')
      assert.equal(run.costNanos, 40_000n)
      assert.deepEqual(await spentOf(factory, budget), { settled: 40_000n, held: 0n })
    })
  })

  describe('a budget with nothing left', () => {
    it('refuses a run before anything is recorded: zero is zero', async () => {
      await using db = await open()
      await using factory = await openBudgeted({ db, models: [createScriptedModel('scripted', [])] })
      const { runtime, admin, tenantId } = factory
      await addBudget(db, tenantId, { limitNanos: 0n })
      await factory.agent({ name: 'one' })
      const start = runtime.start(admin, { agent: 'one', input: 'Go.' }, context)
      await assert.rejects(start, (error) => isAppError(error, 'budget.exceeded'))
      assert.deepEqual((await runtime.list(tenantId, { limit: 10 })).items, [])
    })

    it('refuses a replay as well', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', [{ text: 'Hello.' }])
      await using factory = await openBudgeted({ db, models: [model] })
      await factory.agent({ name: 'one' })
      const { id } = await factory.run('one', 'Go.')
      await addBudget(db, factory.tenantId, { limitNanos: 0n })
      const replay = factory.runtime.replay(factory.admin, id, {}, context)
      await assert.rejects(replay, (error) => isAppError(error, 'budget.exceeded'))
    })
  })

  describe('sub-agents side by side', () => {
    it('share what there is: of two whose worst cases do not fit together, one is refused', async () => {
      await using db = await open()
      const refused = Promise.withResolvers<void>()
      const script = createScriptedModel('scripted', (request) => {
        const { messages } = request
        const first = messages[0]
        if (first?.role === 'user' && first.text !== 'Go.') return { text: 'Below.' }
        if (messages.length > 1) return { text: 'Done.' }
        return { toolCalls: [1, 2].map((n) => ({ tool: 'below', arguments: { input: `Part ${n}.` } })) }
      })
      // The call that was let through lasts until the other one has been refused.
      const model: ModelProvider = {
        ...script,
        call: async (request, signal) => {
          const first = request.messages[0]
          if (first?.role === 'user' && first.text.startsWith('Part')) await refused.promise
          return script.call(request, signal)
        },
      }
      await using factory = await openBudgeted({ db, models: [model] })
      const { runtime, tenantId } = factory
      const budget = await addBudget(db, tenantId, { limitNanos: 2_200_000n })
      await factory.agent({ name: 'below', ...SHORT })
      await factory.agent({ name: 'top', subAgents: ['below'], ...SHORT })
      const whole = factory.run('top', 'Go.')
      for (;;) {
        const below = (await runtime.list(tenantId, { limit: 10, agent: 'below' })).items
        if (below.some(({ state }) => state === 'failed')) break
        await sleep(5)
      }
      refused.resolve()
      const run = await whole
      assert.equal(run.state, 'completed')
      const below = (await runtime.list(tenantId, { limit: 10, agent: 'below' })).items
      assert.deepEqual(below.map(({ error }) => error?.code ?? null).toSorted(), ['budget.exceeded', null])
      assert.deepEqual(await spentOf(factory, budget), { settled: 3n * CALL_NANOS, held: 0n })
    })
  })

  describe('a replay', () => {
    it('costs what its model calls cost, and is nobody\u2019s usage of a plan', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', [{ text: 'Hello.' }, { text: 'Again.' }])
      await using factory = await openBudgeted({ db, models: [model], prices: PRICES })
      const { runtime, admin, tenantId } = factory
      const budget = await addBudget(db, tenantId, { limitNanos: FINE })
      await factory.agent({ name: 'one' })
      const { id } = await factory.run('one', 'Go.')
      const again = await runtime.replay(admin, id, {}, context)
      assert.equal((await runtime.wait(tenantId, again.id, 5_000)).state, 'completed')
      assert.deepEqual(await spentOf(factory, budget), { settled: 2n * CALL_NANOS, held: 0n })
      const usage = await usageOf(db, again.id)
      assert.equal(usage.length, 2)
      assert.ok(usage.every(({ replay }) => replay === 1))
    })
  })
})
