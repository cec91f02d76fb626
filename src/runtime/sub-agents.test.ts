import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { aroundWrites } from '../../test/support/around-writes.ts'
import { forEachDatabase } from '../../test/support/database.ts'
import { openFactory } from '../../test/support/factory.ts'
import { defineTool } from '../define/define-tool.ts'
import type { ModelRequest } from '../models/model.ts'
import type { ScriptedTurn } from '../models/scripted/script.ts'
import { createScriptedModel } from '../models/scripted/scripted-model.ts'
import type { Database } from '../storage/database.ts'

const context = { requestId: undefined }
const asking = (tool: string): ScriptedTurn => ({
  toolCalls: [{ tool, arguments: { input: 'Please.' } }],
})

function toolNamed(name: string, more: object, run: () => Promise<unknown> = async () => 'done') {
  return defineTool({ name, description: `It is ${name}.`, input: { type: 'object' }, ...more, run })
}

/** What each agent says, by the first of its tools, turn by turn. */
function scripted(turns: Readonly<Record<string, readonly ScriptedTurn[]>>) {
  return createScriptedModel('scripted', (request: ModelRequest) => {
    const mine = turns[request.tools[0]?.name ?? 'none'] ?? []
    return mine[(request.messages.length - 1) / 2] ?? { text: 'Done.' }
  })
}

forEachDatabase((_name, open) => {
  describe('a run below another', () => {
    it('counts against the limits of its caller, also where it failed, and after a restart', async () => {
      await using db = await open()
      let entered = 0
      const slow = toolNamed('slow', { effect: 'read' }, async () => {
        entered += 1
        await sleep(100)
      })
      const model = scripted({ slow: [asking('middle'), asking('slow')], bottom: [asking('bottom'), FAILS] })
      const first = await openFactory({ db, models: [model], codeTools: [slow] })
      await first.agent({ name: 'bottom' })
      await first.agent({ name: 'middle', subAgents: ['bottom'] })
      await first.agent({ name: 'top', tools: ['slow'], subAgents: ['middle'] })
      const { tenantId, admin } = first
      const { id } = await first.runtime.start(admin, { agent: 'top', input: 'Go.' }, context)
      while (entered === 0) await sleep(5)
      await first[Symbol.asyncDispose]()
      await using second = await openFactory({ db, models: [model], codeTools: [slow] })
      const { runtime } = second
      const end = await runtime.wait(tenantId, id, 10_000)
      assert.equal(end.state, 'completed', JSON.stringify(end.error))
      const { items } = await runtime.list(tenantId, { limit: 10 })
      assert.deepEqual(
        items.map(({ definitionName, state }) => `${definitionName} ${state}`),
        ['bottom completed', 'middle failed', 'top completed'],
      )
      const used = items.reduce((sum, run) => sum + run.inputTokens + run.outputTokens, 0)
      const events = await runtime.events(tenantId, id, { limit: 100, after: 0 })
      assert.deepEqual(events.at(-1)?.data.tree, { tokens: used, cost_usd: '0', unpriced_calls: 5 })
    })

    it('may use no more tokens than its caller has left', async () => {
      await using db = await open()
      const model = scripted({ below: [asking('below')], slow: [asking('slow'), asking('slow')] })
      await using factory = await openFactory({ db, models: [model], codeTools: [toolNamed('slow', {})] })
      await factory.agent({ name: 'below', tools: ['slow'] })
      await factory.agent({ name: 'top', subAgents: ['below'], limits: { maxTokens: 25 } })
      await factory.run('top', 'Go.')
      const below = (await factory.runtime.list(factory.tenantId, { limit: 1, agent: 'below' })).items[0]
      assert.equal(below?.error?.code, 'limit.tokens')
      assert.equal(below?.stepCount, 2)
    })

    it('asks before a once call where its caller has read what may steer it', async () => {
      await using db = await open()
      const page = toolNamed('page', { effect: 'read', untrusted: true })
      const pay = toolNamed('pay', { effect: 'once' })
      const model = scripted({ page: [asking('page'), asking('payer')], pay: [asking('pay')] })
      await using factory = await openFactory({ db, models: [model], codeTools: [page, pay] })
      await factory.agent({ name: 'payer', tools: ['pay'] })
      await factory.agent({ name: 'top', tools: ['page'], subAgents: ['payer'] })
      assert.equal((await factory.run('top', 'Go.')).state, 'waiting')
    })

    it('that cannot be started is a failed call, and the caller goes on', async () => {
      await using db = await open()
      const model = scripted({ below: [asking('below')] })
      const first = await openFactory({ db, codeTools: [toolNamed('pay', {})], working: false })
      await first.agent({ name: 'below', tools: ['pay'] })
      await first.agent({ name: 'top', subAgents: ['below'] })
      // This server has no tool "pay".
      await using factory = await openFactory({ db, models: [model] })
      const run = await factory.run('top', 'Go.')
      assert.equal(run.state, 'completed', JSON.stringify(run.error))
      const steps = await factory.runtime.steps(factory.tenantId, run.id, { limit: 10, after: 0 })
      assert.equal(steps[1]?.error?.code, 'tool.not-published')
    })

    it('is not begun by a worker that lost its lease', async () => {
      await using db = await open()
      const model = scripted({ below: [asking('below')] })
      // Each worker stands still once it has seen that the run below is not there yet.
      const stand = () => {
        const gate = {
          armed: false,
          reached: Promise.withResolvers<void>(),
          open: Promise.withResolvers<void>(),
        }
        const tenant: Database['tenant'] = (id) => {
          const scoped = db.tenant(id)
          const read: typeof scoped.read = async (work) => {
            const seen = await scoped.read(work)
            if (!gate.armed || seen !== undefined) return seen
            gate.armed = false
            gate.reached.resolve()
            await gate.open.promise
            return seen
          }
          return { tenantId: id, read, write: (work) => scoped.write(work) }
        }
        return { gate, db: { ...aroundWrites(db, (write, work) => write(work)), tenant } }
      }
      const [one, two] = [stand(), stand()]
      const lease = { leaseMs: 1, heartbeatMs: 3_600_000 }
      await using first = await openFactory({ db: one.db, models: [model], lease, concurrency: 1 })
      await first.agent({ name: 'below' })
      await first.agent({ name: 'top', subAgents: ['below'] })
      const { id } = await first.runtime.start(first.admin, { agent: 'top', input: 'Go.' }, context)
      one.gate.armed = true
      await one.gate.reached.promise
      two.gate.armed = true
      await using second = await openFactory({ db: two.db, models: [model] })
      await two.gate.reached.promise
      one.gate.open.resolve()
      while (first.worker.active() > 0) await sleep(5)
      assert.equal((await first.runtime.list(first.tenantId, { limit: 10 })).items.length, 1)
      two.gate.open.resolve()
      assert.equal((await second.runtime.wait(first.tenantId, id, 10_000)).state, 'completed')
    })
  })
})

const FAILS: ScriptedTurn = { failure: { kind: 'bad_request', message: 'No.' } }
