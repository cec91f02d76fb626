import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isTimeZone, periodAt, periodFrom } from './periods.ts'
import { portion } from './proration.ts'

const at = (text: string): number => Date.parse(text)
const iso = (ms: number): string => new Date(ms).toISOString()
const starts = (
  anchor: string,
  interval: 'month' | 'year',
  zone: string,
  indexes: readonly number[],
): string[] => indexes.map((index) => iso(periodAt(at(anchor), interval, index, zone).startsAt))

describe('periods', () => {
  it('lead from 31 January to the last of February and back to 31 March', () => {
    assert.deepEqual(starts('2026-01-31T10:00:00Z', 'month', 'UTC', [0, 1, 2, 3, 4]), [
      '2026-01-31T10:00:00.000Z',
      '2026-02-28T10:00:00.000Z',
      '2026-03-31T10:00:00.000Z',
      '2026-04-30T10:00:00.000Z',
      '2026-05-31T10:00:00.000Z',
    ])
    assert.deepEqual(starts('2028-01-31T10:00:00Z', 'month', 'UTC', [1]), ['2028-02-29T10:00:00.000Z'])
  })

  it('are yearly from 29 February: 28 February in other years, 29 in leap years', () => {
    assert.deepEqual(starts('2028-02-29T00:00:00Z', 'year', 'UTC', [0, 1, 4]), [
      '2028-02-29T00:00:00.000Z',
      '2029-02-28T00:00:00.000Z',
      '2032-02-29T00:00:00.000Z',
    ])
  })

  it('keep the wall clock over changes of daylight saving time', () => {
    // Berlin: +01:00 until 29 March 2026, then +02:00 until 25 October.
    assert.deepEqual(starts('2026-03-10T23:00:00Z', 'month', 'Europe/Berlin', [0, 1, 8]), [
      '2026-03-10T23:00:00.000Z',
      '2026-04-10T22:00:00.000Z',
      '2026-11-10T23:00:00.000Z',
    ])
    // 02:30 on 29 March is left out: an hour later. 02:30 on 25 October comes twice: the first.
    assert.deepEqual(starts('2026-01-29T01:30:00Z', 'month', 'Europe/Berlin', [2]), [
      '2026-03-29T01:30:00.000Z',
    ])
    assert.deepEqual(starts('2026-09-25T00:30:00Z', 'month', 'Europe/Berlin', [1]), [
      '2026-10-25T00:30:00.000Z',
    ])
  })

  it('lie side by side for any anchor, interval and zone', () => {
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia')
    const anchor = fc.integer({ min: at('2020-01-01T00:00:00Z'), max: at('2030-01-01T00:00:00Z') })
    fc.assert(
      fc.property(anchor, zone, fc.constantFrom('month', 'year'), (anchorAt, timeZone, interval) => {
        let end = anchorAt
        for (let index = 0; index < 14; index++) {
          const period = periodAt(anchorAt, interval, index, timeZone)
          assert.equal(period.startsAt, end)
          assert.deepEqual(periodFrom(end, anchorAt, interval, timeZone), period)
          end = period.endsAt
        }
      }),
      { numRuns: 60 },
    )
  })

  it('are neither very short nor very long after the time zone changed', () => {
    const anchor = at('2026-03-01T00:00:00Z')
    const next = periodFrom(periodAt(anchor, 'month', 0, 'UTC').endsAt, anchor, 'month', 'America/New_York')
    const days = (next.endsAt - next.startsAt) / 86_400_000
    assert.ok(days >= 14 && days <= 46, `${days} days`)
  })

  it('know which time zones there are', () => {
    assert.equal(isTimeZone('Europe/Berlin'), true)
    for (const wrong of ['Europe/Bonn', '', '+02:00', 'Europe/Berlin\n', '__proto__'])
      assert.equal(isTimeZone(wrong), false, wrong)
  })
})

describe('proration', () => {
  it('gives parts that sum to the whole, however the period is cut', () => {
    const amount = fc.bigInt({ min: 0n, max: 10n ** 12n })
    const length = fc.integer({ min: 1, max: 31 * 86_400_000 })
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 })
    fc.assert(
      fc.property(amount, length, cuts, (price, ms, places) => {
        const period = { startsAt: 1_000, endsAt: 1_000 + ms }
        const inside = places.map((place) => 1_000 + Math.floor(place * ms)).toSorted((a, b) => a - b)
        const edges = [period.startsAt, ...inside, period.endsAt]
        let sum = 0n
        for (let i = 1; i < edges.length; i++) {
          const part = portion(price, period, edges[i - 1] ?? 0, edges[i] ?? 0)
          assert.ok(part >= 0n)
          sum += part
        }
        assert.equal(sum, price)
      }),
      { numRuns: 500 },
    )
  })

  it('is exact to the millisecond, and nothing outside of the period', () => {
    const period = { startsAt: 0, endsAt: 1_000 }
    assert.equal(portion(1_000_000n, period, 0, 1), 1_000n)
    assert.equal(portion(3_000n, period, 500, 1_000), 1_500n)
    assert.equal(portion(3_000n, period, 1_000, 5_000), 0n)
    assert.equal(portion(3_000n, period, -5, 1_005), 3_000n)
  })
})
