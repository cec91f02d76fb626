import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { forEachDatabase } from '../../test/support/database.ts'
import { openFactory } from '../../test/support/factory.ts'
import type { RunId } from '../base/ids.ts'
import { defineTool } from '../define/define-tool.ts'
import { createScriptedModel } from '../models/scripted/scripted-model.ts'
import { usageOfRun } from '../money/usage/usage-store.ts'
import { JOB_ATTEMPTS_MAX } from '../queue/job.ts'
import type { Database } from '../storage/database.ts'
import { systemStatement } from '../storage/statement.ts'
import type { Runtime } from './runtime.ts'

const context = { requestId: undefined }
const WHY = 'a test plays a worker that died'
const tired = systemStatement('test.tire-jobs', WHY, (db) =>
  db.updateTable('jobs').set({ attempt: JOB_ATTEMPTS_MAX }),
)
const freed = systemStatement('test.free-jobs', WHY, (db) => db.updateTable('jobs').set({ state: 'queued' }))
/** A worker with it dies as far as others can tell: its leases lapse at once. */
const SILENT = { leaseMs: 1, heartbeatMs: 3_600_000 }

const pay = defineTool({
  name: 'pay',
  description: 'Pays.',
  input: { type: 'object' },
  effect: 'once',
  approval: 'always',
  run: async () => ({ paid: true }),
})
const hang = defineTool({
  name: 'hang',
  description: 'Never answers.',
  input: { type: 'object' },
  effect: 'read',
  run: () => new Promise(() => undefined),
})

/** `top` calls `below` and hangs; `below` is left where the model, or a person, is asked. */
function script(below: 'model' | 'person') {
  return createScriptedModel('scripted', (request) => {
    const first = request.messages[0]
    if (first?.role === 'user' && first.text === 'Please.') {
      return below === 'model'
        ? { text: 'Late.', delayMs: 3_600_000 }
        : { toolCalls: [{ tool: 'pay', arguments: {} }] }
    }
    return {
      toolCalls: [
        { tool: 'below', arguments: { input: 'Please.' } },
        { tool: 'hang', arguments: {} },
      ],
    }
  })
}

async function openTree(db: Database, below: 'model' | 'person', silent: boolean) {
  const model = script(below)
  const more = silent ? { lease: SILENT } : {}
  const factory = await openFactory({ db, models: [model], codeTools: [pay, hang], ...more })
  await factory.agent({ name: 'below', tools: ['pay'] })
  await factory.agent({ name: 'top', tools: ['hang'], subAgents: ['below'] })
  const { runtime, tenantId, admin } = factory
  const session = await runtime.createSession(admin, 'top', context)
  const input = { agent: 'top', input: 'Go.', sessionId: session.id }
  const { id } = await runtime.start(admin, input, context)
  const state = below === 'model' ? 'running' : 'waiting'
  const child = async () => (await runtime.list(tenantId, { limit: 1, agent: 'below' })).items[0]
  while ((await child())?.state !== state || model.calls() < 2) await sleep(5)
  return { factory, id, childId: ((await child()) ?? assert.fail()).id, sessionId: session.id }
}

forEachDatabase((_name, open) => {
  async function assertEnded(
    { db, runtime, tenantId }: { db: Database; runtime: Runtime; tenantId: never },
    id: RunId,
  ) {
    const steps = await runtime.steps(tenantId, id, { limit: 100, after: 0 })
    assert.ok(steps.every(({ state }) => ['done', 'failed', 'interrupted'].includes(state)))
    const usage = await db.tenant(tenantId).read((reader) => usageOfRun(reader, id))
    assert.equal(usage.length, steps.filter(({ kind }) => kind === 'model').length)
    const events = await runtime.events(tenantId, id, { limit: 100, after: 0 })
    assert.deepEqual(
      events.map(({ runSeq }) => runSeq),
      events.map((_, index) => index + 1),
    )
    const ends = events.filter(({ type }) => ['run.completed', 'run.failed', 'run.cancelled'].includes(type))
    assert.equal(ends.length, 1)
    assert.equal(events.at(-1), ends[0])
  }

  describe('a run that ends takes with it what is open below', () => {
    it('cancelled while it runs: a run below that waits for a person', async () => {
      await using db = await open()
      const { factory, id, childId } = await openTree(db, 'person', false)
      await using _ = factory
      const { runtime, tenantId, admin } = factory
      await runtime.cancel(admin, id, context)
      assert.equal((await runtime.wait(tenantId, id, 5_000)).state, 'cancelled')
      assert.equal((await runtime.get(tenantId, childId)).state, 'cancelled')
      for (const run of [id, childId]) await assertEnded(factory as never, run)
    })

    it('given up after too many lost workers: a run below whose model was asked', async () => {
      await using db = await open()
      const { factory, id, childId, sessionId } = await openTree(db, 'model', true)
      await using _ = factory
      await db.system.write((tx) => tx.run(tired, {}))
      await using second = await openFactory({ db, models: [script('model')], codeTools: [pay, hang] })
      const { runtime, tenantId } = second
      const end = await runtime.wait(tenantId, id, 10_000)
      assert.equal(end.error?.code, 'run.lost')
      assert.equal((await runtime.get(tenantId, childId)).state, 'cancelled')
      assert.equal((await runtime.session(tenantId, sessionId)).activeRunId, null)
      for (const run of [id, childId]) await assertEnded({ ...second, db } as never, run)
    })

    it('set aside by a server that lacks its tools, and cancelled: a run below whose model was asked', async () => {
      await using db = await open()
      const { factory, id, childId, sessionId } = await openTree(db, 'model', true)
      await using _ = factory
      await using second = await openFactory({ db, models: [script('model')] })
      const { runtime, tenantId, admin } = second
      const blocked = await runtime.wait(tenantId, id, 10_000)
      assert.deepEqual([blocked.state, blocked.blockedBy?.code], ['queued', 'tool.unregistered'])
      await runtime.cancel(admin, id, context)
      assert.equal((await runtime.get(tenantId, childId)).state, 'cancelled')
      assert.equal((await runtime.session(tenantId, sessionId)).activeRunId, null)
      for (const run of [id, childId]) await assertEnded({ ...second, db } as never, run)
    })

    it('cancelled while nobody drives it: the attempts that a dead worker left are billed', async () => {
      await using db = await open()
      const { factory, id, childId, sessionId } = await openTree(db, 'model', true)
      await using _ = factory
      await db.system.write((tx) => tx.run(freed, {}))
      await using second = await openFactory({ db, working: false })
      const { runtime, tenantId, admin } = second
      assert.equal((await runtime.cancel(admin, id, context)).state, 'cancelled')
      assert.equal((await runtime.get(tenantId, childId)).state, 'cancelled')
      assert.equal((await runtime.session(tenantId, sessionId)).activeRunId, null)
      for (const run of [id, childId]) await assertEnded({ ...second, db } as never, run)
    })
  })

  it('a limit that ends a run in the middle of a turn leaves no step open', async () => {
    await using db = await open()
    const call = { tool: 'hang', arguments: {} }
    const model = createScriptedModel('scripted', [{ toolCalls: [call, call] }])
    await using factory = await openFactory({ db, models: [model], codeTools: [hang] })
    await factory.agent({ name: 'looper', tools: ['hang'], limits: { maxIdenticalCalls: 1 } })
    const run = await factory.run('looper', 'Go.')
    assert.equal(run.error?.code, 'limit.identical-calls')
    await assertEnded(factory as never, run.id)
  })
})
