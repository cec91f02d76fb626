import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import type { Json } from '../base/json.ts'
import { agentDefinition } from './agent.ts'
import { codecOf } from './codec.ts'
import { jsonObject } from './definition.ts'
import { toolDefinition } from './tool.ts'
import { workflowDefinition } from './workflow.ts'

const thing = z.strictObject({
  firstName: z.string().max(10),
  topP: z.number().optional(),
  maybeNull: z.int().nullable(),
  withDefault: z.boolean().default(true),
  manyItems: z.array(z.strictObject({ itemId: z.string() })),
  byOwnKey: z.record(z.string(), z.strictObject({ deepValue: z.int() })),
  anyJson: jsonObject.optional(),
  oneOfTwo: z.union([z.string(), z.strictObject({ fooBar: z.string() })]).optional(),
  withMark: z
    .discriminatedUnion('kindName', [
      z.strictObject({ kindName: z.literal('a'), aValue: z.int() }),
      z.strictObject({ kindName: z.literal('b'), bValue: z.enum(['x_y', 'zW']) }),
    ])
    .optional(),
})

const plain = { first_name: 'Ada', maybe_null: null, many_items: [], by_own_key: {} }
const errorsOf = (schema: z.ZodType, wire: Json) => {
  const decoded = codecOf(schema).decode(wire)
  return decoded.ok ? [] : decoded.errors
}

describe('a codec', () => {
  it('renames at every depth, and nothing that belongs to the user', () => {
    const wire: Json = {
      first_name: 'Ada',
      top_p: 0.5,
      maybe_null: 1,
      many_items: [{ item_id: 'x' }],
      by_own_key: { ownKey: { deep_value: 1 }, own_key: { deep_value: 2 } },
      any_json: { keepThis: { and_this: 1 } },
      one_of_two: { foo_bar: 'y' },
      with_mark: { kind_name: 'b', b_value: 'x_y' },
      with_default: false,
    }
    const decoded = codecOf(thing).decode(wire)
    assert.deepEqual(decoded, {
      ok: true,
      value: {
        firstName: 'Ada',
        topP: 0.5,
        maybeNull: 1,
        manyItems: [{ itemId: 'x' }],
        byOwnKey: { ownKey: { deepValue: 1 }, own_key: { deepValue: 2 } },
        anyJson: { keepThis: { and_this: 1 } },
        oneOfTwo: { fooBar: 'y' },
        withMark: { kindName: 'b', bValue: 'x_y' },
        withDefault: false,
      },
    })
    assert.deepEqual(decoded.ok && codecOf(thing).encode(decoded.value), wire)
  })

  it('compiles a schema once', () => assert.equal(codecOf(thing), codecOf(thing)))

  it('fills in defaults', () => {
    const decoded = codecOf(thing).decode(plain)
    assert.equal(decoded.ok && decoded.value.withDefault, true)
  })

  it('refuses unknown fields by the name that the client wrote, at every depth', () => {
    const errors = errorsOf(thing, {
      ...plain,
      firstName: 'x',
      other: 1,
      many_items: [{ item_id: 'a', 'b/c': 1 }],
    })
    assert.deepEqual(errors, [
      { path: '/many_items/0/b~1c', message: 'is not a known field; allowed here: "item_id"' },
      { path: '/firstName', message: 'is not a known field; did you mean "first_name"?' },
      {
        path: '/other',
        message:
          'is not a known field; allowed here: "first_name", "top_p", "maybe_null", "with_default", "many_items", "by_own_key", "any_json", "one_of_two", "with_mark"',
      },
    ])
  })

  it('tells every wrong field with its wire path, what is allowed and what came', () => {
    const errors = errorsOf(thing, {
      first_name: 'more than ten',
      maybe_null: 1.5,
      many_items: [{ item_id: 1 }],
      by_own_key: { myKey: { deep_value: 'x' } },
      any_json: [1],
      one_of_two: { foo_bar: 1 },
      with_mark: { kind_name: 'b', b_value: 'q' },
    })
    assert.deepEqual(errors, [
      { path: '/first_name', message: 'must have at most 10 characters; got "more than ten"' },
      { path: '/maybe_null', message: 'must be a whole number; got 1.5' },
      { path: '/many_items/0/item_id', message: 'must be a text; got 1' },
      { path: '/by_own_key/myKey/deep_value', message: 'must be a number; got "x"' },
      { path: '/any_json', message: 'must be a JSON object; got an array of 1' },
      { path: '/one_of_two/foo_bar', message: 'must be a text; got 1' },
      { path: '/with_mark/b_value', message: 'must be one of "x_y", "zW"; got "q"' },
    ])
  })

  it('tells what is missing, and which forms a union has', () => {
    assert.deepEqual(
      errorsOf(z.strictObject({ aB: z.string(), cD: z.union([z.string(), z.int()]) }), { c_d: true }),
      [
        { path: '/a_b', message: 'is required; it must be a text' },
        { path: '/c_d', message: 'must be a text or a number; got true' },
      ],
    )
    assert.deepEqual(errorsOf(thing, { ...plain, with_mark: { kind_name: 'c', a_value: 1 } }), [
      { path: '/with_mark/kind_name', message: 'must be one of "a", "b"; got "c"' },
    ])
    assert.deepEqual(errorsOf(thing, 'text'), [{ path: '', message: 'must be an object; got "text"' }])
  })

  it('keeps control characters and long values out of its messages', () => {
    const [error] = errorsOf(z.strictObject({ a: z.int() }), { a: `\u001b[31m\n\u202e${'x'.repeat(1_000)}` })
    assert.match(error?.message ?? '', /^must be a number; got "\\u001b\[31m\\n\\u202ex+…"$/)
    assert.ok((error?.message.length ?? 0) < 120)
  })

  it('reads what a newer server sends, leaving out what it does not know', () => {
    assert.deepEqual(
      codecOf(thing).read({ ...plain, new_field: 1, one_of_two: { foo_bar: 'x', new_too: 2 } }),
      {
        firstName: 'Ada',
        maybeNull: null,
        manyItems: [],
        byOwnKey: {},
        oneOfTwo: { fooBar: 'x' },
      },
    )
  })

  it('handles a schema that contains itself', () => {
    const tree: z.ZodType<{ nodeName: string; subNodes: unknown[] }> = z.strictObject({
      nodeName: z.string(),
      subNodes: z.array(z.lazy(() => tree)),
    })
    const wire = { node_name: 'a', sub_nodes: [{ node_name: 'b', sub_nodes: [] }] }
    const decoded = codecOf(tree).decode(wire)
    assert.ok(decoded.ok)
    assert.deepEqual(codecOf(tree).encode(decoded.value), wire)
  })

  it('refuses a schema that has no wire form when it is compiled', () => {
    assert.throws(() => codecOf(z.strictObject({ at: z.date() })), /no wire form/)
    assert.throws(() => codecOf(z.string().transform(Number)), /no wire form/)
    assert.throws(() => codecOf(z.strictObject({ aB: z.string(), a_b: z.string() })), /same name/)
  })
})

const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/)
const nodeId = fc.stringMatching(/^[a-z][a-z0-9_]{0,12}$/)
const ownJson = fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.parse(JSON.stringify(value)))
const optional = { requiredKeys: ['name', 'instructions', 'model'] as const }

const someAgent = fc.record(
  {
    name: word,
    instructions: fc.string({ minLength: 1 }),
    model: word.map((name) => `offline/${name}`),
    model_settings: fc.record({ top_p: fc.constant(0.5), provider_options: ownJson }, { requiredKeys: [] }),
    tools: fc.array(word, { maxLength: 3 }),
    output_schema: ownJson,
    guardrails: fc.array(
      fc.record({
        name: word,
        on: fc.constantFrom('input', 'output', 'tool_call'),
        action: fc.constantFrom('block', 'modify'),
        check: fc.oneof(
          fc.record({ type: fc.constant('expression'), when: fc.string({ minLength: 1 }) }),
          fc.record({ type: fc.constant('pattern'), pattern: word, ignore_case: fc.boolean() }),
        ),
      }),
      { maxLength: 3 },
    ),
    limits: fc.record({ max_cost_usd: fc.constant('0.50'), max_steps: fc.constant(3) }, { requiredKeys: [] }),
  },
  { requiredKeys: [...optional.requiredKeys] },
)
const someTool = fc.record(
  {
    name: word,
    description: fc.string(),
    input_schema: ownJson,
    timeout_ms: fc.constant(5),
    implementation: fc.oneof(
      fc.record({ type: fc.constant('code'), name: word }),
      fc.record({ type: fc.constant('builtin'), name: word, config: ownJson }),
      fc.record({
        type: fc.constant('http'),
        method: fc.constantFrom('GET', 'POST'),
        base_url: fc.constant('https://example.com'),
        path: fc.constant('/x'),
        headers: fc.dictionary(fc.stringMatching(/^[A-Za-z_-]{1,10}$/), fc.string()),
      }),
    ),
  },
  { requiredKeys: ['name', 'description', 'implementation'] },
)
const someWorkflow = fc.record(
  {
    name: word,
    input_schema: ownJson,
    nodes: fc.array(
      fc.oneof(
        fc.record({ id: nodeId, type: fc.constant('agent'), agent: word, input: word }),
        fc.record({
          id: nodeId,
          type: fc.constant('transform'),
          value: word,
          after: fc.array(nodeId, { maxLength: 2 }),
        }),
      ),
      { minLength: 1, maxLength: 4 },
    ),
  },
  { requiredKeys: ['name', 'nodes'] },
)

describe('definitions', () => {
  const roundTrip = (schema: z.ZodType, wires: fc.Arbitrary<unknown>) =>
    fc.assert(
      fc.property(wires, (made) => {
        const wire: Json = JSON.parse(JSON.stringify(made))
        const decoded = codecOf(schema).decode(wire)
        assert.ok(decoded.ok, decoded.ok ? '' : JSON.stringify(decoded.errors))
        assert.deepEqual(codecOf(schema).encode(decoded.value), wire)
        assert.deepEqual(codecOf(schema).read(wire), decoded.value)
      }),
    )
  it('of agents survive the way in and out', () => roundTrip(agentDefinition, someAgent))
  it('of tools survive the way in and out', () => roundTrip(toolDefinition, someTool))
  it('of workflows survive the way in and out', () => roundTrip(workflowDefinition, someWorkflow))

  it('never throw, whatever JSON comes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (wire) => {
        for (const schema of [agentDefinition, toolDefinition, workflowDefinition, thing])
          codecOf(schema).decode(wire as Json)
      }),
    )
  })
})
