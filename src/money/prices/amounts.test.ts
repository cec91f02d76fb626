import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { overlap, parseAmounts, periodErrors } from './amounts.ts'

describe('amounts that people set', () => {
  const flat = { input: '1000000', output: '2000000' }
  const placesOf = (input: unknown): readonly string[] =>
    (parseAmounts(input).errors ?? []).map(({ path }) => path)

  it('are taken with tiers and conditions', () => {
    const amounts = {
      ...flat,
      cachedInput: '0',
      audioInput: null,
      tiers: [
        { aboveTokens: 10, ...flat, cachedInput: '1' },
        { aboveTokens: 20, ...flat, cachedInput: '2' },
      ],
      conditions: { batch: { ...flat, source: 'contract' }, 'batch+us': { ...flat, promptTokensMax: 10 } },
    }
    assert.deepEqual(parseAmounts(amounts), { amounts })
  })

  it('are refused where they are no whole pico-USD, each at its place', () => {
    for (const wrong of ['-1', '1.5', '1e3', '01', '', ' 1', '1000000000000', 5, true, {}])
      assert.deepEqual(placesOf({ ...flat, cachedInput: wrong }), ['/cached_input'], String(wrong))
    assert.deepEqual(placesOf({ input: '-1', cacheWriteOneHour: '0.5' }), [
      '/input',
      '/cache_write_one_hour',
      '/output',
    ])
    assert.match(parseAmounts({ ...flat, input: 1 }).errors?.[0]?.message ?? '', /whole pico-USD/)
  })

  it('are refused where a field is not known', () => {
    assert.deepEqual(placesOf({ ...flat, cachedinput: '1' }), ['/cachedinput'])
    assert.deepEqual(placesOf({ ...flat, tiers: [{ aboveTokens: 1, ...flat, tiers: [] }] }), [
      '/tiers/0/tiers',
    ])
    for (const wrong of [null, [], 'x', undefined]) assert.deepEqual(placesOf(wrong), [''])
  })

  it('are refused where tiers do not rise, or leave a gap', () => {
    const tiers = (...list: unknown[]) => placesOf({ ...flat, cachedInput: '1', tiers: list })
    const tier = { ...flat, cachedInput: '2' }
    assert.deepEqual(tiers({ aboveTokens: 5, ...tier }, { aboveTokens: 5, ...tier }), [
      '/tiers/1/above_tokens',
    ])
    assert.deepEqual(tiers({ aboveTokens: 9, ...tier }, { aboveTokens: 5, ...tier }), [
      '/tiers/1/above_tokens',
    ])
    for (const aboveTokens of [0, -1, 1.5, '5', null])
      assert.deepEqual(tiers({ aboveTokens, ...tier }), ['/tiers/0/above_tokens'])
    assert.deepEqual(tiers({ aboveTokens: 5, ...flat }), ['/tiers/0/cached_input'])
    assert.deepEqual(tiers({ aboveTokens: 5, input: '1' }), ['/tiers/0/output', '/tiers/0/cached_input'])
    assert.deepEqual(tiers(7), ['/tiers/0'])
    assert.deepEqual(placesOf({ ...flat, tiers: {} }), ['/tiers'])
    assert.deepEqual(tiers(...Array.from({ length: 21 }, () => tier)), ['/tiers'])
  })

  it('are refused where a condition is none', () => {
    const conditions = (value: unknown) => placesOf({ ...flat, conditions: value })
    assert.deepEqual(conditions([]), ['/conditions'])
    assert.deepEqual(conditions({ standard: flat }), ['/conditions/standard'])
    assert.deepEqual(conditions({ 'Two words': flat }), ['/conditions/Two words'])
    assert.deepEqual(conditions({ flex: 1 }), ['/conditions/flex'])
    assert.deepEqual(conditions({ flex: { input: '1', output: '-1' } }), ['/conditions/flex/output'])
    assert.deepEqual(conditions({ flex: { ...flat, source: 5 } }), ['/conditions/flex/source'])
    assert.deepEqual(conditions({ flex: { ...flat, tiers: [{ aboveTokens: 0, ...flat }] } }), [
      '/conditions/flex/tiers/0/above_tokens',
    ])
  })

  it('hold in periods that share no moment', () => {
    const period = (from: number | undefined, until: number | undefined) => ({ from, until })
    assert.deepEqual(periodErrors([period(undefined, 5), period(5, 9), period(9, undefined)]), [])
    const wrong = periodErrors([period(0, 5), period(4, undefined), period(7, 7), period(undefined, 0)])
    assert.deepEqual(
      wrong.map(({ path }) => path),
      ['/1/effective_from', '/2/effective_until'],
    )
    assert.equal(overlap(period(undefined, undefined), period(1, 2)), true)
    assert.equal(overlap(period(1, 2), period(2, 3)), false)
  })
})
