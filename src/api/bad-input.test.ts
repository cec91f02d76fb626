// Whatever a client sends, to whatever route: a problem with a code, never a 500. The cases come from the route table.

import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { newId } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import { EXAMPLE_BODIES } from '../contract/openapi/examples.ts'
import { fullPath, type Route } from '../contract/route.ts'
import { ROUTE_LIST } from '../contract/routes.ts'
import { AGENT, type ApiBench, at, isProblem, openApiBench, type SendOptions } from './api-bench.test.ts'
import { encodeCursor } from './cursor.ts'

const guarded = ROUTE_LIST.filter(({ permission }) => permission !== 'public')
const withBody = ROUTE_LIST.filter((route) => route.body)
const withParams = guarded.filter((route) => route.params)
const withCursor = ROUTE_LIST.filter((route) => route.query && 'cursor' in route.query.shape)

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

  it('each field of each example with a wrong type', async () => {
    for (const route of withBody) {
      const example = EXAMPLE_BODIES[route.id]
      if (typeof example !== 'object' || example === null) continue
      for (const field of Object.keys(example)) {
        // Any JSON is right there.
        if (['sendEvent data', 'startWorkflow input'].includes(`${route.id} ${field}`)) continue
        const right = at(example, field)
        const wrong: Json = typeof right === 'object' ? 'text' : field === 'input' ? [1] : { not: ['this'] }
        const received = await send(route, { body: { ...example, [field]: wrong } })
        // Any JSON is right there, or its form is looked at later.
        const takesAny = ['testTool', 'importTools document', 'decideEarly arguments']
        if (takesAny.some((one) => `${route.id} ${field}`.startsWith(one))) {
          assert.ok(received.status >= 400 && received.status < 500, `${route.id} ${field}: ${received.text}`)
          continue
        }
        isProblem(received, 'request.invalid', `${route.id} ${field}`)
        assert.match(JSON.stringify(at(received.json, 'errors')), new RegExp(`"path":"/${field}`), route.id)
      }
    }
  })

  it('unknown, malformed and hostile names in paths', async () => {
    const names = [
      'nobody',
      'x'.repeat(2_000),
      "a' or 1=1 --",

      'a\u0000b',
      'a/b',
      '%',
      'ünï',
      '-1',
      '1e9',
      '__proto__',
    ]
    for (const route of withParams) {
      const body = EXAMPLE_BODIES[route.id]
      for (const name of names) {
        const received = await bench.send(route.method, `${pathOf(route, name)}${required(route)}`, { body })
        const told = `${route.id} ${name}: ${received.status} ${received.text.slice(0, 200)}`
        assert.equal(received.status, 404, told)
        assert.match(String(at(received.json, 'code')), /\.not-found$/, told)
      }
    }
  })

  it('well-formed ids of nothing', async () => {
    for (const route of withParams) {
      const path = fullPath(route).replace(/\{(\w+)\}/g, (_, name: string) => {
        const example = route.params?.[name]?.example ?? ''
        const prefix = /^([a-z]{3})_/.exec(example)?.[1]
        return prefix ? `${prefix}_${newId('run').slice(4)}` : name === 'version' ? '7' : 'nobody'
      })
      const received = await bench.send(route.method, `${path}${required(route)}`, {
        body: EXAMPLE_BODIES[route.id],
      })
      assert.equal(received.status, 404, `${route.id}: ${received.text}`)
    }
  })

  it('queries: unknown, repeated and wrong parameters', async () => {
    for (const route of guarded) {
      const body = route.body ? EXAMPLE_BODIES[route.id] : undefined
      isProblem(await send(route, { body }, '?surely_unknown=1'), 'request.invalid', route.id)
      isProblem(await send(route, { body }, '?__proto__=1'), 'request.invalid', route.id)
    }
    for (const route of withCursor) {
      for (const query of [
        'limit=0',
        'limit=201',
        'limit=-1',
        'limit=1.5',
        'limit=x',
        'limit=',
        'limit=1&limit=2',
        'limit=1e2',
        'cursor=',
      ]) {
        isProblem(await send(route, {}, `?${query}`), 'request.invalid', `${route.id} ${query}`)
      }
    }
  })

  it('cursors: broken, of another list, of another tenant', async () => {
    const { tenantId } = bench.ada
    const cursors = [
      'x',
      '%00',
      'e30',
      encodeCursor('another', tenantId, '1'),
      Buffer.from('{"l":["agents"],"t":1,"p":null}').toString('base64url'),
      Buffer.from(deep(5_000)).toString('base64url').slice(0, 999),
    ]
    for (const route of withCursor.filter(({ params }) => !params)) {
      for (const cursor of cursors)
        isProblem(await send(route, {}, `?cursor=${cursor}`), 'cursor.invalid', `${route.id} ${cursor}`)
      const foreign = encodeCursor(route.tag, newId('tenant'), '1')
      isProblem(await send(route, {}, `?cursor=${foreign}`), 'cursor.invalid', route.id)
      // The right list and tenant, and a place that no page gave.
      const forged = encodeCursor(route.tag, tenantId, "'; drop table runs; --")
      const received = await send(route, {}, `?cursor=${forged}`)
      assert.ok(received.status < 500, `${route.id}: ${received.text}`)
    }
  })

  it('credentials: none, of another form, unknown', async () => {
    for (const route of guarded) {
      isProblem(await send(route, { key: null }), 'auth.missing', route.id)
      isProblem(await send(route, { headers: { authorization: 'Basic YTpi' } }), 'auth.missing', route.id)
      isProblem(await send(route, { key: 'af_nothing' }), 'auth.invalid', route.id)
    }
  })

  it('permissions: none of them opens nothing but who one is', async () => {
    const { key } = await bench.account({ tenantId: bench.ada.tenantId, permissions: [] })
    for (const route of guarded.filter(({ permission }) => permission !== 'authenticated')) {
      isProblem(await send(route, { key, body: EXAMPLE_BODIES[route.id] }), 'access.denied', route.id)
    }
  })

  it('headers: keys and event ids of another form', async () => {
    for (const route of ROUTE_LIST.filter(({ idempotent }) => idempotent)) {
      for (const key of ['', 'ä', 'x'.repeat(256), 'a b']) {
        const headers = { 'idempotency-key': key, 'content-type': 'application/json' }
        isProblem(
          await send(route, { body: EXAMPLE_BODIES[route.id], headers }),
          'request.invalid',
          `${route.id} ${key}`,
        )
      }
    }
  })

  it('texts that are half a character, and every other odd one', async () => {
    const odd = [
      '\\ud800',
      '\\udfff\\ud800',
      '\\uffff',
      '\\u202e',
      '\\u001b[31m',
      '\\ud83d\\ude00',
      "'; --",
      '%s%n',
      '\\\\',
    ]
    for (const text of odd) {
      const bodies: readonly [path: string, body: string][] = [
        ['/agents/guide/runs', `{"input":"${text}"}`],
        ['/agents/guide/runs', `{"input":{"${text}":"${text}"}}`],
        ['/agents', `{"name":"${text}","instructions":"${text}","model":"${text}"}`],
        ['/agents', `{"name":"odd-${odd.indexOf(text)}","instructions":"${text}","model":"scripted/x"}`],
        ['/tools/import', `{"document":"${text}"}`],
        ['/tools/guide/test', `{"input":"${text}"}`],
        ['/api-keys', `{"name":"${text}","permissions":["ADMIN"]}`],
        ['/sessions', `{"agent":"${text}"}`],
      ]
      for (const [path, body] of bodies) {
        const received = await bench.send('POST', `/api/v1${path}`, { text: body })
        assert.ok(received.status < 500, `${path} ${body}: ${received.text}`)
      }
      const name = await bench.send('PATCH', `/api/v1/tenants/${bench.ada.tenantId}`, {
        text: `{"name":"${text}"}`,
      })
      assert.ok(name.status < 500, name.text)
    }
    assert.equal((await bench.send('GET', '/api/v1/runs?limit=200')).status, 200)
    assert.equal((await bench.send('GET', '/api/v1/agents?limit=200')).status, 200)
  })

  it('documents to import: no OpenAPI, or no document at all', async () => {
    const documents: Json[] = [{}, [], 1, null, '{"a":', 'a: [', 'just text', { openapi: '2.0' }]
    for (const document of documents) {
      const received = await bench.send('POST', '/api/v1/tools/import', { body: { document } })
      assert.ok(
        received.status >= 400 && received.status < 500,
        `${JSON.stringify(document)}: ${received.text}`,
      )
      assert.equal(received.headers.get('content-type'), 'application/problem+json')
    }
  })
})

function required(route: Route): string {
  return route.query && 'from' in route.query.shape ? '?from=1&to=2' : ''
}
