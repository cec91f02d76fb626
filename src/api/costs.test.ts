import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { COSTS_BATCH_MAX } from '../contract/cost.ts'
import { AGENT, at, errorPaths, isProblem, openApiBench } from './api-bench.test.ts'

const COST = { type: 'STORAGE', amount_usd: '0.000000001', description: 'Disks.' }

forEachDatabase((_, open) => {
  it('costs over HTTP: told once, shown, reported as files', async () => {
    await using bench = await openApiBench({ db: await open() })
    await bench.send('POST', '/api/v1/agents?publish=true', { body: AGENT })
    const ran = await bench.send('POST', '/api/v1/agents/guide/runs?wait=20', { body: { input: 'Hi.' } })
    const run = String(at(ran.json, 'id'))

    const headers = { 'idempotency-key': 'one' }
    const batch = { entries: [COST, { ...COST, run_id: run, external_id: 'a' }] }
    const [made, again] = [1, 2].map(() =>
      bench.send('POST', '/api/v1/financial/costs', { body: batch, headers }),
    )
    const [first, second] = [await made, await again]
    assert.deepEqual([first?.status, second?.status], [201, 201])
    assert.deepEqual(first?.json, second?.json)
    assert.equal(at(first?.json ?? null, 'items', 1, 'run_id'), run)

    const shown = await bench.send(
      'GET',
      `/api/v1/financial/costs/tenant/${bench.ada.tenantId}?group_by=type`,
    )
    assert.deepEqual(
      [at(shown.json, 'total', 'cost_usd'), at(shown.json, 'total', 'unpriced_calls')],
      ['0.000000002', 1],
    )
    const list = await bench.send('GET', '/api/v1/financial/costs?limit=2')
    const rest = await bench.send(
      'GET',
      `/api/v1/financial/costs?limit=2&cursor=${String(at(list.json, 'next_cursor'))}`,
    )
    assert.equal(at(rest.json, 'items', 0, 'type') !== undefined, true)
    assert.equal(at(rest.json, 'next_cursor'), null)
    // No amount is null, never zero.
    const unpriced = await bench.send('GET', '/api/v1/financial/costs?cost_state=unpriced')
    assert.equal(at(unpriced.json, 'items', 0, 'amount_usd'), null)

    const month = new Date().toISOString().slice(0, 7)
    for (const [format, type] of [
      ['csv', 'text/csv; charset=utf-8'],
      ['pdf', 'application/pdf'],
    ]) {
      const file = await bench.send('GET', `/api/v1/financial/reports/${month}/file?format=${format}`)
      assert.equal(file.status, 200, file.text)
      assert.equal(file.headers.get('content-type'), type)
      assert.equal(file.headers.get('content-disposition'), `attachment; filename="costs-${month}.${format}"`)
      assert.equal(file.headers.get('x-content-type-options'), 'nosniff')
    }
  })

  it('says what is wrong with a cost, a time, a month', async () => {
    await using bench = await openApiBench({ db: await open(), working: false })
    const wrong: readonly [object, string][] = [
      [{ ...COST, amount_usd: '-1' }, '/amount_usd'],
      [{ ...COST, amount_usd: '1.0000000001' }, '/amount_usd'],
      [{ ...COST, amount_usd: '1000000.000000001' }, '/amount_usd'],
      [{ ...COST, amount_usd: 1 }, '/amount_usd'],
      [{ ...COST, type: 'GOLD' }, '/type'],
      [{ ...COST, quantity: 1.5 }, '/quantity'],
      [{ ...COST, description: 'a\nb' }, '/description'],
      [{ ...COST, occurred_at: 'yesterday' }, '/occurred_at'],
    ]
    for (const [body, path] of wrong) {
      const refused = await bench.send('POST', '/api/v1/financial/costs', { body: body as never })
      isProblem(refused, 'request.invalid', JSON.stringify(body))
      assert.ok(errorPaths(refused).includes(path), `${path}: ${refused.text}`)
    }
    const nested = await bench.send('POST', '/api/v1/financial/costs', {
      body: { entries: [COST, { ...COST, amount_usd: '-1' }] },
    })
    assert.deepEqual(errorPaths(nested), ['/entries/1/amount_usd'])
    const both = await bench.send('POST', '/api/v1/financial/costs', { body: { ...COST, entries: [COST] } })
    assert.deepEqual(errorPaths(both), ['/entries'])
    const empty = await bench.send('POST', '/api/v1/financial/costs', { body: {} })
    assert.deepEqual(errorPaths(empty), ['/type', '/amount_usd'])
    const many = { entries: Array.from({ length: COSTS_BATCH_MAX + 1 }, () => COST) }
    isProblem(
      await bench.send('POST', '/api/v1/financial/costs', { body: many }),
      'request.invalid',
      'too many',
    )
    const costs = `/api/v1/financial/costs/tenant/${bench.ada.tenantId}`
    isProblem(await bench.send('GET', `${costs}?time_zone=Mars%2FBase`), 'request.invalid', 'a zone')
    isProblem(await bench.send('GET', `${costs}?group_by=mood`), 'request.invalid', 'a group')
    isProblem(await bench.send('GET', '/api/v1/financial/costs/mood/x'), 'cost.not-found', 'an entity')
    isProblem(await bench.send('GET', '/api/v1/financial/reports/2026-13'), 'cost.not-found', 'a month')
  })
})
