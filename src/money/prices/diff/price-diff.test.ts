import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { makeSecondSource } from '../../../../scripts/second-prices-update.ts'
import { bookNames } from '../own/book-prices.ts'
import { priceBook } from '../price-book.ts'
import { comparePrices } from './price-diff.ts'
import data from './second-source.json' with { type: 'json' }
import { secondSource } from './second-source.ts'

const AT = Date.parse('2026-11-22T12:00:00.000Z')

describe('the second source', () => {
  it('is what the script makes of the installed package, with its licence', async () => {
    assert.deepEqual(data, JSON.parse(JSON.stringify(await makeSecondSource(data.header.retrieved))))
    assert.match(data.header.notice, /Copyright/)
    assert.match(data.header.licenceText, /^MIT License.+Permission is hereby granted/s)
  })

  it('is compared with the book, and every disagreement is a real one', () => {
    const book = priceBook()
    const { prices } = secondSource()
    const found = comparePrices(book, prices, AT)
    assert.ok(found.compared > 50)
    assert.equal(found.onlyHere, bookNames().size - found.compared)
    assert.equal(found.compared + found.onlyThere, prices.length)
    const models = new Set(found.disagreements.map(({ model }) => model))
    assert.equal(found.agreeing, found.compared - models.size)
    for (const { model, field, ours, theirs } of found.disagreements) {
      assert.notEqual(ours, theirs)
      assert.equal(prices.find((one) => one.model === model)?.[field], theirs)
    }
  })
})

describe('comparePrices', () => {
  // A model of the book whose price has changed once, found rather than named so that the book may change.
  const [changed, of] =
    [...bookNames()].find(
      ([, { prices }]) => prices.length > 1 && prices.at(-1)?.input !== prices.at(-2)?.input,
    ) ?? []
  /** After every price that the book knows of. */
  const later = Date.parse('2999-01-01T00:00:00.000Z')
  const usd = (picos: string | undefined) => (Number(picos) / 1_000_000).toString()

  it('tells by how much, and where theirs is an earlier price of ours', () => {
    assert.ok(changed && of)
    const [before, now] = [usd(of.prices.at(-2)?.input), usd(of.prices.at(-1)?.input)]
    const { disagreements } = comparePrices(priceBook(), [{ model: changed, input: before }], later)
    assert.equal(disagreements.length, 1)
    const { ours, theirs, theirsIsEarlier, ratio } = disagreements[0] ?? {}
    assert.deepEqual([ours, theirs, theirsIsEarlier], [now, before, true])
    assert.equal(Number(ratio).toFixed(3), (Number(before) / Number(now)).toFixed(3))
  })

  it('compares decimals and not their texts, and only what they tell', () => {
    assert.ok(changed && of)
    const now = `${usd(of.prices.at(-1)?.input)}`
    const same = now.includes('.') ? `${now}00` : `${now}.00`
    const found = comparePrices(priceBook(), [{ model: changed, input: same }], later)
    assert.deepEqual([found.compared, found.agreeing, found.disagreements], [1, 1, []])
  })

  it('counts what only they have, of providers that the book has, and a model given twice once', () => {
    const theirs = [
      { model: 'openai/not-there', input: '1' },
      { model: 'nobody/m', input: '1' },
      { model: changed ?? '', input: '0.123' },
      { model: changed ?? '', input: '0.456' },
    ]
    const found = comparePrices(priceBook(), theirs, later)
    assert.deepEqual([found.compared, found.onlyThere, found.disagreements.length], [1, 1, 1])
  })
})
