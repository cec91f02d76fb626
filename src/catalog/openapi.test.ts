import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json, JsonObject } from '../base/json.ts'
import type { OpenApiOptions } from './openapi.ts'
import { importOpenApi } from './openapi.ts'

const SERVER = [{ url: 'https://api.example.com/v1/' }]
const NAMED = { name: 'id', in: 'path', required: true, schema: { type: 'string' } }

describe('importing OpenAPI', () => {
  it('makes an HTTP tool of an operation', () => {
    const { tools, skipped } = importOpenApi(PETS)
    assert.deepEqual(skipped, [])
    assert.deepEqual(
      tools.map(({ name, effect }) => [name, effect]),
      [
        ['listPets', 'read'],
        ['createPet', 'once'],
        ['update-pet', 'idempotent'],
        ['delete_pets_petId', 'idempotent'],
      ],
    )
    assert.deepEqual(tools[0], {
      name: 'listPets',
      description: 'Lists pets.\n\nAll of them.',
      inputSchema: {
        type: 'object',
        properties: {
          filter_tag: { type: 'array', items: { type: 'string' }, description: 'By tag.' },
          'X-Trace': { type: 'string' },
        },
        additionalProperties: false,
      },
      effect: 'read',
      untrusted: true,
      implementation: {
        type: 'http',
        method: 'GET',
        baseUrl: 'https://eu.example.com/v1',
        path: '/pets',
        parameters: [
          {
            property: 'filter_tag',
            name: 'filter[tag]',
            in: 'query',
            style: 'pipeDelimited',
            explode: false,
          },
          { property: 'X-Trace', name: 'X-Trace', in: 'header' },
        ],
      },
    })
    assert.deepEqual(tools[1]?.inputSchema, {
      type: 'object',
      properties: {
        body: {
          type: 'object',
          properties: { name: { type: 'string' }, age: { type: ['integer', 'null'], exclusiveMinimum: 0 } },
          required: ['name'],
        },
      },
      required: ['body'],
      additionalProperties: false,
    })
    assert.deepEqual(tools[1]?.implementation, {
      type: 'http',
      method: 'POST',
      baseUrl: 'https://eu.example.com/v1',
      path: '/pets',
      body: { property: 'body', mediaType: 'application/json; charset=utf-8' },
    })
  })

  it('takes only what is asked for, by id or by method and path', () => {
    const { tools, skipped } = importOpenApi(PETS, { only: ['createPet', 'DELETE /pets/{petId}', 'nothing'] })
    assert.deepEqual(
      tools.map(({ name }) => name),
      ['createPet', 'delete_pets_petId'],
    )
    assert.deepEqual(skipped, [{ operation: 'nothing', reason: 'the document has no such operation' }])
  })

  it('says why an operation does not become a tool', () => {
    const body = (type: string) => ({ requestBody: { required: true, content: { [type]: {} } } })
    const parameter = (more: JsonObject) => ({
      parameters: [{ name: 'p', in: 'query', required: true, schema: {}, ...more }],
    })
    const reasons: readonly [JsonObject, RegExp][] = [
      [body('multipart/form-data'), /body is multipart\/form-data, not JSON/],
      [{ callbacks: { onEvent: {} } }, /calls back/],
      [parameter({ in: 'cookie' }), /"p" is a cookie/],
      [parameter({ style: 'matrix' }), /style "matrix"/],
      [parameter({ in: 'nowhere' }), /no known place/],
      [parameter({ schema: null, content: { 'application/json': {} } }), /media type of its own/],
      [parameter({ schema: { $ref: 'https://evil.example/a.json' } }), /not in this document/],
      [parameter({ schema: { $ref: '../../etc/passwd#/a' } }), /not in this document/],
      [parameter({ schema: { $ref: '#/components/nothing' } }), /which is not there/],
      [parameter({ schema: { $ref: '#/constructor' } }), /which is not there/],
      [parameter({ schema: { $dynamicRef: '#x' } }), /use \$dynamicRef/],
      [parameter({ schema: { type: 'texts' } }), /\/input_schema/],
      [{ parameters: [{ $ref: '#/components/parameters/loop' }] }, /references lead to more references/],
      [parameter({ schema: { $ref: '#/components/schemas/Loop' } }), /references lead to more references/],
    ]
    for (const [operation, reason] of reasons) {
      const components = {
        parameters: { loop: { $ref: '#/components/parameters/loop' } },
        schemas: { Loop: { $ref: '#/components/schemas/Loop' } },
      }
      const { tools, skipped } = importOpenApi({ ...documentOf('post', '/x', operation), components })
      assert.deepEqual(tools, [], String(reason))
      assert.equal(skipped[0]?.operation, 'POST /x')
      assert.match(skipped[0]?.reason ?? '', reason)
    }
    const other = importOpenApi(documentOf('trace', '/x', {}))
    assert.match(other.skipped[0]?.reason ?? '', /do not use the method TRACE/)
    assert.match(importOpenApi(documentOf('get', '/x/{id}', {})).skipped[0]?.reason ?? '', /\{id\}/)
  })

  it('leaves out what need not be sent', () => {
    const operation = {
      parameters: [
        { name: 'p', in: 'cookie', schema: {} },
        { name: 'Authorization', in: 'header', required: true, schema: {} },
        { name: 'unused', in: 'path', required: true, schema: {} },
      ],
      requestBody: { content: { 'text/plain': {} } },
    }
    const [tool] = importOpenApi(documentOf('post', '/x', operation)).tools
    assert.deepEqual(tool?.inputSchema, { type: 'object', properties: {}, additionalProperties: false })
  })

  it('keeps arguments apart that have one name, and the body from both', () => {
    const operation = {
      parameters: [NAMED, { name: 'id', in: 'query', schema: {} }, { name: 'body', in: 'query', schema: {} }],
      requestBody: { content: { 'application/problem+json': { schema: {} } } },
    }
    const [tool] = importOpenApi(documentOf('patch', '/x/{id}', operation)).tools
    assert.deepEqual(Object.keys(tool?.inputSchema?.properties ?? {}), ['id', 'id_2', 'body_2', 'body'])
    assert.deepEqual(tool?.inputSchema?.required, ['id'])
  })

  it('lets an operation replace the parameters of its path', () => {
    const item = { parameters: [NAMED], get: { parameters: [{ ...NAMED, schema: { type: 'integer' } }] } }
    const [tool] = importOpenApi({ openapi: '3.1.0', servers: SERVER, paths: { '/x/{id}': item } }).tools
    assert.deepEqual(tool?.inputSchema?.properties, { id: { type: 'integer' } })
  })

  it('makes unique names that models take', () => {
    const ids = ['a b', 'a_b', 'A_B', '1st', '', 'ü', 'x'.repeat(100), 'x'.repeat(99)]
    const paths = Object.fromEntries(
      ids.map((operationId, index) => [`/p${index}`, { get: { operationId } }]),
    )
    const names = importOpenApi({ openapi: '3.1.0', servers: SERVER, paths }).tools.map(({ name }) => name)
    assert.deepEqual(names, [
      'a_b',
      'a_b_2',
      'A_B_3',
      'op_1st',
      'get_p4',
      'get_p5',
      'x'.repeat(64),
      `${'x'.repeat(62)}_2`,
    ])
  })
})

describe('the server of an operation', () => {
  const urlOf = (servers: Json | undefined, options?: OpenApiOptions) => {
    const { tools, skipped } = importOpenApi(
      { openapi: '3.1.0', paths: { '/x': { get: {} } }, ...(servers !== undefined && { servers }) },
      options,
    )
    const [tool] = tools
    return tool?.implementation.type === 'http' ? tool.implementation.baseUrl : skipped[0]?.reason
  }

  it('is the first one, with its variables and relative to where the document is from', () => {
    const baseUrl = 'https://example.com/api/openapi.json'
    assert.equal(urlOf(SERVER), 'https://api.example.com/v1')
    assert.equal(urlOf([{ url: '/v2' }], { baseUrl }), 'https://example.com/v2')
    assert.equal(urlOf([{ url: './v2' }], { baseUrl }), 'https://example.com/api/v2')
    assert.equal(urlOf(undefined, { baseUrl: 'https://example.com/api/' }), 'https://example.com/api')
  })

  it('is needed', () => {
    for (const servers of [
      undefined,
      [],
      [{ url: '/v1' }],
      [{ url: 'file:///etc/passwd' }],
      [{ url: 'javascript:alert(1)' }],
      [null],
    ]) {
      assert.match(urlOf(servers) ?? '', /no http or https address/)
    }
    assert.match(urlOf([{ url: 'https://{host}/' }]) ?? '', /\{host\}, which has no default/)
    assert.match(urlOf([{ url: 'https://me:secret@example.com' }]) ?? '', /must not hold a user/)
  })
})

function documentOf(method: string, path: string, operation: JsonObject): JsonObject {
  return { openapi: '3.1.0', servers: SERVER, paths: { [path]: { [method]: operation } } }
}

const PETS: JsonObject = {
  openapi: '3.0.3',
  servers: [{ url: 'https://{region}.example.com/v1', variables: { region: { default: 'eu' } } }],
  paths: {
    '/pets': {
      get: {
        operationId: 'listPets',
        summary: 'Lists pets.',
        description: 'All of them.',
        parameters: [
          {
            name: 'filter[tag]',
            in: 'query',
            description: 'By tag.',
            style: 'pipeDelimited',
            explode: false,
            schema: { type: 'array', items: { type: 'string' } },
          },
          { $ref: '#/components/parameters/Trace' },
        ],
      },
      post: { operationId: 'createPet', requestBody: { $ref: '#/components/requestBodies/Pet' } },
    },
    '/pets/{petId}': {
      parameters: [{ name: 'petId', in: 'path', required: true, schema: { type: 'integer' } }],
      put: { operationId: 'update-pet', requestBody: { $ref: '#/components/requestBodies/Pet' } },
      delete: { description: 'Deletes it.' },
    },
  },
  components: {
    parameters: { Trace: { name: 'X-Trace', in: 'header', schema: { type: 'string' } } },
    requestBodies: {
      Pet: {
        required: true,
        content: { 'application/json; charset=utf-8': { schema: { $ref: '#/components/schemas/Pet' } } },
      },
    },
    schemas: {
      Pet: {
        type: 'object',
        required: ['id', 'name'],
        properties: {
          id: { type: 'integer', readOnly: true },
          name: { type: 'string' },
          age: { type: 'integer', nullable: true, minimum: 0, exclusiveMinimum: true },
        },
      },
    },
  },
}
