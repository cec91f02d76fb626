// What definitions mean: each rule with a definition that breaks it, and one that does not.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FieldError } from '../../base/errors.ts'
import type { Guardrail } from '../../contract/agent.ts'
import type { HttpImplementation } from '../../contract/tool.ts'
import { agent, CHECKS, tool } from '../catalog-bench.test.ts'
import { agentErrors } from './agent-check.ts'
import { toolErrors } from './tool-check.ts'

const paths = (errors: readonly FieldError[]) => errors.map(({ path }) => path)

describe('an agent', () => {
  const check = (more: Parameters<typeof agent>[1]) => paths(agentErrors(CHECKS, agent('guide', more)))

  it('may use everything that makes sense', () => {
    const guardrails: Guardrail[] = [
      {
        name: 'a',
        on: 'input',
        check: { type: 'expression', when: 'text.size() > 100' },
        action: 'block',
        message: 'Too long.',
      },
      {
        name: 'b',
        on: 'tool_call',
        check: { type: 'expression', when: 'tool == "mail" && arguments.to != ""' },
        action: 'block',
      },
      {
        name: 'c',
        on: 'output',
        check: { type: 'pattern', pattern: '\\d{16}' },
        action: 'modify',
        replacement: '[card]',
      },
      { name: 'd', on: 'tool_call', check: { type: 'code', name: 'check' }, action: 'modify' },
    ]
    assert.deepEqual(
      check({ tools: ['a', 'b'], subAgents: ['c'], outputSchema: { type: 'string' }, guardrails }),
      [],
    )
  })

  it('names models that can be called', () => {
    assert.deepEqual(check({ model: 'openai/x', fallbackModels: ['offline/extractive', 'openai/y'] }), [
      '/model',
      '/fallback_models/1',
    ])
  })

  it('names each tool and sub-agent once, as the model sees one list', () => {
    assert.deepEqual(check({ tools: ['a', 'b', 'a'], subAgents: ['b', 'c', 'c'] }), [
      '/tools/2',
      '/sub_agents/0',
      '/sub_agents/2',
    ])
  })

  it('has a schema that is one', () => {
    assert.deepEqual(check({ outputSchema: { type: 'object', properties: { a: { type: 'text' } } } }), [
      '/output_schema/properties/a/type',
    ])
  })

  it('has guardrails that compile, are safe, and can do what they say', () => {
    const rail = (more: Partial<Guardrail>): Guardrail => ({
      name: 'rail',
      on: 'input',
      check: { type: 'pattern', pattern: 'a' },
      action: 'block',
      ...more,
    })
    const one = (more: Partial<Guardrail>) => check({ guardrails: [rail(more)] })
    assert.deepEqual(one({ check: { type: 'expression', when: 'text ==' } }), ['/guardrails/0/check/when'])
    assert.deepEqual(one({ check: { type: 'expression', when: 'tool == "a"' } }), [
      '/guardrails/0/check/when',
    ])
    assert.deepEqual(one({ on: 'tool_call', check: { type: 'expression', when: 'text == "a"' } }), [
      '/guardrails/0/check/when',
    ])
    assert.deepEqual(one({ check: { type: 'pattern', pattern: '(a+)+$' } }), ['/guardrails/0/check/pattern'])
    assert.deepEqual(one({ check: { type: 'pattern', pattern: '(' } }), ['/guardrails/0/check/pattern'])
    assert.deepEqual(one({ check: { type: 'expression', when: 'true' }, action: 'modify' }), [
      '/guardrails/0/action',
    ])
    assert.deepEqual(one({ replacement: 'x' }), ['/guardrails/0/replacement'])
    assert.deepEqual(one({ check: { type: 'code', name: 'c' }, action: 'modify', replacement: 'x' }), [
      '/guardrails/0/replacement',
    ])
    assert.deepEqual(check({ guardrails: [rail({}), rail({})] }), ['/guardrails/1/name'])
  })
})

describe('a tool', () => {
  const http: HttpImplementation = {
    type: 'http',
    method: 'POST',
    baseUrl: 'https://api.example.com/v1',
    path: '/pets/{id}',
  }
  const parameter = (name: string, place: 'path' | 'query' | 'header') => ({
    property: name,
    name,
    in: place,
  })
  const schema = { type: 'object', properties: { id: {}, q: {}, body: {} } }
  const check = (more: Parameters<typeof tool>[1]) => paths(toolErrors(CHECKS, tool('pets', more)))
  const checkHttp = (more: Partial<HttpImplementation>) =>
    check({
      inputSchema: schema,
      implementation: { ...http, parameters: [parameter('id', 'path')], ...more },
    })

  it('has arguments that are an object', () => {
    assert.deepEqual(check({ inputSchema: { type: 'object' } }), [])
    assert.deepEqual(check({ inputSchema: { type: 'string' } }), ['/input_schema/type'])
    assert.deepEqual(check({ inputSchema: {} }), ['/input_schema/type'])
    assert.deepEqual(check({ inputSchema: { type: 7 }, outputSchema: { $ref: 'https://x.example' } }), [
      '/input_schema/type',
      '/output_schema/$ref',
    ])
  })

  it('tries a call with an effect once', () => {
    assert.deepEqual(check({ effect: 'once', maxAttempts: 2 }), ['/max_attempts'])
    assert.deepEqual(check({ effect: 'once', maxAttempts: 1 }), [])
    assert.deepEqual(check({ effect: 'idempotent', maxAttempts: 3 }), [])
  })

  it('has a path, parameters and a body that fit together', () => {
    const at = (path: string) => `/implementation${path}`
    assert.deepEqual(checkHttp({ body: { property: 'body', mediaType: 'application/json' } }), [])
    assert.deepEqual(checkHttp({ parameters: [] }), [at('/path')])
    assert.deepEqual(checkHttp({ path: '/pets' }), [at('/parameters/0/name')])
    assert.deepEqual(checkHttp({ path: 'pets/{id}' }), [at('/path')])
    assert.deepEqual(checkHttp({ path: '/pets/{id}?a=1' }), [at('/path')])
    assert.deepEqual(checkHttp({ parameters: [parameter('id', 'path'), parameter('id', 'path')] }), [
      at('/parameters/1/name'),
    ])
    assert.deepEqual(checkHttp({ parameters: [parameter('id', 'path'), parameter('toString', 'query')] }), [
      at('/parameters/1/property'),
    ])
    assert.deepEqual(checkHttp({ body: { property: 'nothing', mediaType: 'application/json' } }), [
      at('/body/property'),
    ])
    assert.deepEqual(
      checkHttp({ method: 'GET', body: { property: 'body', mediaType: 'application/json' } }),
      [at('/body')],
    )
  })

  it('has an address without secrets, and headers that end where they end', () => {
    const at = (path: string) => `/implementation${path}`
    assert.deepEqual(checkHttp({ baseUrl: `https://${'user:pass'}@api.example.com` }), [at('/base_url')])
    assert.deepEqual(checkHttp({ baseUrl: 'https://api.example.com/?key=1' }), [at('/base_url')])
    assert.deepEqual(checkHttp({ headers: { 'X-Key': 'a', accept: 'text/plain; q=1' } }), [])
    assert.deepEqual(checkHttp({ headers: { 'X-Key': 'a\r\nHost: evil' } }), [at('/headers/X-Key')])
    assert.deepEqual(checkHttp({ headers: { 'a/b c': 'x' } }), [at('/headers/a~1b c')])
  })
})
