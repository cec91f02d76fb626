import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type ApiBench, at, isProblem, openApiBench } from './api-bench.test.ts'

const PLAN = {
  key: 'team',
  name: 'Team',
  currency: 'USD',
  interval: 'month',
  base_price: '10.00',
  included: { token: 100 },
  overage: [{ metric: 'token', model: 'package', package_size: 10, package_price: '0.50' }],
  features: ['replay'],
  limits: { runs_per_minute: 1 },
}

describe('plans and subscriptions over HTTP', () => {
  let bench: ApiBench
  before(async () => {
    bench = await openApiBench({ working: false })
  })
  after(() => bench[Symbol.asyncDispose]())
  const send = (method: string, path: string, body?: object, headers?: Record<string, string>) =>
    bench.send(method, `/api/v1${path}`, { body: body as never, ...(headers && { headers }) })

  it('refuse names that nobody knows, by their place', async () => {
    const wrong: readonly [object, string][] = [
      [{ included: { tokens: 5 } }, '/included'],
      [{ limits: { speed: 5 } }, '/limits'],
      [{ features: ['magic'] }, '/features/0'],
      [{ base_price: 10 }, '/base_price'],
      [{ base_price: '1e3' }, '/base_price'],
      [{ overage: [{ metric: 'token', model: 'per_unit', unit_price: '-1' }] }, '/overage/0/unit_price'],
      [{ state: 'active' }, '/state'],
    ]
    for (const [more, path] of wrong) {
      const received = await send('POST', '/billing/plans', { ...PLAN, ...more })
      isProblem(received, 'request.invalid', path)
      assert.ok(String(at(received.json, 'errors', 0, 'path')).startsWith(path), received.text)
    }
  })

  it('go from a plan to a subscription that limits runs and features', async () => {
    const made = await send('POST', '/billing/plans', PLAN)
    assert.equal(made.status, 201, made.text)
    const read = await send('GET', `/billing/plans/${String(at(made.json, 'id'))}`)
    assert.deepEqual(at(read.json, 'overage'), PLAN.overage)
    assert.deepEqual(at(read.json, 'included'), PLAN.included)
    isProblem(await send('GET', '/billing/account'), 'billing.not-set-up', 'account')
    isProblem(
      await send('POST', '/billing/subscriptions', { plan: 'team' }),
      'billing.not-set-up',
      'subscribe',
    )
    const account = { name: 'Ada', currency: 'USD', time_zone: 'Europe/Lisbon' }
    assert.equal((await send('PUT', '/billing/account', account)).status, 200)
    const key = { 'idempotency-key': 'once' }
    const first = await send('POST', '/billing/subscriptions', { plan: 'team' }, key)
    assert.equal(first.status, 201, first.text)
    const again = await send('POST', '/billing/subscriptions', { plan: 'team' }, key)
    assert.equal(at(again.json, 'id'), at(first.json, 'id'))
    isProblem(await send('POST', '/billing/subscriptions', { plan: 'team' }), 'subscription.exists', 'twice')

    const entitled = await send('GET', '/billing/entitlements')
    assert.deepEqual(at(entitled.json, 'features'), ['replay'])
    assert.equal(at(entitled.json, 'limits', 'runs_per_minute'), 1)
    isProblem(await send('GET', '/audit'), 'plan.feature-missing', 'audit')
    await send('POST', '/agents?publish=true', { name: 'guide', instructions: 'x', model: 'scripted/test' })
    assert.equal((await send('POST', '/agents/guide/runs', { input: 'x' })).status, 202)
    const limited = await send('POST', '/agents/guide/runs', { input: 'x' })
    isProblem(limited, 'rate.limited', 'second')
    assert.ok(Number(limited.headers.get('retry-after')) > 0)

    const told = await send('POST', '/billing/usage', {
      records: [{ event_id: 'a', metric: 'token', quantity: 30 }, { event_id: 'b' }],
    })
    assert.equal(at(told.json, 'accepted'), 1)
    assert.equal(at(told.json, 'errors', 0, 'index'), 1)
    const used = await send('GET', '/billing/usage?metric=token')
    assert.equal(at(used.json, 'metrics', 0, 'left'), 70)

    const id = String(at(first.json, 'id'))
    const stale = await send('POST', `/billing/subscriptions/${id}/cancel`, { revision: 99 })
    isProblem(stale, 'subscription.state-conflict', 'stale')
    const archive = `/billing/plans/${String(at(made.json, 'id'))}/archive`
    isProblem(await send('POST', archive), 'plan.in-use', 'archive')
    const ended = await send('POST', `/billing/subscriptions/${id}/cancel`, { when: 'now' })
    assert.equal(at(ended.json, 'state'), 'cancelled')
  })
})
