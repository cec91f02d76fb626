import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { newId, type RunId } from '../../base/ids.ts'
import {
  type Allowance,
  allowanceBelow,
  giveBackAside,
  lostCost,
  type MoneyLimit,
  setAside,
  settle,
  UNLIMITED,
  unbound,
  unspent,
} from './allowance.ts'
import { createInterruption, Stopped } from './interruption.ts'

function limit(nanos: bigint, runId: RunId = newId('run', 0)): MoneyLimit {
  return { runId, nanos, spent: 0n, aside: new Map(), unknown: false, waiting: new Set() }
}

function ask(owner: string, wantedNanos: bigint | undefined, leastNanos = wantedNanos) {
  return { owner, what: 'this', wantedNanos, leastNanos }
}

const going = createInterruption()

async function message(allowance: Allowance, of: ReturnType<typeof ask>): Promise<string> {
  const granted = await setAside(allowance, of, going)
  assert.ok(granted.outcome === 'refused' && granted.error.code === 'limit.money')
  return granted.error.message
}

describe('the allowance of a run', () => {
  it('grants what is left, as long as that is of use, and says what is spent and needed where it is not', async () => {
    const own = limit(100n)
    const allowance = allowanceBelow(UNLIMITED, own)
    assert.deepEqual(await setAside(allowance, ask('a', 60n), going), { outcome: 'granted', nanos: 60n })
    settle(allowance, 'a', 50n)
    assert.deepEqual(await setAside(allowance, ask('a', 60n, 5n), going), { outcome: 'granted', nanos: 50n })
    settle(allowance, 'a', 48n)
    assert.equal(unspent(allowance, own.runId), 2n)
    assert.equal(
      await message(allowance, ask('a', 60n, 5n)),
      'The money limit is $0.0000001 (limits.max_cost_usd): $0.000000098 is spent, and this needs up to $0.000000005.',
    )
    assert.equal((await setAside(allowance, ask('free', 0n), going)).outcome, 'granted')
  })

  it('is bound by each limit above it as well', async () => {
    const top = limit(100n)
    const above = allowanceBelow(UNLIMITED, top)
    const below = allowanceBelow(above, limit(1_000n))
    const beside = allowanceBelow(above, limit(1_000n))
    await setAside(below, ask('a', 60n), going)
    settle(below, 'a', 60n)
    assert.match(await message(beside, ask('b', 41n)), new RegExp(`of the run ${top.runId} above it`))
    assert.equal((await setAside(beside, ask('b', 40n), going)).outcome, 'granted')
  })

  it('waits for what is under way, which may cost less than it can', async () => {
    const above = allowanceBelow(UNLIMITED, limit(100n))
    const [one, two] = [allowanceBelow(above, limit(90n)), above]
    await setAside(one, ask('a', 70n), going)
    const second = setAside(two, ask('b', 50n), going)
    settle(one, 'a', 40n)
    assert.deepEqual(await second, { outcome: 'granted', nanos: 50n })
    const third = setAside(one, ask('c', 30n, 1n), going)
    giveBackAside(two, 'b')
    assert.deepEqual(await third, { outcome: 'granted', nanos: 30n })
  })

  it('does not wait for what an earlier process left, but counts it until it is made again', async () => {
    const own = limit(100n)
    own.aside.set('left', { nanos: 60n, live: false })
    const allowance = allowanceBelow(UNLIMITED, own)
    assert.match(await message(allowance, ask('b', 50n)), /up to \$0\.00000006 is under way/)
    assert.equal((await setAside(allowance, ask('left', 60n), going)).outcome, 'granted')
    settle(allowance, 'left', 60n)
    assert.equal(unspent(allowance, own.runId), 40n)
  })

  it('ends with a cost that nobody knows, and begins not at all where there is no price', async () => {
    const above = allowanceBelow(UNLIMITED, limit(100n))
    const below = allowanceBelow(above, limit(100n))
    assert.match(await message(above, ask('a', undefined)), /not known.*Set a price/)
    assert.equal((await setAside(UNLIMITED, ask('a', undefined), going)).outcome, 'granted')
    settle(below, 'a', undefined)
    assert.equal(lostCost(above)?.code, 'limit.money')
    assert.match(await message(above, ask('a', 0n)), /is not known/)
  })

  it('binds no undoing, whose cost counts', async () => {
    const own = limit(100n)
    const undoing = unbound(allowanceBelow(UNLIMITED, own))
    assert.equal((await setAside(undoing, ask('a', 500n), going)).outcome, 'granted')
    settle(undoing, 'a', 400n)
    assert.equal(own.spent, 400n)
  })

  it('leaves nobody waiting who is stopped', async () => {
    const allowance = allowanceBelow(UNLIMITED, limit(100n))
    await setAside(allowance, ask('a', 100n), going)
    const stopping = createInterruption()
    const waiting = setAside(allowance, ask('b', 10n), stopping)
    stopping.stop('cancelled')
    await assert.rejects(waiting, Stopped)
    assert.equal(allowance.binding[0]?.waiting.size, 0)
  })

  it('is never passed, and everybody gets an answer, in whatever order things are asked for and settled', async () => {
    const steps = fc.array(fc.record({ worst: fc.bigInt(1n, 60n), part: fc.nat(100), whose: fc.nat(3) }), {
      maxLength: 40,
    })
    await fc.assert(
      fc.asyncProperty(steps, fc.infiniteStream(fc.boolean()), async (asks, coins) => {
        const top = limit(200n)
        const above = allowanceBelow(UNLIMITED, top)
        const all = [above, ...[50n, 120n, 400n].map((nanos) => allowanceBelow(above, limit(nanos)))]
        const check = (): void => {
          for (const { nanos, spent, aside } of all.flatMap(({ counting }) => counting))
            assert.ok([...aside.values()].reduce((sum, one) => sum + one.nanos, spent) <= nanos)
        }
        await Promise.all(
          asks.map(async ({ worst, part, whose }, n) => {
            const allowance = all[whose] ?? above
            const granted = await setAside(allowance, ask(`${n}`, worst, (worst + 1n) / 2n), going)
            check()
            if (granted.outcome === 'refused') return
            while (coins.next().value) await Promise.resolve()
            settle(allowance, `${n}`, (granted.nanos * BigInt(part)) / 100n)
            check()
          }),
        )
        for (const { aside, waiting } of all.flatMap(({ counting }) => counting))
          assert.equal(aside.size + waiting.size, 0)
      }),
      { numRuns: 200 },
    )
  })
})
