import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { openFactory } from '../../test/support/factory.ts'
import { isAppError } from '../base/errors.ts'
import type { Message } from '../contract/message.ts'
import { defineGuardrail } from '../define/define-guardrail.ts'
import { defineTool } from '../define/define-tool.ts'
import { createScriptedModel } from '../models/scripted/scripted-model.ts'
import { systemStatement } from '../storage/statement.ts'

const context = { requestId: undefined }
const texts = (messages: readonly Message[]): string[] =>
  messages.map((message) => {
    if (message.role === 'user') return message.text
    return message.role === 'assistant'
      ? message.parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
      : ''
  })

const bodies = systemStatement('test.bodies', 'a test looks for a canary', (db) =>
  db.selectFrom('bodies').select('content'),
)

forEachDatabase((_name, open) => {
  describe('a session', () => {
    it('remembers its turns, one run at a time', async () => {
      await using db = await open()
      const seen: string[][] = []
      const model = createScriptedModel('scripted', (request, call) => {
        seen.push(texts(request.messages))
        return { text: `Answer ${call + 1}.`, delayMs: 20 }
      })
      await using factory = await openFactory({ db, models: [model] })
      await factory.agent({ name: 'talker' })
      const { runtime, admin, tenantId } = factory
      const session = await runtime.createSession(admin, 'talker', context)
      const first = await runtime.start(
        admin,
        { agent: 'talker', input: 'One', sessionId: session.id },
        context,
      )
      await assert.rejects(factory.run('talker', 'Two', { sessionId: session.id }), (error) =>
        isAppError(error, 'session.busy'),
      )
      await runtime.wait(tenantId, first.id, 5_000)
      await factory.run('talker', 'Two', { sessionId: session.id })
      assert.deepEqual(seen[1], ['One', 'Answer 1.', 'Two'])
      const turns = await runtime.sessionTurns(tenantId, session.id, { limit: 10, after: 0 })
      assert.deepEqual(
        turns.map(({ seq, input, output }) => [seq, input, output]),
        [
          [1, 'One', 'Answer 1.'],
          [2, 'Two', 'Answer 2.'],
        ],
      )
    })

    it('a failed run leaves the session free', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', [
        { text: 'No.', finishReason: 'refusal' },
        { text: 'Yes.' },
      ])
      await using factory = await openFactory({ db, models: [model] })
      await factory.agent({ name: 'talker' })
      const session = await factory.runtime.createSession(factory.admin, 'talker', context)
      assert.equal((await factory.run('talker', 'One', { sessionId: session.id })).state, 'failed')
      assert.equal((await factory.run('talker', 'Two', { sessionId: session.id })).state, 'completed')
    })

    it('compacts its older turns when they grow long, and the compaction is a billed call on record', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', (request) =>
        request.instructions.startsWith('You keep the memory')
          ? { text: 'They spoke at length.' }
          : { text: 'x'.repeat(400) },
      )
      await using factory = await openFactory({ db, models: [model] })
      await factory.agent({ name: 'talker', maxHistoryTokens: 250 })
      const { runtime, admin, tenantId } = factory
      const session = await runtime.createSession(admin, 'talker', context)
      for (const turn of ['One', 'Two', 'Three']) await factory.run('talker', turn, { sessionId: session.id })
      const last = await factory.run('talker', 'Four', { sessionId: session.id })
      assert.equal(last.state, 'completed', JSON.stringify(last.error))
      const steps = await runtime.steps(tenantId, last.id, { limit: 10, after: 0 })
      assert.deepEqual(
        steps.map(({ kind }) => kind),
        ['compaction', 'model'],
      )
      const { items } = await runtime.modelCalls(tenantId, last.id, { limit: 10 })
      const detail = await runtime.modelCall(tenantId, items[1]?.id ?? assert.fail())
      assert.match(texts(detail.request?.messages ?? [])[0] ?? '', /They spoke at length/)
      const compaction = await runtime.modelCall(tenantId, items[0]?.id ?? assert.fail())
      assert.match(texts(compaction.request?.messages ?? [])[0] ?? '', /User: One/)
      assert.deepEqual(compaction.response, [{ type: 'text', text: 'They spoke at length.' }])
    })
  })

  describe('structured output', () => {
    const outputSchema = {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
    } as const

    it('is repaired when the model is told what is wrong', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', [
        { text: 'Paris' },
        { text: '{"town":"Paris"}' },
        { text: '```json\n{"city":"Paris"}\n```' },
      ])
      await using factory = await openFactory({ db, models: [model] })
      await factory.agent({ name: 'finder', outputSchema })
      const run = await factory.run('finder', 'Where?')
      assert.deepEqual(run.output, { city: 'Paris' })
    })

    it('fails after a few repairs', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', [{ text: '1' }, { text: '2' }, { text: '3' }])
      await using factory = await openFactory({ db, models: [model] })
      await factory.agent({ name: 'finder', outputSchema })
      const run = await factory.run('finder', 'Where?')
      assert.equal(run.error?.code, 'output.invalid')
    })
  })

  describe('guardrails', () => {
    it('block and modify what comes in, what goes out and which calls are made', async () => {
      await using db = await open()
      const given: unknown[] = []
      const send = defineTool({
        name: 'send',
        description: 'Sends a text.',
        input: { type: 'object', properties: { to: { type: 'string' } } },
        effect: 'idempotent',
        run: async (input) => {
          given.push(input)
          return 'sent'
        },
      })
      const polite = defineGuardrail({
        name: 'polite',
        on: 'output',
        check: (text) =>
          text.includes('idiot') ? { action: 'block', message: 'Be polite.' } : { action: 'allow' },
      })
      const model = createScriptedModel('scripted', (request) => {
        const first = texts(request.messages)[0] ?? ''
        if (first === 'rude') return { text: 'You idiot.' }
        if (request.messages.length > 1) return { text: 'Mail me at a@example.com.' }
        return { toolCalls: [{ tool: 'send', arguments: { to: first } }] }
      })
      await using factory = await openFactory({
        db,
        models: [model],
        codeTools: [send],
        codeGuardrails: [polite],
      })
      await factory.agent({
        name: 'guarded',
        tools: ['send'],
        guardrails: [
          {
            name: 'no-secrets',
            on: 'input',
            check: { type: 'expression', when: 'text.contains("secret")' },
            action: 'block',
          },
          {
            name: 'no-numbers',
            on: 'input',
            check: { type: 'pattern', pattern: '[0-9]+' },
            action: 'modify',
            replacement: '#',
          },
          {
            name: 'no-mail',
            on: 'output',
            check: { type: 'pattern', pattern: '[a-z]+@[a-z.]+' },
            action: 'modify',
          },
          { name: 'polite', on: 'output', check: { type: 'code', name: 'polite' }, action: 'modify' },
          {
            name: 'no-boss',
            on: 'tool_call',
            check: { type: 'expression', when: 'arguments.to == "boss"' },
            action: 'block',
            message: 'Not to the boss.',
          },
        ],
      })
      const secret = await factory.run('guarded', 'my secret')
      assert.equal(secret.error?.code, 'guardrail.blocked')
      const numbers = await factory.run('guarded', 'room 42')
      assert.deepEqual(given, [{ to: 'room #' }])
      assert.equal(numbers.output, 'Mail me at [removed]')
      assert.equal((await factory.run('guarded', 'rude')).error?.message, 'Be polite.')
      const boss = await factory.run('guarded', 'boss')
      assert.equal(boss.state, 'completed')
      assert.equal(given.length, 1)
      const events = await factory.runtime.events(factory.tenantId, boss.id, { limit: 50, after: 0 })
      assert.ok(
        events.some(({ type, data }) => type === 'guardrail.triggered' && data.guardrail === 'no-boss'),
      )
    })
  })

  describe('the capture policy', () => {
    const CANARY = 'canary@example.com'
    for (const capture of ['full', 'redacted', 'metadata'] as const) {
      it(`${capture}: keeps what it says, and nothing more`, async () => {
        await using db = await open()
        const echo = defineTool({
          name: 'echo',
          description: 'Answers what it is given.',
          input: { type: 'object' },
          effect: 'read',
          run: async () => `${CANARY} ${'long '.repeat(3_000)}`,
        })
        const model = createScriptedModel('scripted', (request) =>
          request.messages.length === 1
            ? { toolCalls: [{ tool: 'echo', arguments: { to: CANARY } }] }
            : { text: 'Done.' },
        )
        await using factory = await openFactory({ db, models: [model], codeTools: [echo], capture })
        await factory.agent({ name: 'echoer', tools: ['echo'] })
        const { runtime, tenantId } = factory
        const run = await factory.run('echoer', 'Go.')
        assert.equal(run.state, 'completed', JSON.stringify(run.error))
        const { items } = await runtime.modelCalls(tenantId, run.id, { limit: 10 })
        const details = await Promise.all(items.map(({ id }) => runtime.modelCall(tenantId, id)))
        const steps = await runtime.steps(tenantId, run.id, { limit: 10, after: 0 })
        const kept = JSON.stringify([details.map(({ request, response }) => [request, response]), steps])
        assert.equal(kept.includes(CANARY), capture === 'full')
        assert.equal(kept.includes('[email]'), capture === 'redacted')
        assert.equal(details[0]?.request === null, capture === 'metadata')
        assert.ok(items.every((call) => call.capture === capture))
      })

      it(`${capture}: also of what a person said that a call answered`, async () => {
        await using db = await open()
        const pay = defineTool({
          name: 'pay',
          description: 'Pays.',
          input: { type: 'object' },
          effect: 'once',
          timeoutMs: 10,
          run: () => new Promise(() => undefined),
        })
        const model = createScriptedModel('scripted', [
          { toolCalls: [{ tool: 'pay', arguments: {} }] },
          { text: 'Done.' },
        ])
        await using factory = await openFactory({ db, models: [model], codeTools: [pay], capture })
        await factory.agent({ name: 'payer', tools: ['pay'] })
        const { runtime, tenantId, admin } = factory
        const { id } = await factory.run('payer', 'Go.')
        const output = `${CANARY} ${'long '.repeat(3_000)}`
        await runtime.resolve(admin, id, 2, { outcome: 'succeeded', output }, { requestId: undefined })
        assert.equal((await runtime.wait(tenantId, id, 5_000)).state, 'completed')
        const texts = await db.system.read((reader) => reader.all(bodies, {}))
        const steps = await runtime.steps(tenantId, id, { limit: 10, after: 0 })
        assert.equal(JSON.stringify([texts, steps]).includes(CANARY), capture === 'full')
      })
    }
  })
})
