import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  bucketAt,
  isInWindow,
  isTimeZone,
  type Period,
  type PeriodRule,
  periodAt,
  windowFrom,
} from './budget-period.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

function rule(period: PeriodRule['period'], timeZone = 'UTC'): PeriodRule {
  return { period, timeZone, rollingMs: null, startsAt: null, endsAt: null }
}

function at(text: string): number {
  return Date.parse(text)
}

function told(period: PeriodRule['period'], timeZone: string, moment: string): [string, string, string] {
  const found = periodAt(rule(period, timeZone), at(moment))
  assert.ok(found)
  const text = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z')
  return [found.key, text(found.startsAt), text(found.endsAt)]
}

describe('the period of a budget', () => {
  it('is the calendar one in its time zone', () => {
    const moment = '2026-11-30T23:30:00Z'
    assert.deepEqual(told('month', 'UTC', moment), [
      '2026-11',
      '2026-11-01T00:00:00Z',
      '2026-12-01T00:00:00Z',
    ])
    assert.deepEqual(told('month', 'Europe/Berlin', moment), [
      '2026-12',
      '2026-11-30T23:00:00Z',
      '2026-12-31T23:00:00Z',
    ])
    assert.deepEqual(told('day', 'Asia/Kathmandu', moment), [
      '2026-12-01',
      '2026-11-30T18:15:00Z',
      '2026-12-01T18:15:00Z',
    ])
    assert.deepEqual(told('day', 'Pacific/Chatham', moment), [
      '2026-12-01',
      '2026-11-30T10:15:00Z',
      '2026-12-01T10:15:00Z',
    ])
    assert.deepEqual(told('quarter', 'UTC', moment), [
      '2026-Q4',
      '2026-10-01T00:00:00Z',
      '2027-01-01T00:00:00Z',
    ])
    assert.deepEqual(told('year', 'America/New_York', '2027-01-01T04:59:59Z'), [
      '2026',
      '2026-01-01T05:00:00Z',
      '2027-01-01T05:00:00Z',
    ])
  })

  it('names weeks as ISO 8601 does, by the year of their Thursday', () => {
    assert.deepEqual(told('week', 'UTC', '2027-01-03T12:00:00Z'), [
      '2026-W53',
      '2026-12-28T00:00:00Z',
      '2027-01-04T00:00:00Z',
    ])
    assert.equal(told('week', 'UTC', '2024-12-30T00:00:00Z')[0], '2025-W01')
    assert.equal(told('week', 'UTC', '2026-01-05T00:00:00Z')[0], '2026-W02')
  })

  it('has 23 or 25 hours where clocks change, and a 29th of February', () => {
    const hours = (timeZone: string, moment: string): number => {
      const found = periodAt(rule('day', timeZone), at(moment))
      return found === undefined ? 0 : (found.endsAt - found.startsAt) / HOUR_MS
    }
    assert.equal(hours('Europe/Berlin', '2026-03-29T10:00:00Z'), 23)
    assert.equal(hours('Europe/Berlin', '2026-10-25T10:00:00Z'), 25)
    assert.equal(hours('Australia/Lord_Howe', '2026-04-04T20:00:00Z'), 24.5)
    assert.deepEqual(told('day', 'UTC', '2028-02-29T12:00:00Z'), [
      '2028-02-29',
      '2028-02-29T00:00:00Z',
      '2028-03-01T00:00:00Z',
    ])
    assert.equal(told('month', 'UTC', '2028-02-29T23:59:59Z')[2], '2028-03-01T00:00:00Z')
  })

  it('begins with the first moment of a day that has no midnight', () => {
    assert.deepEqual(told('day', 'America/Sao_Paulo', '2018-11-04T12:00:00Z'), [
      '2018-11-04',
      '2018-11-04T03:00:00Z',
      '2018-11-05T02:00:00Z',
    ])
  })

  it('goes on with the day that has begun where clocks are put back over midnight', () => {
    // At 00:01 of the 29th it became 23:01 of the 28th.
    const begun: [string, string, string] = ['2006-10-29', '2006-10-29T02:30:00Z', '2006-10-30T03:30:00Z']
    assert.deepEqual(told('day', 'America/St_Johns', '2006-10-29T02:30:30Z'), begun)
    assert.deepEqual(told('day', 'America/St_Johns', '2006-10-29T02:45:00Z'), begun)
    assert.equal(told('day', 'America/St_Johns', '2006-10-29T02:29:59Z')[0], '2006-10-28')
  })

  it('leaves out a day that a place left out', () => {
    const last = periodAt(rule('day', 'Pacific/Apia'), at('2011-12-30T09:59:59Z'))
    const next = periodAt(rule('day', 'Pacific/Apia'), at('2011-12-30T10:00:00Z'))
    assert.deepEqual([last?.key, next?.key], ['2011-12-29', '2011-12-31'])
    assert.equal(last?.endsAt, next?.startsAt)
  })

  it('has each moment in exactly one, one after another without a gap', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/St_Johns',
      'America/Sao_Paulo',
      'America/Havana',
      'Africa/Cairo',
      'Asia/Kathmandu',
      'Asia/Tehran',
      'Australia/Lord_Howe',
      'Pacific/Apia',
      'Pacific/Kiritimati',
    ]
    const periods = ['day', 'week', 'month', 'quarter', 'year'] as const
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...periods),
        fc.integer({ min: at('1990-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z') }),
        (timeZone, period, moment) => {
          const of = (ms: number): Period => {
            const found = periodAt(rule(period, timeZone), ms)
            assert.ok(found)
            return found
          }
          const found = of(moment)
          assert.ok(found.startsAt <= moment && moment < found.endsAt)
          assert.deepEqual(of(found.startsAt), found)
          assert.deepEqual(of(found.endsAt - 1), found)
          const next = of(found.endsAt)
          assert.equal(next.startsAt, found.endsAt)
          assert.ok(next.key !== found.key)
          assert.equal(of(found.startsAt - 1).endsAt, found.startsAt)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('is always, or between two times, for a budget for once', () => {
    assert.equal(periodAt(rule('once'), 0)?.key, 'once')
    const bounded = { ...rule('once'), startsAt: 10, endsAt: 20 }
    assert.deepEqual(
      [9, 10, 19, 20].map((ms) => periodAt(bounded, ms)?.key),
      [undefined, 'once', 'once', undefined],
    )
  })

  it('knows the time zones of this host, and no offsets', () => {
    for (const name of ['UTC', 'Europe/Berlin', 'Etc/GMT+5']) assert.ok(isTimeZone(name), name)
    for (const name of ['Mars/Olympus', '+01:00', '', 'Europe/', '2026', 'UTC+1'])
      assert.ok(!isTimeZone(name), name)
    assert.throws(() => periodAt(rule('day', 'Mars/Olympus'), 0), RangeError)
  })
})

describe('the buckets of a rolling window', () => {
  it('are a sixtieth of it, in whole minutes', () => {
    const moment = at('2026-11-22T19:31:30Z')
    assert.equal(bucketAt(HOUR_MS, moment).key, '2026-11-22T19:31Z+1m')
    assert.equal(bucketAt(MINUTE_MS, moment).key, '2026-11-22T19:31Z+1m')
    assert.equal(bucketAt(90 * MINUTE_MS, moment).key, '2026-11-22T19:30Z+2m')
    assert.equal(bucketAt(24 * HOUR_MS, moment).key, '2026-11-22T19:12Z+24m')
    assert.throws(() => periodAt(rule('rolling'), moment), RangeError)
  })

  it('count while any part of them is inside, for spending and for reading alike', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: MINUTE_MS, max: 400 * 24 * HOUR_MS }),
        fc.integer({ min: 0, max: at('2040-01-01T00:00:00Z') }),
        fc.integer({ min: 0, max: 900 * 24 * HOUR_MS }),
        (windowMs, spentAt, laterMs) => {
          const bucket = bucketAt(windowMs, spentAt)
          const moment = spentAt + laterMs
          assert.ok(bucket.startsAt <= spentAt && spentAt < bucket.endsAt)
          if (laterMs < windowMs) assert.ok(isInWindow(windowMs, bucket, moment))
          assert.equal(bucket.startsAt > windowFrom(windowMs, moment), isInWindow(windowMs, bucket, moment))
        },
      ),
    )
  })
})
