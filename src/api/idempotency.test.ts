import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { newId } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import { AGENT, type ApiBench, at, openApiBench } from './api-bench.test.ts'
import { CLAIM_TTL_MS, createIdempotencyStore, IDEMPOTENCY_TTL_MS } from './idempotency-store.ts'

describe('an Idempotency-Key', () => {
  let bench: ApiBench
  let now = Date.now()
  const post = (path: string, key: string, body: Json, account = bench.ada) =>
    bench.send('POST', `/api/v1${path}`, { key: account.key, body, headers: { 'idempotency-key': key } })
  before(async () => {
    bench = await openApiBench({ clock: () => now })
    await bench.send('POST', '/api/v1/agents?publish=true', { body: AGENT })
  })
  after(() => bench[Symbol.asyncDispose]())

  it('makes a thing once, and answers it again as it is then', async () => {
    const body = { name: 'once', instructions: 'Do.', model: 'scripted/x' }
    const first = await post('/agents', 'k1', body)
    assert.deepEqual([first.status, first.headers.get('idempotency-replayed')], [201, null])
    await bench.send('POST', '/api/v1/agents/once/publish')
    const again = await post('/agents', 'k1', { model: 'scripted/x', instructions: 'Do.', name: 'once' })
    assert.deepEqual([again.status, again.headers.get('idempotency-replayed')], [201, 'true'])
    assert.equal(at(again.json, 'id'), at(first.json, 'id'))
    assert.equal(at(again.json, 'status'), 'published')
  })

  it('is refused with another request', async () => {
    await post('/agents', 'k2', { name: 'two', instructions: 'Do.', model: 'scripted/x' })
    for (const [path, body] of [
      ['/agents', { name: 'three', instructions: 'Do.', model: 'scripted/x' }],
      ['/agents?publish=true', { name: 'two', instructions: 'Do.', model: 'scripted/x' }],
    ] as const) {
      const reused = await post(path, 'k2', body)
      assert.deepEqual([reused.status, at(reused.json, 'code')], [422, 'idempotency.key-reused'])
    }
  })

  it('starts one run for requests at the same moment, whatever they would wait', async () => {
    const sent = Array.from({ length: 12 }, (_, i) =>
      post(`/agents/guide/runs?wait=${i % 2}`, 'k3', { input: 'Hi' }),
    )
    const received = await Promise.all(sent)
    assert.deepEqual(new Set(received.map(({ status }) => status < 300)), new Set([true]))
    assert.equal(new Set(received.map(({ json }) => at(json, 'id'))).size, 1)
    assert.equal(received.filter(({ headers }) => headers.has('idempotency-replayed')).length, 11)
    const runs = await bench.send('GET', '/api/v1/runs')
    assert.equal((at(runs.json, 'items') as Json[]).length, 1)
  })

  it('rolls back once', async () => {
    const body = (instructions: string) => ({ name: 'steps', instructions, model: 'scripted/x' })
    await bench.send('POST', '/api/v1/agents?publish=true', { body: body('1') })
    for (const text of ['2', '3'])
      await bench.send('PUT', '/api/v1/agents/steps?publish=true', { body: body(text) })
    for (let i = 0; i < 3; i++)
      assert.equal(at((await post('/agents/steps/rollback', 'k4', {})).json, 'version'), 2)
  })

  it('belongs to a user and a route', async () => {
    const other = await bench.account()
    const colleague = await bench.account({ tenantId: bench.ada.tenantId })
    const make = (account: typeof other, name: string) =>
      post('/agents', 'k5', { name, instructions: 'Do.', model: 'scripted/x' }, account)
    const made = [await make(bench.ada, 'mine'), await make(other, 'mine'), await make(colleague, 'theirs')]
    assert.deepEqual(
      made.map(({ status }) => status),
      [201, 201, 201],
    )
    assert.equal(new Set(made.map(({ json }) => at(json, 'id'))).size, 3)
    assert.equal((await post('/sessions', 'k5', { agent: 'guide' })).status, 201)
  })

  it('leaves nothing of a request that was refused', async () => {
    const bad = await post('/agents', 'k6', { name: 'guide', instructions: 'Do.', model: 'scripted/x' })
    assert.equal(at(bad.json, 'code'), 'agent.name-taken')
    const good = await post('/agents', 'k6', { name: 'other-name', instructions: 'Do.', model: 'scripted/x' })
    assert.equal(good.status, 201)
  })

  it('is forgotten after a day', async () => {
    const first = await post('/sessions', 'k7', { agent: 'guide' })
    now += IDEMPOTENCY_TTL_MS - 1
    assert.equal(at((await post('/sessions', 'k7', { agent: 'guide' })).json, 'id'), at(first.json, 'id'))
    now += 1
    assert.notEqual(at((await post('/sessions', 'k7', { agent: 'guide' })).json, 'id'), at(first.json, 'id'))
  })

  it('makes one API key, whose secret is shown once', async () => {
    const body = { name: 'ci', permissions: ['READ_AGENTS'] }
    const sent = await Promise.all([1, 2, 3].map(() => post('/api-keys', 'k8', body)))
    const made = sent.filter(({ status }) => status === 201)
    assert.equal(made.filter(({ json }) => typeof at(json, 'key') === 'string').length, 1)
    const busy = sent.filter(({ status }) => status !== 201)
    assert.ok(busy.every(({ json }) => at(json, 'code') === 'idempotency.in-progress'))
    const again = await post('/api-keys', 'k8', body)
    assert.deepEqual([again.status, at(again.json, 'key'), at(again.json, 'name')], [201, null, 'ci'])
    const refused = await post('/api-keys', 'k9', {
      name: 'ci',
      permissions: ['READ_AGENTS'],
      expires_at: '2001-01-01T00:00:00.000Z',
    })
    assert.ok(refused.status === 422, refused.text)
    assert.equal((await post('/api-keys', 'k9', body)).status, 201)
  })
})

forEachDatabase((_, open) => {
  describe('the store of idempotency keys', () => {
    it('gives a claim to one, and to the next once it has lapsed', async () => {
      await using db = await open()
      let now = 1_000
      const store = createIdempotencyStore(db, () => now)
      const scope = { tenantId: newId('tenant'), scope: 'usr createApiKey', key: 'k', fingerprint: 'f' }
      const claims = await Promise.all([1, 2, 3, 4].map(() => store.claim(scope, 201)))
      assert.equal(claims.filter(Boolean).length, 1)
      assert.deepEqual(await store.find(scope), { fingerprint: 'f', status: 201, resourceId: '' })
      now += CLAIM_TTL_MS
      assert.equal(await store.find(scope), undefined)
      assert.equal(await store.claim(scope, 201), true)
      await store.settle(scope, 'key_1')
      await store.release(scope)
      assert.equal((await store.find(scope))?.resourceId, 'key_1')
      assert.equal(await store.find({ ...scope, tenantId: newId('tenant') }), undefined)
    })
  })
})
