import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type SchemaDraft, Validator } from '@cfworker/json-schema'
import fc from 'fast-check'
import { isAppError } from './errors.ts'
import type { Json, JsonObject } from './json.ts'
import { checkSchema, compileSchema } from './json-schema.ts'

const ORDER: JsonObject = {
  type: 'object',
  properties: {
    id: { type: 'string', pattern: '^ORD-[0-9]+$' },
    amount: { type: 'number', exclusiveMinimum: 0, multipleOf: 0.01 },
    status: { enum: ['open', 'paid'] },
    placed_at: { type: 'string', format: 'date-time' },
    lines: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { type: 'object', properties: { sku: { type: 'string', minLength: 2 } }, required: ['sku'] },
    },
  },
  required: ['id', 'amount'],
  additionalProperties: false,
}

describe('compileSchema', () => {
  const errorsOf = (schema: Json, value: Json) =>
    compileSchema(schema)(value).map((e) => `${e.path} ${e.message}`)

  it('accepts a right value', () => {
    const value = { id: 'ORD-7', amount: 19.99, placed_at: '2026-01-31T10:00:00Z', lines: [{ sku: 'ab' }] }
    assert.deepEqual(errorsOf(ORDER, value), [])
  })

  it('names every wrong field at once: where, what is allowed, what was found', () => {
    const value = {
      id: 7,
      amount: -0.005,
      status: 'lost',
      placed_at: 'today',
      lines: [{ sku: 'a' }, {}],
      'x/y': 1,
    }
    assert.deepEqual(errorsOf(ORDER, value), [
      '/id must be a string, got 7',
      '/amount must be more than 0, got -0.005',
      '/amount must be a multiple of 0.01, got -0.005',
      '/status must be one of "open", "paid"; got "lost"',
      '/placed_at must have the format date-time, such as 2026-01-31T13:45:00Z; got "today"',
      '/lines/0/sku must have at least 2 characters, has 1',
      '/lines/1/sku is required',
      '/x~1y is not allowed here; id, amount, status, placed_at, lines are',
    ])
    assert.deepEqual(errorsOf(ORDER, []), [' must be an object, got a list of 0 items'])
    assert.deepEqual(errorsOf(ORDER, { amount: 1 }), ['/id is required'])
  })

  it('shows only the findings of the alternative that is meant', () => {
    const pet = {
      oneOf: [
        { properties: { kind: { const: 'cat' }, lives: { type: 'integer' } }, required: ['kind', 'lives'] },
        { properties: { kind: { const: 'dog' }, name: { type: 'string' } }, required: ['kind', 'name'] },
      ],
    }
    assert.deepEqual(errorsOf(pet, { kind: 'dog', name: 1 }), ['/name must be a string, got 1'])
    assert.match(
      errorsOf(pet, { kind: 'cow' })[0] ?? '',
      /one of 2 forms, but has none: \(1\) .*kind must be "cat"/,
    )
    const either = { anyOf: [{ type: 'string' }, { type: 'null' }] }
    assert.match(errorsOf(either, 5)[0] ?? '', /\(1\) must be a string, got 5; \(2\) must be null, got 5/)
  })

  it('shortens long values and lists', () => {
    const [message = ''] = errorsOf({ type: 'number' }, 'x'.repeat(10_000))
    assert.ok(message.length < 100)
    assert.equal(
      errorsOf(
        { items: { type: 'string' } },
        Array.from({ length: 1_000 }, () => 1),
      ).length,
      50,
    )
  })

  it('follows references, also in circles through the value', () => {
    const tree = {
      $ref: '#/$defs/node',
      $defs: { node: { type: 'object', properties: { children: { items: { $ref: '#/$defs/node' } } } } },
    }
    assert.deepEqual(errorsOf(tree, { children: [{ children: [] }, 5] }), [
      '/children/1 must be an object, got 5',
    ])
  })

  it('looks at what schemas inside have evaluated, and not at what schemas beside have', () => {
    const closed = {
      allOf: [{ properties: { a: true } }],
      properties: { b: true },
      unevaluatedProperties: false,
    }
    assert.deepEqual(errorsOf(closed, { a: 1, b: 2 }), [])
    assert.equal(errorsOf(closed, { c: 1 }).length, 1)
    const cousins = { allOf: [{ properties: { a: true } }, { unevaluatedProperties: false }] }
    assert.equal(errorsOf(cousins, { a: 1 }).length, 1)
  })

  it('compiles a schema object once, and leaves it as it was', () => {
    const schema = Object.freeze({ type: 'string', format: 'email' })
    assert.equal(compileSchema(schema), compileSchema(schema))
    assert.deepEqual(Object.getOwnPropertyNames(schema), ['type', 'format'])
  })

  it('throws definition.invalid for a wrong schema', () => {
    assert.throws(
      () => compileSchema({ type: 'text' }),
      (error) => isAppError(error, 'definition.invalid') && error.errors[0]?.path === '/type',
    )
  })

  it('reports a text that the matcher refuses', () => {
    const compilePattern = () => (text: string) => {
      if (text.length > 5) throw new Error('too long')
      return true
    }
    const validate = compileSchema({ pattern: 'a' }, { compilePattern })
    assert.deepEqual(validate('123456'), [
      { path: '', message: 'must match the pattern a, but is too long to be compared with it' },
    ])
  })

  it('agrees with an independent implementation', () => {
    const { schema } = fc.letrec<{ schema: JsonObject }>((tie) => {
      const inner = fc.oneof({ maxDepth: 3, depthSize: 'xsmall' }, fc.boolean(), tie('schema'))
      const integer = fc.integer({ min: 0, max: 3 })
      return {
        schema: fc.record(
          {
            type: fc.constantFrom('string', 'integer', 'number', 'object', 'array', 'null', [
              'string',
              'null',
            ]),
            enum: fc.array(fc.constantFrom(1, 'a', null, [1], { a: 1 }), { minLength: 1, maxLength: 3 }),
            minimum: integer,
            maxLength: integer,
            pattern: fc.constantFrom('^a', 'b$'),
            properties: fc.dictionary(fc.constantFrom('a', 'b'), inner, { maxKeys: 2 }),
            required: fc.uniqueArray(fc.constantFrom('a', 'b')),
            additionalProperties: fc.oneof(inner, fc.boolean()),
            items: inner,
            prefixItems: fc.array(inner, { minLength: 1, maxLength: 2 }),
            minItems: integer,
            uniqueItems: fc.boolean(),
            anyOf: fc.array(inner, { minLength: 1, maxLength: 2 }),
            oneOf: fc.array(inner, { minLength: 1, maxLength: 2 }),
            allOf: fc.array(inner, { minLength: 1, maxLength: 2 }),
            not: inner,
            if: inner,
            else: inner,
          },
          { requiredKeys: [], noNullPrototype: true },
        ) as fc.Arbitrary<JsonObject>,
      }
    })
    const leaf = fc.constantFrom<Json>(0, 1, 2.5, 'a', 'ab', '', null, true)
    const value = fc.oneof(
      leaf,
      fc.array(fc.oneof(leaf, fc.array(leaf, { maxLength: 2 })), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), leaf, { maxKeys: 3, noNullPrototype: true }),
    )
    fc.assert(
      fc.property(schema, value, (drawn, instance) => {
        const draft: SchemaDraft = '2020-12'
        const theirs = new Validator(structuredClone(drawn), draft).validate(instance)
        assert.equal(compileSchema(drawn)(instance).length === 0, theirs.valid)
      }),
      { numRuns: 500 },
    )
  })
})

describe('limits of schemas', () => {
  const within = (limitMs: number, run: () => void) => {
    const started = performance.now()
    run()
    assert.ok(performance.now() - started < limitMs)
  }
  const tooMuch = (schema: Json, value: Json) =>
    within(5_000, () => assert.match(compileSchema(schema)(value)[0]?.message ?? '', /too large or too deep/))

  it('stops references that multiply', () => {
    const names = Array.from({ length: 30 }, (_, index) => `d${index}`)
    const defs = Object.fromEntries(
      names.map((name, index) => {
        const ref = { $ref: `#/$defs/${names[index + 1] ?? 'end'}` }
        return [name, { allOf: [ref, ref] }]
      }),
    )
    tooMuch({ $ref: '#/$defs/d0', $defs: { ...defs, end: { type: 'string' } } }, 'x')
  })

  it('stops on a value that is very deep or very long', () => {
    let deep: Json = 1
    for (let i = 0; i < 5_000; i++) deep = [deep]
    tooMuch({ $ref: '#/$defs/list', $defs: { list: { items: { $ref: '#/$defs/list' } } } }, deep)
    tooMuch(
      { items: { type: 'number' } },
      Array.from({ length: 300_000 }, () => 1),
    )
  })

  it('finds doubles in long lists without comparing each with each', () => {
    const long = Array.from({ length: 60_000 }, (_, index) => ({ index }))
    within(5_000, () => assert.deepEqual(compileSchema({ uniqueItems: true })(long), []))
  })
})

describe('checkSchema', () => {
  const WRONG: readonly (readonly [string, Json, RegExp])[] = [
    ['a text', 'string', /^ must be a schema/],
    ['an unknown type', { type: 'text' }, /^\/type must be one of array/],
    ['a number as a limit of another kind', { minLength: -1 }, /^\/minLength must be a whole number/],
    ['items as a list', { items: [{}] }, /^\/items must be a schema.*prefixItems/],
    ['properties as a list', { properties: [] }, /^\/properties must be an object/],
    ['required with doubles', { required: ['a', 'a'] }, /^\/required must be a list of different names/],
    ['an empty anyOf', { anyOf: [] }, /^\/anyOf must be a list of at least one schema/],
    ['draft 4 limits', { exclusiveMinimum: true }, /^\/exclusiveMinimum must be a number/],
    ['another dialect', { $schema: 'http://json-schema.org/draft-07/schema#' }, /^\/\$schema must be/],
    [
      'a reference to the network',
      { $ref: 'https://example.com/schema' },
      /^\/\$ref must be # or begin with #/,
    ],
    ['a reference to a file', { $ref: 'file:///etc/passwd' }, /^\/\$ref must be/],
    ['a reference to nothing', { $ref: '#/$defs/missing' }, /^\/\$ref must be/],
    ['a reference to a prototype', { $ref: '#/constructor' }, /^\/\$ref must be/],
    ['a reference to no schema', { $ref: '#/properties', properties: {} }, /^\/\$ref must point to a schema/],
    ['a dynamic reference', { $dynamicRef: '#x' }, /^\/\$dynamicRef is not supported/],
    ['an id inside', { properties: { a: { $id: 'x' } } }, /^\/properties\/a\/\$id is only allowed/],
    ['a reference to itself', { $ref: '#' }, /^ leads back to itself/],
    [
      'a circle',
      { $ref: '#/$defs/a', $defs: { a: { anyOf: [{ $ref: '#/$defs/a' }] } } },
      /leads back to itself/,
    ],
    ['a wrong pattern', { pattern: '(' }, /^\/pattern must be a safe regular expression/],
    [
      'a wrong pattern of names',
      { patternProperties: { '(': {} } },
      /^\/patternProperties\/\( must be a safe/,
    ],
  ]
  for (const [what, schema, expected] of WRONG) {
    it(`refuses ${what}`, () => {
      const [first] = checkSchema(schema)
      assert.match(`${first?.path} ${first?.message}`, expected)
    })
  }

  it('asks for the judgement of patterns', () => {
    const errors = checkSchema({ pattern: '(a+)+' }, () => 'it is catastrophic')
    assert.deepEqual(errors, [
      { path: '/pattern', message: 'must be a safe regular expression: it is catastrophic' },
    ])
  })

  it('accepts references, unknown keywords and a value named like a keyword', () => {
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: 'https://example.com/order',
      'x-note': 'free',
      properties: {
        type: { $ref: '#/$defs/a~1b' },
        items: { default: [1] },
        enum: { const: { type: 'text' } },
      },
      $defs: { 'a/b': { type: ['string', 'null'] } },
    }
    assert.deepEqual(checkSchema(schema), [])
  })

  it('refuses schemas that are too deep or too large', () => {
    let deep: Json = { type: 'string' }
    for (let i = 0; i < 40; i++) deep = { properties: { a: deep } }
    assert.match(checkSchema(deep)[0]?.message ?? '', /nested deeper/)
    const wide = { anyOf: Array.from({ length: 3_000 }, () => ({})) }
    assert.match(checkSchema(wide)[0]?.message ?? '', /at most 2000 subschemas/)
  })
})
