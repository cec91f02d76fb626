import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { forEachDatabase } from '../../test/support/database.ts'
import { openFactory } from '../../test/support/factory.ts'
import type { Json } from '../base/json.ts'
import type { Guardrail } from '../contract/agent.ts'
import type { CodeGuardrail, CodeTool } from '../define/code-tool.ts'
import { defineTool } from '../define/define-tool.ts'
import { createScriptedModel } from '../models/scripted/scripted-model.ts'

const context = { requestId: undefined }

/** A tool that keeps no promise of its type. */
function rawTool(name: string, run: () => unknown): CodeTool {
  const { definition } = defineTool({
    name,
    description: 'Raw.',
    input: { type: 'object' },
    effect: 'read',
    run,
  })
  return { definition, run: run as CodeTool['run'] }
}

function rule(on: Guardrail['on'], check: CodeGuardrail['check']): CodeGuardrail {
  return { definition: { name: 'watch', on, check: { type: 'code', name: 'watch' }, action: 'block' }, check }
}

forEachDatabase((_name, open) => {
  describe("code that is not the platform's", () => {
    it('throws at once, or answers no promise: a failed call, or an answer', async () => {
      await using db = await open()
      const tools = [
        rawTool('throws', () => {
          throw new Error('at once')
        }),
        rawTool('plain', () => 'no promise'),
      ]
      const calls = tools.map(({ definition }) => ({ tool: definition.name, arguments: {} }))
      const model = createScriptedModel('scripted', [{ toolCalls: calls }, { text: 'Done.' }])
      await using factory = await openFactory({ db, models: [model], codeTools: tools })
      await factory.agent({ name: 'agent', tools: ['throws', 'plain'] })
      const run = await factory.run('agent', 'Go.')
      assert.equal(run.state, 'completed', JSON.stringify(run.error))
      const steps = await factory.runtime.steps(factory.tenantId, run.id, { limit: 10, after: 0 })
      assert.deepEqual([steps[1]?.error?.code, steps[2]?.output], ['tool.failed', 'no promise'])
    })

    for (const on of ['input', 'tool_call', 'output'] as const) {
      it(`a guardrail on ${on} that never answers: the run can be cancelled`, async () => {
        await using db = await open()
        let entered = 0
        const never = rule(on, () => {
          entered += 1
          return new Promise(() => undefined)
        })
        const call = { toolCalls: [{ tool: 'plain', arguments: {} }] }
        const model = createScriptedModel('scripted', [on === 'output' ? { text: 'Done.' } : call])
        const codeTools = [rawTool('plain', () => 'fine')]
        await using factory = await openFactory({ db, models: [model], codeTools, codeGuardrails: [never] })
        await factory.agent({ name: 'agent', tools: ['plain'], guardrails: [never.definition] })
        const { runtime, tenantId, admin } = factory
        const { id } = await runtime.start(admin, { agent: 'agent', input: 'Go.' }, context)
        while (entered === 0) await sleep(5)
        await runtime.cancel(admin, id, context)
        assert.equal((await runtime.wait(tenantId, id, 3_000)).state, 'cancelled')
      })
    }

    it('says what no database stores: it is left out', async () => {
      await using db = await open()
      const strict = defineTool({
        name: 'strict',
        description: 'Takes nothing else.',
        input: { type: 'object', properties: {}, additionalProperties: false },
        effect: 'read',
        run: async () => 'fine',
      })
      const calls: Json[] = [{ malformed: '\0{' }, { 'a\0b': 1 }, {}]
      const model = createScriptedModel('scripted', [
        { toolCalls: calls.map((args) => ({ tool: 'strict', arguments: args })) },
        { text: 'Done.' },
      ])
      const shape = { type: 'object', additionalProperties: false }
      const odd = { ...rawTool('odd', async () => ({ 'c\0d': 1 })) }
      const tools = [strict, { ...odd, definition: { ...odd.definition, outputSchema: shape } }]
      await using factory = await openFactory({ db, models: [model], codeTools: tools })
      await factory.agent({ name: 'agent', tools: ['strict', 'odd'] })
      const run = await factory.run('agent', 'Go.')
      assert.equal(run.state, 'completed', JSON.stringify(run.error))
    })
  })

  it('the next turn of a session hears what the guardrails let pass, not what was typed', async () => {
    await using db = await open()
    const model = createScriptedModel('scripted', [{ text: 'One.' }, { text: 'Two.' }])
    await using factory = await openFactory({ db, models: [model] })
    const hide: Guardrail = {
      name: 'hide',
      on: 'input',
      check: { type: 'pattern', pattern: 'secret' },
      action: 'modify',
      replacement: '[hidden]',
    }
    await factory.agent({ name: 'agent', guardrails: [hide] })
    const { id: sessionId } = await factory.runtime.createSession(factory.admin, 'agent', context)
    await factory.run('agent', 'My secret.', { sessionId })
    await factory.run('agent', 'Go on.', { sessionId })
    assert.deepEqual(model.requests().at(-1)?.messages[0], { role: 'user', text: 'My [hidden].' })
  })
})
