import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json, JsonObject } from '../../base/json.ts'
import { compileSchema } from '../../base/json-schema.ts'
import { importOpenApi } from '../openapi.ts'

describe('schemas of a document', () => {
  const written = (openapi: string, schema: Json, schemas: JsonObject = {}) => {
    const operation = { requestBody: { required: true, content: { 'application/json': { schema } } } }
    const result = importOpenApi({ ...documentOf('post', '/x', operation), openapi, components: { schemas } })
    const [tool] = result.tools
    if (tool === undefined) return result.skipped[0]?.reason
    const { properties, $defs } = tool.inputSchema as { properties: JsonObject; $defs?: JsonObject }
    return $defs === undefined ? properties.body : { ...(properties.body as JsonObject), $defs }
  }

  it('of 3.0 become 2020-12', () => {
    const convert = (schema: Json, schemas?: JsonObject) => written('3.0.3', schema, schemas)
    assert.deepEqual(convert({ type: 'string', nullable: true, enum: ['a'] }), {
      type: ['string', 'null'],
      enum: ['a', null],
    })
    assert.deepEqual(
      convert({ nullable: true, allOf: [{ $ref: '#/components/schemas/A' }] }, { A: { type: 'string' } }),
      {
        anyOf: [{ allOf: [{ type: 'string' }] }, { type: 'null' }],
      },
    )
    assert.deepEqual(
      convert({ type: 'number', minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false }),
      {
        type: 'number',
        maximum: 9,
        exclusiveMinimum: 1,
      },
    )
    const beside = { $ref: '#/components/schemas/A', description: 'Ignored.' }
    assert.deepEqual(convert(beside, { A: { type: 'string' } }), { type: 'string' })
  })

  it('of 3.1 keep what stands beside a reference', () => {
    const convert = (beside: JsonObject) =>
      written('3.1.0', { $ref: '#/components/schemas/A', ...beside }, { A: { type: 'string', title: 'A' } })
    assert.deepEqual(convert({ description: 'This one.' }), {
      type: 'string',
      title: 'A',
      description: 'This one.',
    })
    assert.deepEqual(convert({ minLength: 2 }), { minLength: 2, allOf: [{ type: 'string', title: 'A' }] })
  })

  it('lose what says nothing to a model, and what only the server sets', () => {
    const schema = {
      type: 'object',
      properties: {
        id: { type: 'integer', readOnly: true },
        name: { type: 'string', example: 'x', xml: {}, 'x-mine': 1 },
      },
      required: ['id', 'name'],
      discriminator: { propertyName: 'name' },
    }
    assert.deepEqual(written('3.1.0', schema), {
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
    })
  })

  it('that contain themselves stand under $defs once', () => {
    const schemas = {
      Tree: {
        type: 'object',
        properties: {
          value: { type: 'string' },
          children: { type: 'array', items: { $ref: '#/components/schemas/Tree' } },
        },
      },
    }
    const result = written('3.1.0', { $ref: '#/components/schemas/Tree' }, schemas)
    const tree = {
      type: 'object',
      properties: { value: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/Tree' } } },
    }
    assert.deepEqual(result, { ...tree, $defs: { Tree: tree } })
    const validate = compileSchema(result as Json)
    assert.deepEqual(validate({ value: 'a', children: [{ value: 'b' }] }), [])
    assert.equal(validate({ value: 'a', children: [{ children: [{ value: 7 }] }] }).length, 1)
  })

  it('stop at their limits', () => {
    const levels = 25
    const doubling = Object.fromEntries(
      Array.from({ length: levels }, (_, index) => {
        const next = { $ref: `#/components/schemas/S${index + 1}` }
        return [`S${index}`, index === levels - 1 ? {} : { properties: { a: next, b: next } }]
      }),
    )
    assert.match(
      String(written('3.1.0', { $ref: '#/components/schemas/S0' }, doubling)),
      /more than \d+ parts|deeper than \d+ levels/,
    )
    const wide = { anyOf: Array.from({ length: 2_000 }, () => ({})) }
    assert.match(String(written('3.1.0', wide)), /more than \d+ parts/)
    let deep: JsonObject = {}
    for (let level = 0; level < 5_000; level++) deep = { items: deep }
    assert.match(String(written('3.1.0', deep)), /deeper than \d+ levels/)
  })
})

function documentOf(method: string, path: string, operation: JsonObject): JsonObject {
  return {
    openapi: '3.1.0',
    servers: [{ url: 'https://api.example.com' }],
    paths: { [path]: { [method]: operation } },
  }
}
