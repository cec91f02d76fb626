import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fullPath, type Route } from '../contract/route.ts'
import { ROUTE_LIST } from '../contract/routes.ts'
import { assemble } from './api.ts'
import { type ApiBench, at, openApiBench } from './api-bench.test.ts'
import type { AnyHandler } from './handle-route.ts'

describe('the API as it is put together', () => {
  it('answers 503 to new requests once it stops, and is not ready', async () => {
    await using stopping = await openApiBench({ working: false })
    stopping.stop.abort()
    const refused = await stopping.send('GET', '/api/v1/me')
    assert.deepEqual([refused.status, at(refused.json, 'code')], [503, 'server.stopping'])
    assert.equal(refused.headers.get('retry-after'), '1')
    assert.equal((await stopping.send('GET', '/readyz', { key: null })).status, 503)
    assert.equal((await stopping.send('GET', '/livez', { key: null })).status, 200)
  })

  it('hides what it does not know, and logs it with the request', async () => {
    const catalog = { agents: { get: () => Promise.reject(new Error('the secret cause')) } }
    await using broken = await openApiBench({ working: false, deps: { catalog } as never })
    const failed = await broken.send('GET', '/api/v1/agents/guide')
    assert.equal(failed.status, 500)
    assert.deepEqual([at(failed.json, 'code'), failed.text.includes('secret')], ['internal', false])
    const line = broken.logged.find(({ level }) => level === 'error')
    assert.equal(line?.fields.request_id, failed.headers.get('x-request-id'))
    assert.match(String(line?.fields.err), /secret cause/)
  })

  it('lets the named origins in where an operator names them', async () => {
    await using open = await openApiBench({
      working: false,
      deps: { corsOrigins: ['https://console.example'] },
    })
    const headers = { origin: 'https://console.example', 'access-control-request-method': 'POST' }
    const preflight = await open.send('OPTIONS', '/api/v1/agents', { key: null, headers })
    assert.equal(preflight.headers.get('access-control-allow-origin'), 'https://console.example')
    assert.equal(preflight.headers.get('access-control-allow-credentials'), null)
    const other = await open.send('GET', '/api/v1/me', { headers: { origin: 'https://evil.example' } })
    assert.notEqual(other.headers.get('access-control-allow-origin'), 'https://evil.example')
  })

  it('tells observers the route, never the values in its path', async () => {
    const seen: string[] = []
    const observe: ApiBench['deps']['observe'] = {
      started: ({ route, path }) => {
        seen.push(`${route} ${path}`)
        return { ended: ({ status }) => void seen.push(String(status)) }
      },
    }
    await using observed = await openApiBench({ working: false, deps: { observe } })
    await observed.send('GET', '/api/v1/agents/secret-name')
    assert.deepEqual(seen, ['getAgent /api/v1/agents/{id}', '404'])
  })

  it('does not start where a route has no permission or no handler, or a handler no route', async () => {
    await using bench = await openApiBench({ working: false })
    const handler: AnyHandler = async () => ({ status: 200, value: {} })
    const route = {
      id: 'getRun',
      method: 'GET',
      path: '/x',
      tag: 'x',
      summary: 'x',
      responses: { 200: null },
    } as const
    const open = route as unknown as Route & { readonly id: 'getRun' }
    const start =
      (routes: readonly (Route & { readonly id: 'getRun' })[], handlers: Record<string, AnyHandler>) => () =>
        assemble(bench.deps, routes, handlers)
    assert.throws(start([open], { getRun: handler }), /declares no permission/)
    assert.throws(start([{ ...open, permission: 'ADMIN' }], {}), /no handler/)
    assert.throws(start([], { getRun: handler }), /no route/)
    assert.throws(
      start([{ ...open, permission: 'ADMIN', path: '/x/{id}' }], { getRun: handler }),
      /parts of its path/,
    )
  })

  it('has exactly the routes of the table, each with a permission', async () => {
    await using bench = await openApiBench({ working: false })
    const served = new Set(bench.api.routes.map(({ method, path }) => `${method} ${path}`))
    const declared = new Set(
      ROUTE_LIST.map((route) => `${route.method} ${fullPath(route).replace(/\{(\w+)\}/g, ':$1')}`),
    )
    assert.deepEqual(served, declared)
    const open = ROUTE_LIST.filter(({ permission }) => permission === 'public').map(({ id }) => id)
    assert.deepEqual(open.toSorted(), [
      'answerApprovalLink',
      'docs',
      'livez',
      'openApprovalLink',
      'openapi',
      'readyz',
      'receiveStripeEvent',
      'receiveWebhook',
    ])
    assert.ok(ROUTE_LIST.every(({ permission }) => typeof permission === 'string'))
  })
})
