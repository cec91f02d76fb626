// Prices over HTTP: of one's own, of the book, and beside another source.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Json } from '../base/json.ts'
import { AGENT, type ApiBench, at, isProblem, openApiBench } from './api-bench.test.ts'

const PATH = '/api/v1/financial/prices'

describe('prices over HTTP', () => {
  let bench: ApiBench
  before(async () => {
    bench = await openApiBench({ working: false })
  })
  after(() => bench[Symbol.asyncDispose]())

  const set = (body: Json, headers: Readonly<Record<string, string>> = {}) =>
    bench.send('POST', PATH, { body, headers })
  const get = (query: string, key?: string) =>
    bench.send('GET', `${PATH}${query}`, key === undefined ? {} : { key })
  const idsOf = (json: Json) => (at(json, 'items') as readonly Json[]).map((one) => at(one, 'id'))

  it('are set once for an Idempotency-Key, shown as they were said, and withdrawn', async () => {
    const amounts = { input: '1.50', cached_input: '0.15', output: '6' }
    const body = { subject: 'local/llama', amounts, note: 'GPU hours' }
    const made = await set(body, { 'idempotency-key': 'k1' })
    assert.equal(made.status, 201, made.text)
    const again = await set(body, { 'idempotency-key': 'k1' })
    assert.deepEqual(again.json, made.json)
    assert.deepEqual(at(made.json, 'amounts'), { input: '1.5', cached_input: '0.15', output: '6' })
    assert.deepEqual(at(made.json, 'source'), 'own')
    const found = await get('/effective?subject=local%2Fllama')
    assert.deepEqual(found.json, made.json)
    const location = made.headers.get('location') ?? ''
    assert.deepEqual((await bench.send('GET', location)).json, made.json)
    const id = String(at(made.json, 'id'))
    const gone = await bench.send('POST', `${PATH}/${id}/withdraw`)
    assert.match(String(at(gone.json, 'withdrawn_at')), /^20/)
    isProblem(await get('/effective?subject=local%2Fllama'), 'price.not-found', 'a withdrawn price')
    assert.deepEqual(idsOf((await get('?subject=local%2Fllama')).json), [id])
    assert.deepEqual(idsOf((await get(`?at=${new Date().toISOString()}&provider=local`)).json), [])
  })

  it('of the past are set with their time, and refused where they overlap', async () => {
    const subject = 'tool/lookup'
    const past = { effective_from: '2026-01-01T00:00:00.000Z', effective_until: '2026-02-01T00:00:00.000Z' }
    const made = await set({ subject, amounts: { price: '0.002' }, ...past })
    assert.equal(made.status, 201, made.text)
    assert.deepEqual([at(made.json, 'unit'), at(made.json, 'amounts')], ['call', { price: '0.002' }])
    isProblem(await set({ subject, amounts: { price: '1' }, ...past }), 'price.overlap', 'the same time')
    const then = await get(`/effective?subject=tool%2Flookup&at=2026-01-15T00:00:00Z`)
    assert.equal(at(then.json, 'id'), at(made.json, 'id'))
    isProblem(await get('/effective?subject=tool%2Flookup'), 'price.not-found', 'after it')
    const wrong = await set({ subject: 'compute/minute', amounts: { price: '-1' } })
    isProblem(wrong, 'request.invalid', 'a unit that is not known')
    assert.equal(at(wrong.json, 'errors', 0, 'path'), '/subject')
    isProblem(await set({ subject, amounts: { price: 1 } }), 'request.invalid', 'a number')
  })

  it('of the book are listed by name, in pages, and hold where one has none of one’s own', async () => {
    const first = await get('?source=book&provider=openai&limit=3')
    const cursor = at(first.json, 'next_cursor')
    const second = await get(`?source=book&provider=openai&limit=3&cursor=${String(cursor)}`)
    const subjects = [first, second].flatMap(({ json }) =>
      (at(json, 'items') as readonly Json[]).map((one) => String(at(one, 'subject'))),
    )
    assert.equal(new Set(subjects).size, 6)
    assert.deepEqual(subjects, subjects.toSorted())
    const [name = ''] = subjects
    const held = await get(`/effective?subject=${encodeURIComponent(name)}`)
    assert.deepEqual(held.json, at(first.json, 'items', 0))
    await set({ subject: name, amounts: { input: '0.000001', output: '0' } })
    assert.equal(at((await get(`/effective?subject=${encodeURIComponent(name)}`)).json, 'source'), 'own')
    const { key } = await bench.account()
    assert.deepEqual((await get(`/effective?subject=${encodeURIComponent(name)}`, key)).json, held.json)
  })

  it('are compared with the second source, and with what is given', async () => {
    const shipped = await get('/diff')
    assert.equal(shipped.status, 200, shipped.text)
    assert.match(String(at(shipped.json, 'theirs', 'source')), /@tokenlens\/models/)
    assert.ok(Number(at(shipped.json, 'compared')) > 50)
    const book = at((await get('?source=book&provider=openai&limit=1')).json, 'items', 0) ?? null
    const model = String(at(book, 'subject'))
    const prices = [{ model, input: '987.6' }]
    const given = await bench.send('POST', `${PATH}/diff`, { body: { source: 'mine', prices } })
    assert.deepEqual(at(given.json, 'theirs'), { source: 'mine', retrieved: null })
    const { theirs, field, ours } = at(given.json, 'disagreements', 0) as Record<string, Json>
    assert.deepEqual([field, theirs, ours], ['input', '987.6', at(book, 'amounts', 'input')])
  })

  it('of one’s own are what one’s runs cost, and nobody else’s', async () => {
    await using working = await openApiBench({
      script: () => ({ text: 'Hello.', usage: { inputTokens: 1_000, outputTokens: 10 } }),
    })
    const bo = await working.account()
    const amounts = { input: '1.5', output: '20' }
    const made = await working.send('POST', PATH, { body: { subject: 'scripted/test', amounts } })
    assert.equal(made.status, 201, made.text)
    const costOf = async (key: string): Promise<readonly unknown[]> => {
      await working.send('POST', '/api/v1/agents?publish=true', { body: AGENT, key })
      const body = { input: 'Hi' }
      const { json } = await working.send('POST', '/api/v1/agents/guide/runs?wait=20', { body, key })
      return [at(json, 'state'), at(json, 'cost_usd'), at(json, 'unpriced_calls')]
    }
    assert.deepEqual(await costOf(working.ada.key), ['completed', '0.0017', 0])
    assert.deepEqual(await costOf(bo.key), ['completed', '0', 1])
  })
})
