// Whatever body a client sends, to whatever route: a problem with a code, never a 500. The cases come from the route table.

import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import type { ErrorCode } from '../base/errors.ts'
import { BODY_BYTES_MAX } from '../base/limits.ts'
import { fullPath, type Route } from '../contract/route.ts'
import { ROUTE_LIST } from '../contract/routes.ts'
import { AGENT, type ApiBench, at, isProblem, openApiBench, type SendOptions } from './api-bench.test.ts'

// A body that is taken as it comes is judged by its signature.
const withBody = ROUTE_LIST.filter((route) => route.body && route.body.raw !== true)

/** The path with things that could be there, or with the given text in each place. */
function pathOf(route: Route, text?: string): string {
  return fullPath(route).replace(/\{(\w+)\}/g, (_, name: string) => {
    const param = route.params?.[name]
    return encodeURIComponent(text ?? param?.example ?? '')
  })
}

function deep(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels)
}

forEachDatabase((_, open) => {
  let bench: ApiBench
  before(async () => {
    bench = await openApiBench({ working: false, db: await open() })
    await bench.send('POST', '/api/v1/agents?publish=true', { body: AGENT })
  })
  after(() => bench[Symbol.asyncDispose]())

  const send = (route: Route, options: SendOptions, query = '') =>
    bench.send(route.method, `${pathOf(route)}${query}`, {
      headers: { accept: 'application/json' },
      ...options,
    })

  const bodies: readonly [name: string, options: SendOptions, code: ErrorCode][] = [
    ['not JSON', { text: '{"a":' }, 'request.malformed'],
    ['not UTF-8', { text: new Uint8Array([0x22, 0xff, 0xfe, 0x22]) }, 'request.malformed'],
    ['an array', { body: [] }, 'request.invalid'],
    ['a number', { body: 7 }, 'request.invalid'],
    ['null', { body: null }, 'request.invalid'],
    ['unknown fields', { body: { surely_unknown: 1, tenantId: 'x' } }, 'request.invalid'],
    [
      'mass assignment',
      { body: { tenant_id: 'ten_x', id: 'x', role: 'ADMIN', created_at: 1 } },
      'request.invalid',
    ],
    ['too deep', { text: deep(1_000) }, 'request.malformed'],
    ['far too deep', { text: deep(400_000) }, 'request.malformed'],
    ['too many values', { text: `[${'0,'.repeat(200_000)}0]` }, 'request.malformed'],
    ['__proto__', { text: '{"__proto__":{"admin":true}}' }, 'request.malformed'],
    ['constructor', { text: '{"x":{"constructor":{"prototype":{}}}}' }, 'request.malformed'],
    ['NUL', { text: '{"name":"a\\u0000b"}' }, 'request.malformed'],
    ['a number beyond bounds', { text: '{"limits":{"max_steps":1e999}}' }, 'request.malformed'],
    ['too large', { text: `"${'x'.repeat(BODY_BYTES_MAX)}"` }, 'request.too-large'],
    [
      'another type',
      { text: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      'request.unsupported-media-type',
    ],
    [
      'another charset',
      { text: '{}x', headers: { 'content-type': 'application/json; charset=utf-16' } },
      'request.unsupported-media-type',
    ],
    [
      'compressed',
      { text: 'x', headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } },
      'request.unsupported-media-type',
    ],
  ]
  for (const [name, options, code] of bodies) {
    it(`body: ${name}`, async () => {
      for (const route of withBody) {
        // A page sends a form; what is in this one, no schema knows.
        const isForm = name === 'another type' && route.body?.form === true
        isProblem(await send(route, options), isForm ? 'request.invalid' : code, route.id)
      }
    })
  }

  it('an empty body where one is needed', async () => {
    for (const route of withBody.filter(({ body }) => !body?.optional)) {
      const options = { text: '', headers: { 'content-type': 'application/json' } }
      isProblem(await send(route, options), 'request.malformed', route.id)
    }
  })

  it('a body in chunks is counted as it comes', async () => {
    let sent = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536
        controller.enqueue(new Uint8Array(65_536).fill(0x20))
      },
    })
    const received = await bench.send('POST', '/api/v1/agents', { text: endless })
    isProblem(received, 'request.too-large', 'chunked')
    assert.ok(sent < 2 * BODY_BYTES_MAX)
  })

  it('YAML: read where it is plain, refused where it is not', async () => {
    const yaml = (text: string) =>
      bench.send('POST', '/api/v1/agents', { text, headers: { 'content-type': 'application/yaml' } })
    const made = await yaml(
      'name: from-yaml\ninstructions: |\n  Help.\nmodel: scripted/x\nlimits: {max_steps: 3}\n',
    )
    assert.deepEqual([made.status, at(made.json, 'definition', 'limits', 'max_steps')], [201, 3])
    const bombs = [
      'a: [1, 2\nb: }',
      'a: &a [x]\nb: *a',
      `a: &a [${'x,'.repeat(100)}]\nb: [${'*a,'.repeat(100)}]`,
      '!!js/function "x"',
      'name: !secret x',
      'name: x\nname: y',
      '__proto__: {admin: true}',
      'name: "a\\0b"',
      'limits: {max_steps: .inf}',
      `a: ${'['.repeat(20_000)}`,
      `a: ${deep(2_000)}`,
    ]
    for (const text of bombs) isProblem(await yaml(text), 'request.malformed', text.slice(0, 60))
    isProblem(await yaml('x'.repeat(300_000)), 'request.too-large', 'large')
    isProblem(await yaml('just text'), 'request.invalid', 'text')
    isProblem(await yaml(''), 'request.invalid', 'empty')
    const run = { text: 'input: x', headers: { 'content-type': 'application/yaml' } }
    isProblem(
      await bench.send('POST', '/api/v1/agents/guide/runs', run),
      'request.unsupported-media-type',
      'run',
    )
  })
})
