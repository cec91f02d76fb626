import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { type FactoryOptions, openFactory } from '../../test/support/factory.ts'
import type { Json } from '../base/json.ts'
import { defineTool } from '../define/define-tool.ts'
import type { ModelFailure } from '../models/model.ts'
import type { ScriptedTurn } from '../models/scripted/script.ts'
import { createScriptedModel } from '../models/scripted/scripted-model.ts'
import { silentObserver } from './observer.ts'
import type { Run, Runtime } from './runtime.ts'

const TEN_MB = 10_000_000

function toolThat(
  name: string,
  run: (input: Json, signal: AbortSignal) => Promise<unknown>,
  more: object = {},
) {
  return defineTool({
    name,
    description: 'A tool that misbehaves.',
    input: { type: 'object', properties: { n: { type: 'integer' } }, additionalProperties: false },
    effect: 'read',
    timeoutMs: 100,
    ...more,
    run: async (input, context) => (await run(input as Json, context.signal)) as Json,
  })
}

const TOOLS = [
  toolThat('throws', async () => {
    throw new Error('the disk\nis on fire')
  }),
  toolThat('hangs', () => new Promise(() => undefined)),
  toolThat('wrong_shape', async () => ({ unexpected: true }), {
    output: { type: 'object', properties: { sum: { type: 'number' } }, required: ['sum'] },
  }),
  toolThat('huge', async () => 'x'.repeat(5 * TEN_MB)),
  toolThat('cyclic', async () => {
    const loop: Record<string, unknown> = {}
    loop.loop = loop
    return loop
  }),
  toolThat('nothing', async () => undefined),
  toolThat('fine', async () => ({ ok: true })),
]

type Outcome = { readonly run: Run; readonly runtime: Runtime; readonly said: readonly string[] }

async function play(
  options: FactoryOptions,
  turns: readonly ScriptedTurn[],
  agent: object = {},
): Promise<Outcome> {
  const model = createScriptedModel('scripted', turns)
  await using factory = await openFactory({ codeTools: TOOLS, models: [model], ...options })
  await factory.agent({ name: 'tester', tools: TOOLS.map(({ definition }) => definition.name), ...agent })
  const run = await factory.run('tester', 'Go.')
  const last = model
    .requests()
    .at(-1)
    ?.messages.findLast(({ role }) => role === 'tool')
  const said =
    last?.role === 'tool'
      ? last.results.map(({ output }) =>
          output.type === 'error' ? output.message : JSON.stringify(output.value),
        )
      : []
  return { run, runtime: factory.runtime, said }
}

const call = (tool: string, args: Json | { malformed: string } = {}): ScriptedTurn => ({
  toolCalls: [{ tool, arguments: args }],
})
const failing = (kind: ModelFailure['kind'], more: Partial<ModelFailure> = {}): ScriptedTurn => ({
  failure: { kind, message: `It said ${kind}.`, ...more },
})

forEachDatabase((_name, open) => {
  describe('a tool that misbehaves is an error for the model, and the run goes on', () => {
    const cases: readonly (readonly [string, ScriptedTurn, RegExp])[] = [
      ['throws', call('throws'), /^The tool failed: the disk is on fire$/],
      ['hangs', call('hangs'), /did not answer within 100 ms/],
      ['answers in the wrong shape', call('wrong_shape'), /wrong shape.*sum/],
      ['answers 50 MB', call('huge'), /at most 262144/],
      ['answers what is not JSON', call('cyclic'), /not JSON/],
      ['answers nothing', call('nothing'), /^null$/],
      [
        'gets malformed arguments',
        call('fine', { malformed: '{"n": 1' }),
        /^The arguments are not JSON: \{"n": 1$/,
      ],
      ['gets wrong arguments', call('fine', { n: 'one', m: 2 }), /arguments are wrong.*\/(n|m)/],
      ['is unknown', call('no_such_tool'), /There is no tool "no_such_tool"\. The tools are: throws, hangs/],
    ]
    for (const [what, turn, expected] of cases) {
      it(what, async () => {
        await using db = await open()
        const { run, said } = await play({ db }, [turn, { text: 'Done.' }])
        assert.equal(run.state, 'completed', JSON.stringify(run.error))
        assert.match(said[0] ?? '', expected)
      })
    }
  })

  describe('a model that misbehaves', () => {
    const cases: readonly (readonly [string, readonly ScriptedTurn[], string, number])[] = [
      ['answers nothing, three times', [{ text: '' }, { text: ' ' }, { text: '' }], 'model.empty', 3],
      ['refuses', [{ text: 'I cannot help.', finishReason: 'refusal' }], 'model.refused', 1],
      [
        'is filtered',
        [{ text: '', finishReason: 'content_filter', toolCalls: [{ tool: 'fine', arguments: {} }] }],
        'model.refused',
        1,
      ],
      ['fails for good', [failing('bad_request', { httpStatus: 400 })], 'model.failed', 1],
      [
        'is overloaded for long',
        [failing('overloaded'), failing('overloaded'), failing('overloaded')],
        'model.failed',
        3,
      ],
    ]
    for (const [what, turns, code, attempts] of cases) {
      it(`${what}: the run fails with ${code} after ${attempts} attempts, each on record`, async () => {
        await using db = await open()
        const model = createScriptedModel('scripted', turns)
        await using factory = await openFactory({ db, models: [model] })
        await factory.agent({ name: 'tester' })
        const run = await factory.run('tester', 'Go.')
        assert.equal(run.state, 'failed')
        assert.equal(run.error?.code, code)
        const { items } = await factory.runtime.modelCalls(factory.tenantId, run.id, { limit: 50 })
        assert.equal(items.length, attempts)
      })
    }

    it('recovers from 429 and a cut stream, bills each attempt once, and falls back to the next model', async () => {
      await using db = await open()
      const first = createScriptedModel('first', [
        failing('rate_limited', { httpStatus: 429, retryAfterMs: 1 }),
        {
          ...failing('stream_cut'),
          partialText: 'Half an',
          usage: { state: 'missing', raw: null },
        } as ScriptedTurn,
        failing('unauthorized', { httpStatus: 401 }),
      ])
      const second = createScriptedModel('second', [{ text: 'Here.' }])
      await using factory = await openFactory({ db, models: [first, second] })
      await factory.agent({ name: 'tester', model: 'first/a', fallbackModels: ['second/b'] })
      const run = await factory.run('tester', 'Go.')
      assert.equal(run.state, 'completed', JSON.stringify(run.error))
      const { items } = await factory.runtime.modelCalls(factory.tenantId, run.id, { limit: 50 })
      assert.deepEqual(
        items.map(({ attempt, model, status, usageState }) => [attempt, model, status, usageState]),
        [
          [1, 'first/a', 'failed', 'none'],
          [2, 'first/a', 'failed', 'missing'],
          [3, 'first/a', 'failed', 'none'],
          [4, 'second/b', 'answered', 'known'],
        ],
      )
      const cut = await factory.runtime.modelCall(factory.tenantId, items[1]?.id ?? assert.fail())
      assert.deepEqual(cut.response, [{ type: 'text', text: 'Half an' }])
      assert.equal(run.unpricedCount, 2)
    })
  })

  describe('limits', () => {
    const cases: readonly (readonly [string, object, readonly ScriptedTurn[]])[] = [
      [
        'limit.steps',
        { limits: { maxSteps: 2 } },
        [call('fine', { n: 1 }), call('fine', { n: 2 }), call('fine', { n: 3 })],
      ],
      ['limit.tool-calls', { limits: { maxToolCalls: 1 } }, [call('fine', { n: 1 }), call('fine', { n: 2 })]],
      ['limit.tokens', { limits: { maxTokens: 15 } }, [call('fine'), { text: 'Too late.' }]],
      [
        'limit.identical-calls',
        { limits: { maxIdenticalCalls: 2 } },
        [call('fine'), call('fine'), call('fine')],
      ],
      ['limit.money', { limits: { maxCostUsd: '1' } }, [call('fine'), { text: 'Unpriced.' }]],
      ['limit.time', { limits: { timeoutMs: 50 } }, [{ text: 'Too late.', delayMs: 2_000 }]],
    ]
    for (const [code, agent, turns] of cases) {
      it(`ends the run with ${code}`, async () => {
        await using db = await open()
        const { run } = await play({ db }, turns, agent)
        assert.equal(run.state, 'failed')
        assert.equal(run.error?.code, code)
      })
    }
  })

  it('a bug in the platform or in a provider fails the run without details, and the observer has them', async () => {
    await using db = await open()
    const heard: string[] = []
    const observer = { ...silentObserver, trouble: (message: string) => heard.push(message) }
    const broken = { name: 'scripted', call: () => Promise.reject(new TypeError('secret internals')) }
    await using factory = await openFactory({ db, models: [broken], observer })
    await factory.agent({ name: 'tester' })
    const run = await factory.run('tester', 'Go.')
    assert.equal(run.state, 'failed')
    assert.doesNotMatch(run.error?.message ?? '', /secret internals/)
    assert.ok(heard.length > 0)
  })
})
