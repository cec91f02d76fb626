import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { newId } from '../../base/ids.ts'
import {
  type Account,
  type Balance,
  type Budget,
  crossedBy,
  hasRoom,
  leftOf,
  NOTHING,
  noRoomMessage,
  roomAgainAt,
  wentOver,
} from './budget.ts'
import { bucketAt } from './budget-period.ts'

const MINUTE_MS = 60_000
const PERIOD = { key: '2026-11', startsAt: 0, endsAt: 1_000 }

function account(budget: Partial<Budget>, balance: Partial<Balance> = {}): Account {
  const whole: Budget = {
    id: newId('budget'),
    name: 'team',
    scopeType: 'tenant',
    scopeId: 'ten_1',
    mode: 'hard',
    limitNanos: 100n,
    period: 'month',
    timeZone: 'UTC',
    rollingMs: null,
    startsAt: null,
    endsAt: null,
    thresholds: [50, 80, 100],
    onFailure: 'closed',
    state: 'active',
    revision: 1,
    createdBy: 'test',
    createdAt: 0,
    updatedAt: 0,
    ...budget,
  }
  return { budget: whole, period: PERIOD, balance: { ...NOTHING, ...balance } }
}

const amount = fc.bigInt({ min: 0n, max: 10_000n })

describe('a budget', () => {
  it('has room exactly up to its limit, with what is topped up; a soft one always', () => {
    fc.assert(
      fc.property(
        amount,
        amount,
        amount,
        amount,
        amount,
        (limitNanos, extraNanos, settledNanos, heldNanos, more) => {
          const balance = { extraNanos, settledNanos, heldNanos }
          const fits = settledNanos + heldNanos + more <= limitNanos + extraNanos
          assert.equal(hasRoom(account({ limitNanos }, balance), more), fits)
          assert.equal(hasRoom(account({ limitNanos, mode: 'ask' }, balance), more), fits)
          assert.ok(hasRoom(account({ limitNanos, mode: 'soft' }, balance), more))
        },
      ),
    )
  })

  it('crosses each threshold once, whatever the steps', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 500n }), fc.array(amount), (limitNanos, costs) => {
        let crossed = 0
        let settledNanos = 0n
        const told: number[] = []
        for (const cost of costs) {
          settledNanos += cost
          const now = crossedBy(account({ limitNanos }, { settledNanos, crossed }))
          told.push(...now)
          crossed = now.at(-1) ?? crossed
        }
        const due = [50n, 80n, 100n].filter(
          (percent) => settledNanos > 0n && settledNanos * 100n >= limitNanos * percent,
        )
        assert.deepEqual(told, due.map(Number))
      }),
    )
  })

  it('crosses nothing while nothing is spent, and everything of a zero limit with the first nano', () => {
    assert.deepEqual(crossedBy(account({ limitNanos: 0n }, { heldNanos: 5n })), [])
    assert.deepEqual(crossedBy(account({ limitNanos: 0n }, { settledNanos: 1n })), [50, 80, 100])
  })

  it('goes over its limit once', () => {
    const over = (left: bigint, added: bigint): boolean =>
      wentOver(account({}, { settledNanos: 100n - left }), added)
    assert.deepEqual([over(0n, 5n), over(-1n, 1n), over(-5n, 4n), over(-5n, 5n)], [false, true, false, true])
    assert.ok(!wentOver(account({ mode: 'soft' }, { settledNanos: 200n }), 200n))
  })

  it('says in one line what is left and what would be needed', () => {
    const message = noRoomMessage(
      account({ limitNanos: 5_000_000_000n }, { settledNanos: 4_500_000_000n }),
      750_000_000n,
    )
    assert.match(message, /"team" has 0\.5 USD left of 5 USD \(2026-11\), and up to 0\.75 USD is needed/)
    assert.equal(leftOf(account({}, { settledNanos: 130n })), -30n)
  })

  it('has room again in its next period, if its limit allows it at all', () => {
    assert.equal(roomAgainAt(account({}, { settledNanos: 100n }), 100n, []), 1_000)
    assert.equal(roomAgainAt(account({}, { extraNanos: 50n }), 101n, []), undefined)
    assert.equal(roomAgainAt(account({ period: 'once' }), 1n, []), undefined)
  })

  it('of a rolling window has room again at the first moment that the amount fits', () => {
    const windowMs = 60 * MINUTE_MS
    const spent = fc.record({
      minute: fc.integer({ min: 0, max: 59 }),
      nanos: fc.bigInt({ min: 1n, max: 60n }),
    })
    fc.assert(
      fc.property(fc.array(spent), fc.bigInt({ min: 0n, max: 100n }), (spendings, more) => {
        const buckets = spendings.map(({ minute, nanos }) => ({
          endsAt: bucketAt(windowMs, minute * MINUTE_MS).endsAt,
          settledNanos: nanos,
          heldNanos: 0n,
          extraNanos: 0n,
        }))
        const usedAt = (at: number): bigint =>
          buckets.reduce(
            (sum, { endsAt, settledNanos }) => (endsAt > at - windowMs ? sum + settledNanos : sum),
            0n,
          )
        const now = 59 * MINUTE_MS
        if (usedAt(now) + more <= 100n) return
        const again = roomAgainAt(account({ period: 'rolling', rollingMs: windowMs }), more, buckets)
        assert.ok(again !== undefined && again > now)
        assert.ok(usedAt(again) + more <= 100n)
        assert.ok(usedAt(again - 1) + more > 100n)
      }),
    )
  })
})
