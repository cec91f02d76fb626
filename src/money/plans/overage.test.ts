import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { chargeFor } from './overage.ts'
import type { Overage, Tier } from './plan.ts'

const RUNS = 300
const metric = 'token'

/** Unit by unit, as slowly as it is written on a price list. */
function counted(overage: Overage, quantity: number): bigint {
  if (quantity === 0) return 0n
  if (overage.model === 'per_unit') return BigInt(quantity) * overage.unitNanos
  if (overage.model === 'package') {
    let packages = 0n
    for (let left = quantity; left > 0; left -= Number(overage.packageSize)) packages += 1n
    return packages * overage.packageNanos
  }
  const tierOf = (unit: number): Tier => {
    const tier = overage.tiers.find(({ upTo }) => upTo === null || BigInt(unit) <= upTo)
    assert.ok(tier)
    return tier
  }
  if (overage.model === 'volume') {
    const tier = tierOf(quantity)
    return BigInt(quantity) * tier.unitNanos + tier.flatNanos
  }
  const entered = new Set<Tier>()
  let sum = 0n
  for (let unit = 1; unit <= quantity; unit++) {
    const tier = tierOf(unit)
    if (!entered.has(tier)) sum += tier.flatNanos
    entered.add(tier)
    sum += tier.unitNanos
  }
  return sum
}

const nanos = fc.bigInt({ min: 0n, max: 10n ** 12n })
const quantity = fc.integer({ min: 0, max: 500 })
const tiers = fc
  .record({
    ends: fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { maxLength: 6 }),
    prices: fc.array(fc.tuple(nanos, nanos), { minLength: 7, maxLength: 7 }),
  })
  .map(({ ends, prices }) =>
    [...ends.toSorted((a, b) => a - b).map(BigInt), null].map(
      (upTo, index): Tier => ({
        upTo,
        unitNanos: prices[index]?.[0] ?? 0n,
        flatNanos: prices[index]?.[1] ?? 0n,
      }),
    ),
  )
const overage: fc.Arbitrary<Overage> = fc.oneof(
  nanos.map((unitNanos) => ({ metric, model: 'per_unit', unitNanos }) as const),
  tiers.map((list) => ({ metric, model: 'graduated', tiers: list }) as const),
  tiers.map((list) => ({ metric, model: 'volume', tiers: list }) as const),
  fc
    .tuple(fc.bigInt({ min: 1n, max: 60n }), nanos)
    .map(([packageSize, packageNanos]) => ({ metric, model: 'package', packageSize, packageNanos }) as const),
)

describe('overage', () => {
  it('is what counting unit by unit comes to, exactly, and its parts sum to it', () => {
    fc.assert(
      fc.property(overage, quantity, (charged, used) => {
        const { exactNanos, detail } = chargeFor(charged, BigInt(used))
        assert.equal(exactNanos, counted(charged, used))
        assert.equal(
          detail.parts.reduce((sum, { amountNanos }) => sum + amountNanos, 0n),
          exactNanos,
        )
      }),
      { numRuns: RUNS },
    )
  })

  it('charges nothing for nothing, not even a flat amount', () => {
    const tier: Tier = { upTo: null, unitNanos: 1n, flatNanos: 500n }
    assert.equal(chargeFor({ metric, model: 'graduated', tiers: [tier] }, 0n).exactNanos, 0n)
    assert.equal(chargeFor({ metric, model: 'volume', tiers: [tier] }, 0n).exactNanos, 0n)
  })

  it('is exact for amounts that no float holds', () => {
    const unitNanos = 333_333_333n
    const used = 9_007_199_254_740_993n
    assert.equal(chargeFor({ metric, model: 'per_unit', unitNanos }, used).exactNanos, used * unitNanos)
  })
})
