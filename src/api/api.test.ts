import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { isId } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import { codecOf } from '../contract/codec.ts'
import { ROUTES } from '../contract/routes.ts'
import { AGENT, type ApiBench, at, openApiBench } from './api-bench.test.ts'

describe('the API', () => {
  let bench: ApiBench
  before(async () => {
    bench = await openApiBench()
    await bench.send('POST', '/api/v1/agents?publish=true', { body: AGENT })
  })
  after(() => bench[Symbol.asyncDispose]())

  it('answers what was stored, in snake_case, by id and by name', async () => {
    const made = await bench.send('POST', '/api/v1/agents', {
      body: { name: 'second', instructions: 'Do.', model: 'scripted/x', model_settings: { top_p: 0.5 } },
    })
    assert.equal(made.status, 201)
    const id = String(at(made.json, 'id'))
    assert.equal(made.headers.get('location'), `/api/v1/agents/${id}`)
    assert.equal(at(made.json, 'definition', 'model_settings', 'top_p'), 0.5)
    assert.equal(at(made.json, 'published_version'), null)
    const byId = await bench.send('GET', `/api/v1/agents/${id}`)
    const byName = await bench.send('GET', '/api/v1/agents/second')
    assert.equal(byId.text, byName.text)
    assert.deepEqual(byId.json, made.json)
    assert.match(String(at(byId.json, 'created_at')), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    // What is answered is what the contract says, to the last field.
    assert.ok(codecOf(ROUTES.getAgent.responses[200]).decode(byId.json).ok)
  })

  it('keeps versions: update, conflict, publish, rollback, diff', async () => {
    const path = '/api/v1/agents/versioned'
    const definition = (instructions: string): Json => ({
      name: 'versioned',
      instructions,
      model: 'scripted/x',
    })
    await bench.send('POST', '/api/v1/agents?publish=true', { body: definition('One.') })
    const seen = await bench.send('GET', path)
    const etag = seen.headers.get('etag') ?? ''
    assert.equal(etag, '"1.1"')
    const updated = await bench.send('PUT', `${path}?publish=true`, {
      body: definition('Two.'),
      headers: { 'if-match': etag },
    })
    assert.deepEqual([updated.status, at(updated.json, 'version')], [200, 2])
    const late = await bench.send('PUT', path, { body: definition('Three.'), headers: { 'if-match': etag } })
    assert.deepEqual([late.status, at(late.json, 'code')], [409, 'version.conflict'])
    const asked = await bench.send('PUT', `${path}?expected_version=1`, { body: definition('Three.') })
    assert.equal(asked.status, 409)
    const odd = await bench.send('PUT', path, {
      body: definition('Three.'),
      headers: { 'if-match': 'W/"abc"' },
    })
    assert.deepEqual([odd.status, at(odd.json, 'code')], [422, 'request.invalid'])
    const diff = await bench.send('GET', `${path}/diff?from=1&to=2`)
    assert.deepEqual(diff.json, {
      from: 1,
      to: 2,
      changes: [{ path: '/instructions', type: 'changed', before: 'One.', after: 'Two.' }],
    })
    const back = await bench.send('POST', `${path}/rollback`)
    assert.deepEqual([back.status, at(back.json, 'version')], [200, 1])
    const forth = await bench.send('POST', `${path}/publish`, { body: { version: 2 } })
    assert.equal(at(forth.json, 'version'), 2)
    const versions = await bench.send('GET', `${path}/versions`)
    assert.deepEqual(
      (at(versions.json, 'items') as Json[]).map((item) => at(item, 'version')),
      [2, 1],
    )
    assert.equal((await bench.send('GET', `${path}/versions/1`)).status, 200)
    assert.equal(at((await bench.send('GET', `${path}/versions/9`)).json, 'code'), 'version.not-found')
    assert.equal((await bench.send('DELETE', path)).status, 204)
    assert.equal(at((await bench.send('GET', path)).json, 'code'), 'agent.not-found')
  })

  it('runs: 202 and a place to look, or a wait', async () => {
    const accepted = await bench.send('POST', '/api/v1/agents/guide/runs', { body: { input: 'Hi' } })
    assert.equal(accepted.status, 202)
    const id = String(at(accepted.json, 'id'))
    assert.equal(accepted.headers.get('location'), `/api/v1/runs/${id}`)
    const waited = await bench.send('POST', '/api/v1/agents/guide/runs?wait=20', { body: { input: 'Hi' } })
    assert.deepEqual(
      [waited.status, at(waited.json, 'state'), at(waited.json, 'output')],
      [200, 'completed', 'Hello.'],
    )
    assert.ok(codecOf(ROUTES.getRun.responses[200]).decode(waited.json).ok)
    const preferred = await bench.send('POST', '/api/v1/agents/guide/runs', {
      body: { input: { question: 'Hi' } },
      headers: { prefer: 'respond-async, wait=20' },
    })
    assert.equal(preferred.status, 200)
    const later = await bench.send('GET', `/api/v1/runs/${id}?wait=20`)
    assert.equal(at(later.json, 'state'), 'completed')
    const steps = await bench.send('GET', `/api/v1/runs/${id}/steps`)
    assert.equal(at(steps.json, 'items', 0, 'kind'), 'model')
    const calls = await bench.send('GET', `/api/v1/runs/${id}/model-calls`)
    const call = await bench.send('GET', `/api/v1/model-calls/${at(calls.json, 'items', 0, 'id')}`)
    assert.equal(at(call.json, 'request', 'messages', 0, 'text'), 'Hi')
    assert.ok(codecOf(ROUTES.getModelCall.responses[200]).decode(call.json).ok)
    const cancelled = await bench.send('POST', `/api/v1/runs/${id}/cancel`)
    assert.deepEqual([cancelled.status, at(cancelled.json, 'code')], [409, 'run.finished'])
  })

  it('walks lists by cursor, each item once', async () => {
    const other = await bench.account()
    for (let i = 0; i < 5; i++) {
      await bench.send('POST', '/api/v1/agents', {
        key: other.key,
        body: { ...(AGENT as object), name: `a${i}` },
      })
    }
    const names: (Json | undefined)[] = []
    let next = ''
    for (let pages = 0; pages < 9; pages++) {
      const page = await bench.send('GET', `/api/v1/agents?limit=2${next}`, { key: other.key })
      names.push(...(at(page.json, 'items') as Json[]).map((item) => at(item, 'name')))
      const cursor = at(page.json, 'next_cursor')
      if (cursor === null) break
      next = `&cursor=${cursor}`
    }
    assert.deepEqual(names.toSorted(), ['a0', 'a1', 'a2', 'a3', 'a4'])
    // Of another list, or of another tenant, a cursor is no cursor.
    for (const [path, key] of [
      ['/api/v1/tools', other.key],
      ['/api/v1/agents', bench.ada.key],
    ] as const) {
      const refused = await bench.send('GET', `${path}?limit=2${next || '&cursor=x'}`, { key })
      assert.deepEqual([refused.status, at(refused.json, 'code')], [422, 'cursor.invalid'])
    }
  })

  it('keeps steps’ contents and prompts from those who may not read them', async () => {
    const { key } = await bench.account({ tenantId: bench.ada.tenantId, role: 'USER' })
    const run = await bench.send('POST', '/api/v1/agents/guide/runs?wait=20', { key, body: { input: 'Hi' } })
    const id = String(at(run.json, 'id'))
    const mine = await bench.send('GET', `/api/v1/runs/${id}/steps`, { key })
    assert.equal(at(mine.json, 'items', 0, 'input'), undefined)
    assert.equal(at(mine.json, 'items', 0, 'output'), undefined)
    const admins = await bench.send('GET', `/api/v1/runs/${id}/steps`)
    assert.notEqual(at(admins.json, 'items', 0, 'output'), undefined)
    const refused = await bench.send('GET', `/api/v1/runs/${id}/model-calls`, { key })
    assert.deepEqual([refused.status, at(refused.json, 'code')], [403, 'access.denied'])
    const audit = await bench.send('GET', '/api/v1/audit?limit=1')
    assert.equal(at(audit.json, 'items', 0, 'type'), 'access.denied')
    assert.equal(at(audit.json, 'items', 0, 'request_id'), refused.headers.get('x-request-id'))
  })

  it('makes, lists and revokes keys, and shows a key once', async () => {
    const made = await bench.send('POST', '/api/v1/api-keys', {
      body: { name: 'ci', permissions: ['READ_AGENTS'] },
    })
    assert.equal(made.status, 201)
    const key = String(at(made.json, 'key'))
    const path = `/api/v1/api-keys/${at(made.json, 'id')}`
    assert.ok(!(await bench.send('GET', path)).text.includes(key))
    const me = await bench.send('GET', '/api/v1/me', { key })
    assert.deepEqual(at(me.json, 'permissions'), ['READ_AGENTS'])
    assert.equal((await bench.send('DELETE', path)).status, 204)
    const refused = await bench.send('GET', '/api/v1/me', { key })
    assert.deepEqual([refused.status, at(refused.json, 'code')], [401, 'auth.invalid'])
    assert.equal(refused.headers.get('www-authenticate'), 'Bearer')
  })

  it('shows and changes the own tenant, and no other', async () => {
    const path = `/api/v1/tenants/${bench.ada.tenantId}`
    const changed = await bench.send('PATCH', path, { body: { capture_policy: 'redacted' } })
    assert.equal(at(changed.json, 'capture_policy'), 'redacted')
    assert.equal(at((await bench.send('GET', path)).json, 'name'), 'Ada & Co')
    const other = await bench.account()
    for (const method of ['GET', 'PATCH']) {
      const refused = await bench.send(method, path, {
        key: other.key,
        ...(method === 'GET' ? {} : { body: { name: 'x' } }),
      })
      assert.deepEqual([refused.status, at(refused.json, 'code')], [404, 'tenant.not-found'])
    }
  })

  it('gives every request an id and passes its trace on', async () => {
    const own = await bench.send('GET', '/api/v1/me')
    assert.ok(isId('request', own.headers.get('x-request-id') ?? ''))
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const given = await bench.send('GET', '/api/v1/me', { headers: { 'x-request-id': 'abc-1', traceparent } })
    assert.equal(given.headers.get('x-request-id'), 'abc-1')
    assert.equal(given.headers.get('traceparent'), traceparent)
    const odd = await bench.send('GET', '/api/v1/me', {
      headers: { 'x-request-id': 'a b', traceparent: 'x' },
    })
    assert.notEqual(odd.headers.get('x-request-id'), 'a b')
    assert.equal(odd.headers.get('traceparent'), null)
  })

  it('answers health to anyone, metrics to the operator', async () => {
    assert.deepEqual((await bench.send('GET', '/livez', { key: null })).json, { status: 'ok' })
    const ready = await bench.send('GET', '/readyz', { key: null })
    assert.deepEqual(
      [ready.status, ready.json],
      [200, { ready: true, checks: [{ name: 'database', ok: true }] }],
    )
    assert.equal((await bench.send('GET', '/metrics')).text, 'up 1\n')
    const other = await bench.account()
    assert.equal((await bench.send('GET', '/metrics', { key: other.key })).status, 403)
    assert.equal((await bench.send('GET', '/metrics', { key: null })).status, 401)
  })

  it('sends safe headers, and nothing across origins', async () => {
    const { headers } = await bench.send('GET', '/api/v1/me', { headers: { origin: 'https://evil.example' } })
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/)
    assert.equal(headers.get('access-control-allow-origin'), null)
  })

  it('answers HEAD as GET without a body, and other methods with what is allowed', async () => {
    const head = await bench.send('HEAD', '/api/v1/agents/guide')
    assert.deepEqual([head.status, head.text], [200, ''])
    const refused = await bench.send('PATCH', '/api/v1/agents/guide', { body: {} })
    assert.deepEqual([refused.status, at(refused.json, 'code')], [405, 'request.method-not-allowed'])
    assert.equal(refused.headers.get('allow'), 'DELETE, GET, HEAD, PUT')
    for (const path of [
      '/api/v1/nothing',
      '/',
      '/api/v1/agents/',
      '/api/v1/agents/a/b/c',
      '/api/v1/%E0%A4%A',
    ]) {
      const missing = await bench.send('GET', path)
      assert.deepEqual([missing.status, at(missing.json, 'code')], [404, 'route.not-found'], path)
      assert.equal(missing.headers.get('content-type'), 'application/problem+json')
    }
  })
})
