import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { forEachDatabase } from '../../test/support/database.ts'
import { type Factory, openFactory } from '../../test/support/factory.ts'
import { defineTool } from '../define/define-tool.ts'
import { createScriptedModel } from '../models/scripted/scripted-model.ts'
import { LEASE_MS } from '../queue/job.ts'
import { systemStatement } from '../storage/statement.ts'

const context = { requestId: undefined }
const jobs = systemStatement('test.jobs-now', 'a test looks at the queue', (db) =>
  db.selectFrom('jobs').select(['state', 'attempt']),
)

const erased = systemStatement('test.erase', 'a test plays an erasure', (db) =>
  db.updateTable('runMessages').set({ content: null, contentHash: null }),
)

/** A tool that a test lets go on, and how often it was called. */
function gated() {
  const gate = Promise.withResolvers<void>()
  const state = { calls: 0, open: gate.resolve }
  const tool = defineTool({
    name: 'gated',
    description: 'Waits for the test.',
    input: { type: 'object' },
    effect: 'read',
    run: async () => {
      state.calls += 1
      await gate.promise
      return 'done'
    },
  })
  return Object.assign(state, { tool })
}

const calling = () =>
  createScriptedModel('scripted', (request) =>
    request.messages.length === 1 ? { toolCalls: [{ tool: 'gated', arguments: {} }] } : { text: 'Done.' },
  )

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(5)
}

async function start({ runtime, admin }: Factory): Promise<Awaited<ReturnType<typeof runtime.start>>['id']> {
  return (await runtime.start(admin, { agent: 'agent', input: 'Go.' }, context)).id
}

forEachDatabase((_name, open) => {
  describe('a worker', () => {
    it('that stood still longer than its lease goes on with the runs that nobody took', async () => {
      await using db = await open()
      const { tool, ...state } = gated()
      let ahead = 0
      const clock = () => Date.now() + ahead
      const lease = { heartbeatMs: 3_600_000 }
      await using factory = await openFactory({ db, clock, lease, models: [calling()], codeTools: [tool] })
      await factory.agent({ name: 'agent', tools: ['gated'] })
      const id = await start(factory)
      await until(() => factory.worker.active() === 1)
      await sleep(50)
      ahead = LEASE_MS * 2
      // Two polls, which look for lapsed leases.
      await sleep(2_200)
      state.open()
      const end = await factory.runtime.wait(factory.tenantId, id, 10_000)
      assert.equal(end.state, 'completed', JSON.stringify(end.error))
      const events = await factory.runtime.events(factory.tenantId, id, { limit: 100, after: 0 })
      assert.ok(!events.some(({ type }) => type === 'run.resumed'))
      assert.equal(factory.worker.active(), 0)
    })

    it('that stops burns no attempt, and may be started again', async () => {
      await using db = await open()
      const { tool, ...state } = gated()
      await using factory = await openFactory({ db, models: [calling()], codeTools: [tool] })
      await factory.agent({ name: 'agent', tools: ['gated'] })
      const id = await start(factory)
      await until(() => factory.worker.active() === 1)
      await Promise.all([factory.worker.stop(50), factory.worker.stop(50)])
      assert.deepEqual(await db.system.read((reader) => reader.all(jobs, {})), [
        { state: 'queued', attempt: 0 },
      ])
      state.open()
      await factory.worker.start()
      assert.equal((await factory.runtime.wait(factory.tenantId, id, 10_000)).state, 'completed')
    })

    it('that stops before a once call of the turn leaves no doubt about it', async () => {
      await using db = await open()
      const { tool, ...state } = gated()
      let paid = 0
      const pay = defineTool({
        name: 'pay',
        description: 'Pays.',
        input: { type: 'object' },
        effect: 'once',
        run: async () => ++paid,
      })
      const model = createScriptedModel('scripted', [
        { toolCalls: ['gated', 'pay'].map((name) => ({ tool: name, arguments: {} })) },
        { text: 'Done.' },
      ])
      const first = await openFactory({ db, models: [model], codeTools: [tool, pay] })
      await first.agent({ name: 'agent', tools: ['gated', 'pay'], limits: { parallelToolCalls: 1 } })
      const id = await start(first)
      await sleep(100)
      const stopped = first[Symbol.asyncDispose]()
      state.open()
      await stopped
      assert.equal((await first.runtime.get(first.tenantId, id)).state, 'queued')
      await using second = await openFactory({ db, models: [model], codeTools: [tool, pay] })
      const end = await second.runtime.wait(second.tenantId, id, 10_000)
      assert.equal(end.state, 'completed', JSON.stringify(end.error))
      assert.equal(paid, 1)
      assert.equal(model.calls(), 2)
    })

    it('hears from another process that a run below the one it drives is cancelled', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', (request) => {
        const first = request.messages[0]
        if (first?.role === 'user' && first.text === 'Please.') return { text: 'Late.', delayMs: 3_600_000 }
        if (request.messages.length > 1) return { text: 'Done.' }
        return { toolCalls: [{ tool: 'below', arguments: { input: 'Please.' } }] }
      })
      await using factory = await openFactory({ db, models: [model], lease: { heartbeatMs: 50 } })
      await using other = await openFactory({ db, models: [model], working: false })
      await factory.agent({ name: 'below' })
      await factory.agent({ name: 'agent', subAgents: ['below'] })
      const id = await start(factory)
      await until(() => model.calls() === 2)
      const { runtime, tenantId, admin } = other
      const child = (await runtime.list(tenantId, { limit: 1, agent: 'below' })).items[0] ?? assert.fail()
      await runtime.cancel(admin, child.id, context)
      assert.equal((await runtime.wait(tenantId, id, 5_000)).state, 'completed')
      assert.equal((await runtime.get(tenantId, child.id)).state, 'cancelled')
    })

    it('that stops does not wait for a model to be asked again', async () => {
      await using db = await open()
      const failure = { kind: 'rate_limited', message: 'Later.', retryAfterMs: 50_000 } as const
      const model = createScriptedModel('scripted', [{ failure }, { text: 'Done.' }])
      const factory = await openFactory({ db, models: [model] })
      await factory.agent({ name: 'agent' })
      const id = await start(factory)
      await until(() => model.calls() === 1)
      await sleep(50)
      await factory.worker.stop(60_000)
      await factory.worker.start()
      assert.equal((await factory.runtime.wait(factory.tenantId, id, 10_000)).state, 'completed')
      await factory[Symbol.asyncDispose]()
    })

    it('fails a run whose words were erased meanwhile, rather than begin it anew', async () => {
      await using db = await open()
      const { tool, ...state } = gated()
      const first = await openFactory({ db, models: [calling()], codeTools: [tool] })
      await first.agent({ name: 'agent', tools: ['gated'] })
      const id = await start(first)
      await sleep(100)
      const stopped = first[Symbol.asyncDispose]()
      state.open()
      await stopped
      await db.system.write((tx) => tx.run(erased, {}))
      const model = calling()
      await using second = await openFactory({ db, models: [model], codeTools: [tool] })
      assert.equal((await second.runtime.wait(second.tenantId, id, 10_000)).error?.code, 'run.lost')
      assert.equal(model.calls(), 0)
    })

    it('drains the runs below as well: they stop at their next step', async () => {
      await using db = await open()
      const { tool } = gated()
      let entered = 0
      const slow = {
        ...tool,
        run: async () => {
          entered += 1
          await sleep(150)
          return entered
        },
      }
      const model = createScriptedModel('scripted', (request) => {
        const [{ name } = { name: '' }] = request.tools
        if (name === 'below') return { toolCalls: [{ tool: name, arguments: { input: 'Please.' } }] }
        return { toolCalls: [{ tool: name, arguments: { n: request.messages.length } }] }
      })
      const factory = await openFactory({ db, models: [model], codeTools: [slow] })
      await factory.agent({ name: 'below', tools: ['gated'] })
      await factory.agent({ name: 'agent', subAgents: ['below'] })
      await start(factory)
      await until(() => entered === 1)
      await factory.worker.stop(60_000)
      assert.equal(entered, 1)
      await factory[Symbol.asyncDispose]()
    })
  })

  it('many workers on one queue: each job is driven by one at a time, and every run ends once', async () => {
    await using db = await open()
    const model = createScriptedModel('scripted', (_request, call) => ({ text: 'Done.', delayMs: call % 7 }))
    const workers = await Promise.all(
      Array.from({ length: 4 }, () => openFactory({ db, models: [model], concurrency: 5, working: false })),
    )
    const [first] = workers
    if (first === undefined) assert.fail()
    await first.agent({ name: 'agent' })
    const ids = await Promise.all(Array.from({ length: 120 }, () => start(first)))
    await Promise.all(workers.map(({ worker }) => worker.start()))
    for (const id of ids)
      assert.equal((await first.runtime.wait(first.tenantId, id, 20_000)).state, 'completed')
    assert.equal(model.calls(), 120)
    for (const id of ids) {
      const events = await first.runtime.events(first.tenantId, id, { limit: 50, after: 0 })
      assert.equal(events.filter(({ type }) => type === 'run.started').length, 1)
      assert.equal(events.filter(({ type }) => type === 'run.completed').length, 1)
    }
    for (const worker of workers) await worker[Symbol.asyncDispose]()
  })
})
