// Invoices over HTTP: drafted by the clock, shown, explained, printed, paid and voided by the operator, and by nobody else.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { newId } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import type { Database } from '../storage/database.ts'
import { type ApiBench, at, errorPaths, isProblem, openApiBench, type Received } from './api-bench.test.ts'

const START = Date.parse('2026-01-15T10:00:00Z')
const DAY_MS = 86_400_000
const BILLING = '/api/v1/billing'

interface Stage extends AsyncDisposable {
  readonly bench: ApiBench
  get(path: string, key?: string): Promise<Received>
  post(path: string, body?: Json, more?: { readonly key?: string; readonly once?: string }): Promise<Received>
  /** Lets so many days pass, and the clock do what is due. */
  pass(days: number): Promise<void>
  /** The newest invoice. */
  newest(): Promise<string>
}

forEachDatabase((_, open) => {
  it('a month over HTTP: summary, invoice, explanation, files, payment', async () => {
    await using stage = await openStage(await open())
    const { bench, get, post } = stage
    await bench.send('POST', '/api/v1/agents?publish=true', {
      body: { name: 'guide', instructions: 'Help.', model: 'scripted/test' },
    })
    const run = await bench.send('POST', '/api/v1/agents/guide/runs?wait=20', { body: { input: 'Hello.' } })
    assert.equal(at(run.json, 'state'), 'completed', run.text)

    const summary = await get('/summary')
    assert.equal(summary.status, 200, summary.text)
    assert.equal(at(summary.json, 'subscription', 'plan', 'key'), 'team')
    assert.equal(at(summary.json, 'upcoming', 'total'), '10.25')
    const own = await get(`/tenant/${bench.ada.tenantId}`)
    assert.deepEqual(at(own.json, 'upcoming'), at(summary.json, 'upcoming'))

    await stage.pass(32)
    const id = await stage.newest()
    const invoice = await get(`/invoices/${id}`)
    assert.equal(at(invoice.json, 'state'), 'open')
    assert.equal(at(invoice.json, 'number'), 'INV-000002')
    assert.equal(at(invoice.json, 'total'), '10.25')
    const lines = at(invoice.json, 'lines') as readonly Json[]
    const seq = lines.findIndex((line) => at(line, 'metric') === 'agent_run') + 1
    assert.equal(at(lines[seq - 1] ?? null, 'quantity'), 1)

    const explained = await get(`/invoices/${id}/lines/${seq}/explain`)
    assert.equal(explained.status, 200, explained.text)
    assert.equal(at(explained.json, 'totals', 'quantity'), 1)
    assert.equal(at(explained.json, 'items', 0, 'run_id'), at(run.json, 'id'))
    assert.deepEqual(at(explained.json, 'steps', 0), '1 used')
    isProblem(await get(`/invoices/${id}/lines/99/explain`), 'invoice.not-found', 'no such line')
    isProblem(await get(`/invoices/${id}/lines/${seq}/explain?cursor=x`), 'cursor.invalid', 'cursor')

    const pdf = await get(`/invoices/${id}/pdf`)
    assert.equal(pdf.headers.get('content-type'), 'application/pdf')
    assert.ok(pdf.text.startsWith('%PDF-'))
    const csv = await get(`/invoices/${id}/csv`)
    assert.match(csv.headers.get('content-disposition') ?? '', /INV-000002\.csv/)
    assert.match(csv.text, /,total,.*,10\.25,USD\r\n$/)

    const paid = await post(`/invoices/${id}/pay`, { note: 'bank transfer 4711' }, { once: 'pay-1' })
    assert.equal(at(paid.json, 'state'), 'paid', paid.text)
    const again = await post(`/invoices/${id}/pay`, { note: 'bank transfer 4711' }, { once: 'pay-1' })
    assert.equal(again.status, 200)
    assert.equal(again.headers.get('idempotency-replayed'), 'true')
    isProblem(await post(`/invoices/${id}/pay`, {}), 'invoice.state-conflict', 'paid twice')
    isProblem(await post(`/invoices/${id}/void`, {}), 'invoice.state-conflict', 'a paid one')
    isProblem(await post(`/invoices/${id}/finalise`, {}), 'invoice.state-conflict', 'finalised already')
  })

  it('only the operator bills, of any tenant; others see their own', async () => {
    await using stage = await openStage(await open())
    const { bench, get, post } = stage
    const id = await stage.newest()
    const bo = await bench.account()
    const colleague = await bench.account({ tenantId: bench.ada.tenantId })
    for (const step of ['finalise', 'pay', 'void', 'uncollectible', 'redraft'])
      isProblem(await post(`/invoices/${id}/${step}`, {}, { key: colleague.key }), 'access.denied', step)
    const credit = { amount: '5', description: 'For me' }
    for (const kind of ['credits', 'adjustments'])
      isProblem(await post(`/${kind}`, credit, { key: colleague.key }), 'access.denied', kind)
    assert.equal((await get(`/invoices/${id}`, colleague.key)).status, 200)

    const theirs = `tenant_id=${bench.ada.tenantId}`
    for (const path of [
      `/invoices/${id}`,
      `/invoices/${id}/pdf`,
      `/invoices/${id}/csv`,
      `/invoices/${id}/lines/1/explain`,
    ]) {
      isProblem(await get(path, bo.key), 'invoice.not-found', path)
      isProblem(await get(`${path}?${theirs}`, bo.key), 'tenant.not-found', path)
    }
    isProblem(await get(`/tenant/${bench.ada.tenantId}`, bo.key), 'tenant.not-found', 'summary')
    for (const list of ['invoices', 'items'])
      isProblem(await get(`/${list}?${theirs}`, bo.key), 'tenant.not-found', list)
    assert.deepEqual(at((await get('/summary', bo.key)).json, 'subscription'), null)

    // The operator, of another tenant.
    isProblem(await get(`/tenant/${newId('tenant')}`), 'tenant.not-found', 'no such tenant')
    assert.equal(at((await get(`/tenant/${bo.tenantId}`)).json, 'tenant_id'), bo.tenantId)
    isProblem(await post(`/credits?tenant_id=${bo.tenantId}`, credit), 'billing.not-set-up', 'no account')
    await bench.send('PUT', `${BILLING}/account`, { body: { name: 'Bo', currency: 'JPY' }, key: bo.key })
    const given = await post(`/credits?tenant_id=${bo.tenantId}`, { amount: '500', description: 'Sorry' })
    assert.equal(given.status, 201, given.text)
    const items = await get('/items', bo.key)
    assert.deepEqual(
      [at(items.json, 'items', 0, 'remaining'), at(items.json, 'items', 0, 'currency')],
      ['500', 'JPY'],
    )
    assert.equal(at((await get('/items')).json, 'items', 0), undefined)
  })

  it('credits and adjustments: made once by key, and wrong ones are named by field', async () => {
    await using stage = await openStage(await open())
    const { get, post } = stage
    const body = { amount: '2.50', description: 'Sorry', expires_at: '2026-12-31T00:00:00.000Z' }
    const first = await post('/credits', body, { once: 'credit-1' })
    const second = await post('/credits', body, { once: 'credit-1' })
    assert.equal(first.status, 201, first.text)
    assert.equal(at(first.json, 'id'), at(second.json, 'id'))
    isProblem(
      await post('/credits', { ...body, amount: '3' }, { once: 'credit-1' }),
      'idempotency.key-reused',
      'key',
    )
    await post('/adjustments', { amount: '-1.20', description: 'Charged twice' })
    assert.equal((at((await get('/items?open=true')).json, 'items') as readonly Json[]).length, 2)

    const wrong: readonly (readonly [path: string, body: Json, at: string])[] = [
      ['/credits', { amount: '-1', description: 'x' }, '/amount'],
      ['/credits', { amount: '0', description: 'x' }, '/amount'],
      ['/credits', { amount: '1.005', description: 'x' }, '/amount'],
      ['/credits', { amount: 1, description: 'x' }, '/amount'],
      ['/credits', { amount: '1e3', description: 'x' }, '/amount'],
      ['/credits', { amount: '1', description: 'x', currency: 'EUR' }, '/currency'],
      ['/credits', { amount: '1', description: 'x', currency: 'XYZ' }, '/currency'],
      ['/credits', { amount: '1', description: 'x', currency: 'usd' }, '/currency'],
      ['/credits', { amount: '1', description: 'x', expires_at: '2020-01-01T00:00:00.000Z' }, '/expires_at'],
      ['/credits', { amount: '1', description: 'x', expires_at: 'soon' }, '/expires_at'],
      ['/credits', { amount: '1', description: '' }, '/description'],
      ['/credits', { amount: '1', description: 'two\nlines' }, '/description'],
      ['/adjustments', { amount: '0.00', description: 'x' }, '/amount'],
      ['/adjustments', { amount: '1', description: 'x', tenant_id: 'ten' }, '/tenant_id'],
    ]
    for (const [path, sent, field] of wrong) {
      const refused = await post(path, sent)
      assert.equal(refused.status, 422, `${JSON.stringify(sent)}: ${refused.text}`)
      assert.deepEqual(errorPaths(refused), [field], JSON.stringify(sent))
    }
    for (const query of ['state=late', 'limit=0', 'tenant_id=x', 'unknown=1'])
      assert.equal((await get(`/invoices?${query}`)).status, 422, query)
  })
})

async function openStage(db: Database): Promise<Stage> {
  let now = START
  const bench = await openApiBench({ db, clock: () => now })
  const tick = async (): Promise<void> => {
    for (const task of bench.deps.money.invoices.tasks) await task.run(now)
  }
  const get = (path: string, key?: string): Promise<Received> =>
    bench.send('GET', `${BILLING}${path}`, key === undefined ? {} : { key })
  const stage: Stage = {
    bench,
    get,
    post: (path, body, { key, once } = {}) =>
      bench.send('POST', `${BILLING}${path}`, {
        body,
        ...(key === undefined ? {} : { key }),
        ...(once === undefined ? {} : { headers: { 'idempotency-key': once } }),
      }),
    async pass(days) {
      now += days * DAY_MS
      await tick()
      now += 2 * 3_600_000
      await tick()
    },
    newest: async () => String(at((await get('/invoices?limit=1')).json, 'items', 0, 'id')),
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  }
  const plan = {
    key: 'team',
    name: 'Team',
    currency: 'USD',
    interval: 'month',
    base_price: '10.00',
    overage: [{ metric: 'agent_run', model: 'per_unit', unit_price: '0.25' }],
  }
  assert.equal((await stage.post('/plans', plan)).status, 201)
  const account = await bench.send('PUT', `${BILLING}/account`, { body: { name: '=Ada', currency: 'USD' } })
  assert.ok(account.status < 300, account.text)
  const subscribed = await stage.post('/subscriptions', { plan: 'team' })
  assert.equal(subscribed.status, 201, subscribed.text)
  await stage.pass(0)
  return stage
}
