import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isAppError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import { toolDefinition } from '../../contract/tool.ts'
import { CHECKS } from '../catalog-bench.test.ts'
import { toolErrors } from '../check/tool-check.ts'
import { importOpenApi } from '../openapi.ts'

describe('what is no document', () => {
  it('is refused by its name', () => {
    for (const document of [
      null,
      [],
      'openapi',
      {},
      { openapi: 3.1 },
      { openapi: '2.0' },
      { openapi: '4.0.0' },
    ]) {
      assert.throws(
        () => importOpenApi(document),
        (error) => isAppError(error, 'definition.invalid'),
      )
    }
    assert.throws(() => importOpenApi({ swagger: '2.0' }), /Swagger 2.0: convert it first/)
  })

  it('never breaks the import, and what comes out the catalog takes', () => {
    const keys = [
      'get',
      'post',
      'parameters',
      'requestBody',
      'content',
      'application/json',
      'schema',
      '$ref',
      'type',
      'properties',
      'name',
      'in',
      'required',
      'servers',
      'url',
      '__proto__',
      '/a/{b}',
    ]
    const values = [
      '#/paths',
      '#',
      '#/',
      '#/paths/~1a~1{b}',
      'query',
      'path',
      'b',
      'object',
      'string',
      'https://x.example',
      true,
      null,
      1,
    ]
    const { node } = fc.letrec<{ node: Json }>((tie) => ({
      node: fc.oneof(
        { depthSize: 'medium', withCrossShrink: true },
        fc.constantFrom<Json>(...values),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...keys), tie('node'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }))
    const operation = fc.record({ parameters: node, requestBody: node, servers: node }, { requiredKeys: [] })
    fc.assert(
      fc.property(fc.constantFrom('3.0.0', '3.1.0'), operation, node, (openapi, get, schemas) => {
        const document = {
          openapi,
          servers: [{ url: 'https://api.example.com' }],
          paths: { '/a/{b}': { get, post: get }, '/a': get },
          components: { schemas },
        }
        for (const tool of importOpenApi(document as Json).tools) {
          assert.deepEqual(toolErrors(CHECKS, toolDefinition.parse(tool)), [])
        }
      }),
      { numRuns: 500 },
    )
    assert.equal(Reflect.get({}, 'get'), undefined)
  })
})
