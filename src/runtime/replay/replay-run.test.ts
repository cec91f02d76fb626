import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { type Factory, openFactory } from '../../../test/support/factory.ts'
import { calling } from '../../../test/support/scripted-turns.ts'
import { isAppError } from '../../base/errors.ts'
import { newId, type RunId } from '../../base/ids.ts'
import { defineTool } from '../../define/define-tool.ts'
import type { ModelRequest } from '../../models/model.ts'
import type { ScriptedTurn } from '../../models/scripted/script.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import type { Database } from '../../storage/database.ts'
import type { Run } from '../runtime.ts'

const context = { requestId: undefined }
const WAIT_MS = 20_000

/** Tools that count how often they are really called. */
function countedTools() {
  const calls = { look: 0, pay: 0, keep: 0 }
  const look = defineTool({
    name: 'look',
    description: 'Looks something up.',
    input: { type: 'object' },
    effect: 'read',
    run: async () => {
      calls.look += 1
      return { found: calls.look }
    },
  })
  const pay = defineTool({
    name: 'pay',
    description: 'Pays.',
    input: { type: 'object' },
    effect: 'once',
    approval: 'always',
    run: async () => {
      calls.pay += 1
      return { paid: calls.pay }
    },
  })
  const keep = defineTool({
    name: 'keep',
    description: 'Keeps a note, or refuses.',
    input: { type: 'object' },
    effect: 'idempotent',
    run: async ({ refuse }) => {
      calls.keep += 1
      if (refuse === true) throw new Error('The notebook is full.')
      return { kept: calls.keep }
    },
  })
  return { calls, tools: [look, pay, keep] }
}

/** A model that says the n-th turn to the n-th prompt of a run, and keeps what it was asked. */
function scripted(turns: readonly ScriptedTurn[], provider = 'scripted') {
  const asked: ModelRequest[] = []
  const model = createScriptedModel(provider, (request: ModelRequest) => {
    // The loop goes on with its own list of messages.
    asked.push({ ...request, messages: [...request.messages] })
    const answers = request.messages.filter(({ role }) => role === 'assistant').length
    return turns[answers] ?? { text: 'Done.' }
  })
  return { model, asked }
}

async function replayed(factory: Factory, id: RunId, input: object = {}): Promise<Run> {
  const made = await factory.runtime.replay(factory.admin, id, input, context)
  return factory.runtime.wait(factory.tenantId, made.id, WAIT_MS)
}

function usageOf(db: Database, factory: Factory) {
  return db
    .tenant(factory.tenantId)
    .read((reader) =>
      reader.query((builder, tenantId) =>
        builder
          .selectFrom('usageRecords')
          .select(['runId', 'replay'])
          .where('tenantId', '=', tenantId)
          .where('kind', '=', 'model_call'),
      ),
    )
}

async function steps(factory: Factory, id: RunId) {
  return factory.runtime.steps(factory.tenantId, id, { limit: 100, after: 0 })
}

forEachDatabase((_name, open) => {
  describe('a replay of an agent run', () => {
    it('asks the model the same and answers tool calls from the record', async () => {
      await using db = await open()
      const { calls, tools } = countedTools()
      const { model, asked } = scripted([
        calling(['look'], ['keep'], ['look']),
        calling(['keep', { refuse: true }]),
      ])
      await using factory = await openFactory({ db, models: [model], codeTools: tools })
      await factory.agent({ name: 'clerk', tools: ['look', 'keep'] })
      const original = await factory.run('clerk', 'Do it.')
      assert.equal(original.state, 'completed')
      const before = { ...calls }
      const said = asked.splice(0)
      const again = await replayed(factory, original.id)
      assert.equal(again.state, 'completed')
      assert.deepEqual(calls, before)
      // The very same prompts: results in their order, and the failure as it was worded.
      const said2 = JSON.stringify(asked.map(({ messages }) => messages))
      assert.equal(
        said2.replaceAll(again.id, original.id),
        JSON.stringify(said.map(({ messages }) => messages)),
      )
      assert.match(said2, /The notebook is full/)
      assert.equal(again.replayOf, original.id)
      assert.equal(again.definitionVersion, original.definitionVersion)
      assert.deepEqual(again.input, original.input)
      assert.equal(again.createdBy, factory.admin.apiKeyId ?? factory.admin.userId)
    })

    it('is listed apart, is on the audit log, and counts as usage of nobody', async () => {
      await using db = await open()
      const { tools } = countedTools()
      const { model } = scripted([calling(['look'])])
      await using factory = await openFactory({ db, models: [model], codeTools: tools })
      await factory.agent({ name: 'clerk', tools: ['look'] })
      const original = await factory.run('clerk', 'Do it.')
      const again = await replayed(factory, original.id)
      const { runtime, tenantId } = factory
      const ids = async (replays: boolean) =>
        (await runtime.list(tenantId, { limit: 10, replays })).items.map(({ id }) => id)
      assert.deepEqual(await ids(true), [again.id])
      assert.deepEqual(await ids(false), [original.id])
      const usage = await usageOf(db, factory)
      assert.deepEqual(usage.map(({ runId, replay }) => [runId === again.id, replay]).sort(), [
        [false, 0],
        [false, 0],
        [true, 1],
        [true, 1],
      ])
      const audit = await db
        .tenant(tenantId)
        .read((reader) =>
          reader.query((builder, tenant) =>
            builder
              .selectFrom('events')
              .select(['subject', 'data'])
              .where('tenantId', '=', tenant)
              .where('type', '=', 'run.replayed'),
          ),
        )
      assert.equal(audit[0]?.subject, again.id)
      assert.equal(JSON.parse(audit[0]?.data ?? '{}').replay_of, original.id)
    })

    it('does nothing that has an effect, and asks nobody', async () => {
      await using db = await open()
      const { calls, tools } = countedTools()
      const { model } = scripted([calling(['pay', { amount: 1 }])])
      // It pays another amount, twice, and looks something up that the record does not have.
      const other = scripted(
        [calling(['pay', { amount: 2 }], ['pay', { amount: 1 }], ['keep'], ['look'])],
        'other',
      )
      await using factory = await openFactory({ db, models: [model, other.model], codeTools: tools })
      await factory.agent({ name: 'payer', tools: ['pay', 'keep', 'look'] })
      const { runtime, admin } = factory
      const waiting = await factory.run('payer', 'Pay.')
      await runtime.resolve(admin, waiting.id, 2, { outcome: 'approve' }, context)
      const original = await runtime.wait(factory.tenantId, waiting.id, WAIT_MS)
      assert.equal(original.state, 'completed')
      assert.deepEqual(calls, { look: 0, pay: 1, keep: 0 })
      const again = await replayed(factory, original.id, { model: 'other/model' })
      assert.equal(again.state, 'completed')
      assert.deepEqual(calls, { look: 1, pay: 1, keep: 0 })
      const made = (await steps(factory, again.id)).filter(({ kind }) => kind === 'tool')
      assert.deepEqual(
        made.map(({ name, state }) => [name, state]),
        [
          ['pay', 'failed'],
          ['pay', 'done'],
          ['keep', 'failed'],
          ['look', 'done'],
        ],
      )
      assert.match(made[0]?.error?.message ?? '', /"pay" was not called/)
      assert.deepEqual(made[1]?.output, { paid: 1 })
    })

    it('answers a call that was declined with the refusal on record', async () => {
      await using db = await open()
      const { calls, tools } = countedTools()
      const { model, asked } = scripted([calling(['pay'])])
      await using factory = await openFactory({ db, models: [model], codeTools: tools })
      await factory.agent({ name: 'payer', tools: ['pay'] })
      const { runtime, admin } = factory
      const { id } = await factory.run('payer', 'Pay.')
      await runtime.resolve(admin, id, 2, { outcome: 'decline', reason: 'Too much.' }, context)
      await runtime.wait(factory.tenantId, id, WAIT_MS)
      const again = await replayed(factory, id)
      assert.equal(again.state, 'completed')
      assert.equal(calls.pay, 0)
      assert.match(JSON.stringify(asked.at(-1)?.messages), /A person declined this call: Too much\./)
    })

    it('asks another model, with other instructions, in another version', async () => {
      await using db = await open()
      const { tools } = countedTools()
      const { model, asked } = scripted([calling(['look'])])
      const other = scripted([], 'other')
      await using factory = await openFactory({ db, models: [model, other.model], codeTools: tools })
      await factory.agent({ name: 'clerk', tools: ['look'], fallbackModels: ['scripted/second'] })
      const original = await factory.run('clerk', 'Do it.')
      const elsewhere = await replayed(factory, original.id, { model: 'other/model' })
      assert.equal(elsewhere.state, 'completed')
      assert.equal(other.asked[0]?.model, 'other/model')
      asked.length = 0
      await replayed(factory, original.id, { instructions: 'Be brief.' })
      assert.equal(asked[0]?.instructions, 'Be brief.')
      // What was changed for one replay is not kept for the next.
      asked.length = 0
      await replayed(factory, original.id)
      assert.equal(asked[0]?.instructions, 'Do what the user says.')
      const second = {
        name: 'clerk',
        instructions: 'Second.',
        model: 'scripted/test',
        tools: ['look', 'keep'],
      }
      await factory.catalog.agents.update(factory.admin, 'clerk', second, { publish: false }, context)
      asked.length = 0
      const newer = await replayed(factory, original.id, { version: 2 })
      assert.equal(newer.definitionVersion, 2)
      assert.equal(asked[0]?.instructions, 'Second.')
      assert.deepEqual(
        asked[0]?.tools.map(({ name }) => name),
        ['look', 'keep'],
      )
      await assert.rejects(replayed(factory, original.id, { version: 9 }), (error) =>
        isAppError(error, 'version.not-found'),
      )
    })

    it('takes another input', async () => {
      await using db = await open()
      const { model, asked } = scripted([])
      await using factory = await openFactory({ db, models: [model] })
      await factory.agent({ name: 'clerk' })
      const original = await factory.run('clerk', 'One.')
      const again = await replayed(factory, original.id, { input: 'Two.' })
      assert.deepEqual(again.input, 'Two.')
      assert.deepEqual(asked.at(-1)?.messages, [{ role: 'user', text: 'Two.' }])
    })

    it('goes on from a step, and what it takes over costs nothing again', async () => {
      await using db = await open()
      const { calls, tools } = countedTools()
      const { model, asked } = scripted([calling(['look']), calling(['keep'])])
      await using factory = await openFactory({ db, models: [model], codeTools: tools })
      await factory.agent({ name: 'clerk', tools: ['look', 'keep'] })
      const original = await factory.run('clerk', 'Do it.')
      const before = { ...calls }
      asked.length = 0
      const again = await replayed(factory, original.id, { from: 3, instructions: 'From here on.' })
      assert.equal(again.state, 'completed')
      assert.equal(again.replayFrom, 3)
      assert.deepEqual(calls, before)
      assert.equal(asked.length, 2)
      assert.equal(asked[0]?.messages.length, 3)
      assert.equal(again.stepCount, 5)
      assert.equal((await usageOf(db, factory)).filter(({ runId }) => runId === again.id).length, 2)
      const calls2 = await factory.runtime.modelCalls(factory.tenantId, again.id, { limit: 10 })
      assert.deepEqual(
        calls2.items.map(({ step }) => step),
        [3, 5],
      )
      assert.ok(again.inputTokens < original.inputTokens)
    })

    it('refuses a step where nothing begins, naming those where something does', async () => {
      await using db = await open()
      const { tools } = countedTools()
      const { model } = scripted([calling(['look'])])
      await using factory = await openFactory({ db, models: [model], codeTools: tools })
      await factory.agent({ name: 'clerk', tools: ['look'] })
      const original = await factory.run('clerk', 'Do it.')
      for (const from of [2, 4]) {
        await assert.rejects(replayed(factory, original.id, { from }), (error) => {
          assert.ok(isAppError(error, 'run.not-replayable'))
          assert.match(error.message, /take one of 1, 3/)
          return true
        })
      }
      await assert.rejects(replayed(factory, original.id, { from: 1, input: 'Else.' }), (error) =>
        isAppError(error, 'request.invalid'),
      )
    })

    it('calls tools as usual where that is asked for', async () => {
      await using db = await open()
      const { calls, tools } = countedTools()
      const { model } = scripted([calling(['look'], ['pay'])])
      await using factory = await openFactory({ db, models: [model], codeTools: tools })
      await factory.agent({ name: 'payer', tools: ['look', 'pay'] })
      const { runtime, admin } = factory
      const { id } = await factory.run('payer', 'Pay.')
      await runtime.resolve(admin, id, 3, { outcome: 'approve' }, context)
      await runtime.wait(factory.tenantId, id, WAIT_MS)
      const again = await replayed(factory, id, { tools: 'live' })
      assert.equal(again.state, 'waiting')
      assert.deepEqual(calls, { look: 2, pay: 1, keep: 0 })
    })

    it('replays the runs below, with their own records and pins', async () => {
      await using db = await open()
      const { calls, tools } = countedTools()
      const model = createScriptedModel('scripted', (request: ModelRequest) => {
        if (request.messages.length > 1) return { text: 'Done.' }
        const [first] = request.tools
        return first?.name === 'look'
          ? calling(['look'])
          : calling(['below', { input: 'A' }], ['below', { input: 'B' }])
      })
      await using factory = await openFactory({ db, models: [model], codeTools: tools })
      await factory.agent({ name: 'below', tools: ['look'] })
      await factory.agent({ name: 'top', subAgents: ['below'] })
      const original = await factory.run('top', 'Go.')
      assert.equal(calls.look, 2)
      const again = await replayed(factory, original.id)
      assert.equal(again.state, 'completed')
      assert.equal(calls.look, 2)
      const { runtime, tenantId } = factory
      const below = (await runtime.list(tenantId, { limit: 10, agent: 'below' })).items
      const mine = below.filter(({ parentRunId }) => parentRunId === again.id)
      const inputs = new Map(below.map(({ id, input }) => [id, input]))
      assert.equal(mine.length, 2)
      for (const run of mine) assert.deepEqual(inputs.get(run.replayOf ?? run.id), run.input)
      const usage = await usageOf(db, factory)
      for (const { id } of mine) {
        const records = usage.filter(({ runId }) => runId === id)
        assert.deepEqual(
          records.map(({ replay }) => replay),
          [1, 1],
        )
      }
    })

    it('holds a run below to the record, though the record has no such run', async () => {
      await using db = await open()
      const { calls, tools } = countedTools()
      const first = scripted([], 'first')
      const model = createScriptedModel('second', (request: ModelRequest) => {
        if (request.messages.length > 1) return { text: 'Done.' }
        return calling(['below', { input: 'A' }])
      })
      const keeper = createScriptedModel('keeper', (request: ModelRequest) =>
        request.messages.length > 1 ? { text: 'Done.' } : calling(['keep']),
      )
      await using factory = await openFactory({ db, models: [first.model, model, keeper], codeTools: tools })
      await factory.agent({ name: 'below', model: 'keeper/model', tools: ['keep'] })
      await factory.agent({ name: 'top', model: 'first/model', subAgents: ['below'] })
      const original = await factory.run('top', 'Go.')
      const again = await replayed(factory, original.id, { model: 'second/model' })
      assert.equal(again.state, 'completed')
      assert.equal(calls.keep, 0)
      const below = (await factory.runtime.list(factory.tenantId, { limit: 10, agent: 'below' })).items[0]
      assert.equal(below?.replayOf, original.id)
      const usage = await usageOf(db, factory)
      assert.ok(usage.filter(({ runId }) => runId === below?.id).every(({ replay }) => replay === 1))
    })

    it('begins with what the session had said, and leaves the session alone', async () => {
      await using db = await open()
      const { model, asked } = scripted([])
      await using factory = await openFactory({ db, models: [model] })
      await factory.agent({ name: 'clerk' })
      const { runtime, admin, tenantId } = factory
      const session = await runtime.createSession(admin, 'clerk', context)
      await factory.run('clerk', 'One.', { sessionId: session.id })
      const second = await factory.run('clerk', 'Two.', { sessionId: session.id })
      await factory.run('clerk', 'Three.', { sessionId: session.id })
      const again = await replayed(factory, second.id, { input: 'Else.' })
      assert.equal(again.sessionId, null)
      assert.deepEqual(
        asked.at(-1)?.messages.map((message) => ('text' in message ? message.text : message.role)),
        ['One.', 'assistant', 'Else.'],
      )
      assert.equal((await runtime.session(tenantId, session.id)).turnCount, 3)
    })

    it('is refused where nothing was kept, where the run goes on, and to another tenant', async () => {
      await using db = await open()
      const { tools } = countedTools()
      const { model } = scripted([calling(['pay'])])
      await using factory = await openFactory({ db, models: [model], codeTools: tools, capture: 'metadata' })
      await factory.agent({ name: 'clerk' })
      await factory.agent({ name: 'payer', tools: ['pay'] })
      const waiting = await factory.run('payer', 'Pay.')
      await assert.rejects(replayed(factory, waiting.id), (error) => isAppError(error, 'run.not-replayable'))
      const gone = await factory.run('payer', 'Pay.')
      await factory.runtime.cancel(factory.admin, gone.id, context)
      await assert.rejects(replayed(factory, gone.id), (error) => {
        assert.ok(isAppError(error, 'run.not-replayable'))
        assert.match(error.message, /was not kept/)
        return true
      })
      const stranger = { ...factory.admin, tenantId: newId('tenant', 1) }
      await assert.rejects(factory.runtime.replay(stranger, waiting.id, {}, context), (error) =>
        isAppError(error, 'run.not-found'),
      )
    })
  })
})
