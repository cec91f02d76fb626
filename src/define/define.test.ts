import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { isAppError } from '../base/errors.ts'
import type { CodeToolContext } from '../define.ts'
import { defineAgent, defineGuardrail, defineTool, defineWorkflow } from '../define.ts'

const context: CodeToolContext = {
  tenantId: 'ten_1',
  runId: 'run_1',
  idempotencyKey: 'key',
  signal: new AbortController().signal,
  nowMs: 0,
}

const add = defineTool({
  name: 'add',
  description: 'Adds two numbers.',
  input: z.object({ a: z.number(), b: z.number().default(1) }),
  output: z.object({ sum: z.number() }),
  effect: 'read',
  timeoutMs: 1_000,
  run: ({ a, b }) => ({ sum: a + b }),
})

describe('defineTool', () => {
  it('makes the definition from the schemas', () => {
    assert.deepEqual(add.definition, {
      name: 'add',
      description: 'Adds two numbers.',
      effect: 'read',
      timeoutMs: 1_000,
      inputSchema: {
        type: 'object',
        properties: { a: { type: 'number' }, b: { type: 'number', default: 1 } },
        required: ['a'],
      },
      outputSchema: {
        type: 'object',
        properties: { sum: { type: 'number' } },
        required: ['sum'],
        additionalProperties: false,
      },
      implementation: { type: 'code', name: 'add' },
    })
  })

  it('calls the function with what the schema made of the input', async () => {
    assert.deepEqual(await add.run({ a: 2 }, context), { sum: 3 })
  })

  it('refuses a wrong input and a wrong output with every field', async () => {
    await assert.rejects(add.run({ a: 'two', b: null }, context), (error) => {
      assert.ok(isAppError(error, 'tool.input-invalid'))
      assert.deepEqual(
        error.errors.map(({ path }) => path),
        ['/a', '/b'],
      )
      return true
    })
    const liar = defineTool({
      ...options('liar'),
      output: z.object({ n: z.number() }),
      run: () => ({ n: Number.NaN }),
    })
    await assert.rejects(liar.run({}, context), (error) => isAppError(error, 'tool.output-invalid'))
  })

  it('takes JSON Schema as it is, and gives its types as JSON', async () => {
    const input = { type: 'object', properties: { q: { type: 'string' } } }
    const search = defineTool({ name: 'search', description: '', input, run: async ({ q }) => [q ?? null] })
    assert.equal(search.definition.inputSchema, input)
    assert.deepEqual(await search.run({ q: 'x' }, context), ['x'])
  })

  it('answers JSON, whatever the function answers', async () => {
    const answering = (run: () => unknown) => defineTool({ ...options('t'), run }).run({}, context)
    assert.equal(await answering(() => undefined), null)
    assert.deepEqual(await answering(() => ({ at: new Date(0), no: undefined })), {
      at: '1970-01-01T00:00:00.000Z',
    })
    const circle: Record<string, unknown> = {}
    circle.self = circle
    for (const value of [1n, circle, () => 1, Symbol('x')]) {
      await assert.rejects(
        answering(() => value),
        (error) => isAppError(error, 'tool.output-invalid'),
      )
    }
  })

  it('hands a reconciler the input that the schema accepted', async () => {
    const tool = defineTool({
      ...options('pay'),
      input: z.object({ amount: z.number().default(5) }),
      run: () => null,
      reconcile: async (key, { amount }) => ({ status: 'done', output: { key, amount } }),
    })
    assert.deepEqual(await tool.reconcile?.('k', {}, context), {
      status: 'done',
      output: { key: 'k', amount: 5 },
    })
    assert.equal('reconcile' in add, false)
  })

  it('takes the schema of any library that says what JSON Schema it is', async () => {
    const schema = foreign({
      jsonSchema: { input: () => ({ type: 'object' }), output: () => ({ type: 'null' }) },
    })
    // A schema may be a function, as those of ArkType are.
    const tool = defineTool({ ...options('t'), input: Object.assign(() => 1, schema), output: schema })
    assert.deepEqual(tool.definition.inputSchema, { type: 'object' })
    assert.deepEqual(tool.definition.outputSchema, { type: 'null' })
  })

  it('says what to do about a library that does not, and about schemas that have none', () => {
    assert.throws(
      () => defineTool({ ...options('t'), input: foreign({}) }),
      /input of tool "t" is a schema of "foreign", which gives no JSON Schema.*write the JSON Schema itself/,
    )
    assert.throws(
      () => defineTool({ ...options('t'), input: z.object({ at: z.date() }) }),
      /input of tool "t" has no JSON Schema: Date/,
    )
    assert.throws(
      () => defineTool({ ...options('t'), input: 'text' as never }),
      /neither a Standard Schema nor a JSON Schema/,
    )
  })

  it('tells every wrong field by its name on the wire', () => {
    const wrong = { ...options('9 lives'), timeoutMs: 0, effect: 'maybe' as 'read' }
    assert.throws(
      () => defineTool(wrong),
      (error) => {
        assert.ok(isAppError(error, 'definition.invalid'))
        assert.deepEqual(error.errors.map(({ path }) => path).toSorted(), [
          '/effect',
          '/implementation/name',
          '/name',
          '/timeout_ms',
        ])
        assert.match(error.message, /^The tool is wrong: /)
        return true
      },
    )
  })
})

describe('defineAgent', () => {
  it('is data with names, and beside it what was given as values', () => {
    const helper = defineAgent({ name: 'helper', instructions: 'Help.', model: 'offline/extractive' })
    const quiet = defineGuardrail({ name: 'quiet', on: 'output', check: () => ({ action: 'allow' }) })
    const plain = {
      name: 'fetch-page',
      description: '',
      implementation: { type: 'builtin', name: 'http-get' },
    } as const
    const guide = defineAgent({
      name: 'guide',
      instructions: 'Answer.',
      model: 'offline/extractive',
      tools: [add, 'calculator', plain],
      subAgents: [helper, 'other'],
      outputSchema: z.object({ answer: z.string().default('') }),
      guardrails: [
        quiet,
        { name: 'short', on: 'input', check: { type: 'pattern', pattern: 'x' }, action: 'block' },
      ],
    })
    const { definition } = guide
    assert.deepEqual(definition.tools, ['add', 'calculator', 'fetch-page'])
    assert.deepEqual(definition.subAgents, ['helper', 'other'])
    assert.deepEqual(definition.outputSchema?.required, ['answer'])
    assert.deepEqual(
      definition.guardrails?.map(({ name, check }) => [name, check.type]),
      [
        ['quiet', 'code'],
        ['short', 'pattern'],
      ],
    )
    assert.deepEqual([guide.tools, guide.subAgents, guide.guardrails], [[add, plain], [helper], [quiet]])
    assert.deepEqual(JSON.parse(JSON.stringify(definition)), definition)
  })

  it('refuses what the contract refuses', () => {
    const wrong = { name: 'Guide', instructions: '', model: 'gpt', limits: { maxSteps: 0 } }
    assert.throws(
      () => defineAgent(wrong),
      (error) => {
        assert.ok(isAppError(error, 'definition.invalid'))
        assert.deepEqual(
          error.errors.map(({ path }) => path),
          ['/name', '/instructions', '/model', '/limits/max_steps'],
        )
        return true
      },
    )
    assert.throws(() => defineAgent({ ...wrong, tenantId: 'ten_1' } as never), /wrong/)
  })
})

describe('defineGuardrail', () => {
  it('gives the check the value of its place', async () => {
    const mailOnly = defineGuardrail({
      name: 'mail-only',
      on: 'tool_call',
      check: (call) =>
        call.tool === 'mail'
          ? { action: 'modify', value: { to: 'me' } }
          : { action: 'block', message: 'No.' },
    })
    assert.deepEqual(mailOnly.definition, {
      name: 'mail-only',
      on: 'tool_call',
      check: { type: 'code', name: 'mail-only' },
      action: 'modify',
    })
    const rail = { tenantId: 'ten_1', runId: 'run_1', signal: context.signal, nowMs: 0 }
    assert.deepEqual(await mailOnly.check({ tool: 'mail', arguments: {} }, rail), {
      action: 'modify',
      value: { to: 'me' },
    })
    assert.deepEqual(await mailOnly.check({ tool: 'pay', arguments: {} }, rail), {
      action: 'block',
      message: 'No.',
    })
  })
})

describe('defineWorkflow', () => {
  it('is data with names, and beside it what was given as values', () => {
    const helper = defineAgent({ name: 'helper', instructions: 'Help.', model: 'offline/extractive' })
    const flow = defineWorkflow({
      name: 'flow',
      inputSchema: z.object({ q: z.string() }),
      nodes: [
        { id: 'ask', type: 'agent', agent: helper, input: 'input.q' },
        { id: 'sum', type: 'tool', tool: add, input: 'nodes.ask', after: ['ask'] },
        { id: 'all', type: 'transform', value: 'nodes.sum', after: ['sum'] },
      ],
    })
    assert.deepEqual(
      flow.definition.nodes.map((node) =>
        node.type === 'agent' ? node.agent : node.type === 'tool' ? node.tool : node.type,
      ),
      ['helper', 'add', 'transform'],
    )
    assert.deepEqual([flow.agents, flow.tools], [[helper], [add]])
    assert.deepEqual(flow.workflows, [])
    assert.throws(() => defineWorkflow({ name: 'flow', nodes: [] }), /nodes/)
  })

  it('gathers what nodes of any block hold, each once, and has the same data as one with names', () => {
    const helper = defineAgent({ name: 'helper', instructions: 'Help.', model: 'offline/extractive' })
    const undo = defineTool({ ...options('undo') })
    const inner = defineWorkflow({
      name: 'inner',
      nodes: [{ id: 'a', type: 'tool', tool: add, input: 'input' }],
    })
    const make = <A, T, U, W>(agent: A, tool: T, back: U, sub: W) => ({
      name: 'outer',
      outputSchema: { type: 'object' },
      nodes: [
        {
          id: 'route',
          type: 'switch' as const,
          cases: [{ when: 'true', nodes: [{ id: 'one', type: 'agent' as const, agent, input: 'input' }] }],
          else: [
            {
              id: 'two',
              type: 'tool' as const,
              tool,
              input: 'input',
              retry: { maxAttempts: 2 },
              compensate: { type: 'tool' as const, tool: back, input: 'result' },
            },
          ],
        },
        {
          id: 'both',
          type: 'parallel' as const,
          branches: [
            {
              id: 'x',
              nodes: [
                {
                  id: 'all',
                  type: 'for_each' as const,
                  items: 'input.list',
                  nodes: [{ id: 'three', type: 'workflow' as const, workflow: sub, input: 'item' }],
                },
              ],
            },
            { id: 'y', nodes: [{ id: 'four', type: 'agent' as const, agent, input: 'input' }] },
          ],
          compensate: { type: 'workflow' as const, workflow: sub, input: 'result' },
        },
        {
          id: 'again',
          type: 'loop' as const,
          while: 'index < 2',
          max: 2,
          nodes: [{ id: 'five', type: 'tool' as const, tool, input: 'input' }],
          after: ['both'] as const,
        },
      ],
    })
    const outer = defineWorkflow(make(helper, add, undo, inner))
    assert.deepEqual([outer.agents, outer.tools, outer.workflows], [[helper], [undo, add], [inner]])
    const named = defineWorkflow(make('helper', 'add', 'undo', 'inner'))
    assert.deepEqual(outer.definition, named.definition)
    assert.deepEqual([named.agents, named.tools, named.workflows], [[], [], []])
  })

  it('tells wrong fields of inner nodes by their place on the wire', () => {
    const wrong = { id: 'b', type: 'tool', tool: add, input: 'input', onError: { goTo: 'B' } } as const
    assert.throws(
      () =>
        defineWorkflow({
          name: 'flow',
          nodes: [{ id: 'a', type: 'loop', while: 'true', max: 1, nodes: [wrong] }],
        }),
      (error) => {
        assert.ok(isAppError(error, 'definition.invalid'))
        assert.deepEqual(
          error.errors.map(({ path }) => path),
          ['/nodes/0/nodes/0/on_error/go_to'],
        )
        return true
      },
    )
  })
})

function options(name: string) {
  return { name, description: 'Does it.', input: z.object({}), run: (): unknown => null }
}

/** A schema of a library that we do not know. */
function foreign(more: object) {
  return {
    '~standard': {
      version: 1 as const,
      vendor: 'foreign',
      validate: (value: unknown) => ({ value }),
      ...more,
    },
  }
}
