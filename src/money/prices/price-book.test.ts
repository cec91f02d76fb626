import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createPriceBook, type ModelPrices, type PricePeriod, priceBook } from './price-book.ts'
import data from './prices.json' with { type: 'json' }

const day = (text: string): number => Date.parse(`${text}T00:00:00.000Z`)

describe('the price file', () => {
  it('makes a book, once', () => {
    assert.equal(priceBook(), priceBook())
  })

  it('says where it comes from, under which terms, and when it was read', () => {
    assert.match(data.header.notice, /^NOTICE: /)
    assert.match(data.header.retrieved, /^\d{4}-\d{2}-\d{2}$/)
    for (const { model, source } of data.models) assert.ok(source.length > 0, model)
  })

  it('has every amount as a text of digits, so that no float ever held it', () => {
    const numbers: string[] = []
    JSON.stringify(data.models, (key, value: unknown) => {
      if (typeof value === 'number' && key !== 'aboveTokens' && key !== 'promptTokensMax') numbers.push(key)
      return value
    })
    assert.deepEqual(numbers, [])
  })

  it('prices a cache read below input, and a dearer tier above the base', () => {
    for (const { provider, model, prices } of data.models as readonly ModelPrices[]) {
      for (const period of prices) {
        if (period.cachedInput != null)
          assert.ok(BigInt(period.cachedInput) <= BigInt(period.input), `${provider}/${model}`)
        for (const tier of period.tiers ?? [])
          assert.ok(BigInt(tier.input) > BigInt(period.input), `${provider}/${model}`)
      }
    }
  })
})

describe('a price book', () => {
  const period: PricePeriod = { effectiveFrom: '2026-01-01', input: '1', output: '2' }
  const bookOf = (prices: readonly PricePeriod[], more: Partial<ModelPrices> = {}) =>
    createPriceBook({ models: [{ provider: 'p', model: 'm', aliases: ['n'], source: 's', prices, ...more }] })

  it('begins a price on its first day and ends it before the day that it no longer holds', () => {
    const book = bookOf([{ ...period, effectiveUntil: '2026-02-01' }])
    assert.equal(book.find('p/m', day('2026-01-01') - 1), undefined)
    assert.equal(book.find('p/m', day('2026-01-01'))?.base.input, 1n)
    assert.equal(book.find('p/n', day('2026-02-01') - 1)?.base.output, 2n)
    assert.equal(book.find('p/m', day('2026-02-01')), undefined)
  })

  it('gives a price an id that a correction changes and nothing else does', () => {
    const idOf = (changed: Partial<PricePeriod>) =>
      bookOf([{ ...period, ...changed }]).find('p/m', day('2026-06-01'))?.id
    assert.match(idOf({}) ?? '', /^p\/m@2026-01-01~[0-9a-f]{8}$/)
    assert.equal(idOf({}), idOf({ effectiveUntil: '2027-01-01' }))
    const tiers = [{ aboveTokens: 5, input: '2', output: '2' }]
    const ids = [
      idOf({}),
      idOf({ input: '3' }),
      idOf({ cachedInput: '1' }),
      idOf({ cacheWrite: '1' }),
      idOf({ tiers }),
    ]
    assert.equal(new Set(ids).size, ids.length)
  })

  it('refuses what would make an amount ambiguous', () => {
    const refused: readonly (() => unknown)[] = [
      () => bookOf([{ ...period, input: '1.5' }]),
      () => bookOf([{ ...period, input: '1e3' }]),
      () => bookOf([{ ...period, input: '-1' }]),
      () => bookOf([{ ...period, output: '' }]),
      () => bookOf([{ ...period, effectiveFrom: '2026-1-1' }]),
      () => bookOf([{ ...period, effectiveUntil: '2026-01-01' }]),
      () => bookOf([period, { ...period, effectiveFrom: '2026-05-01' }]),
      () =>
        bookOf([
          { ...period, effectiveUntil: '2026-05-01' },
          { ...period, effectiveFrom: null },
        ]),
      () => bookOf([period], { aliases: ['m'] }),
      () =>
        bookOf([
          { ...period, tiers: [5, 5].map((aboveTokens) => ({ aboveTokens, input: '2', output: '2' })) },
        ]),
    ]
    for (const make of refused) assert.throws(make, Error)
  })
})
