import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nanosPerMinor } from '../../base/currency.ts'
import { roundLines, sum } from './rounding.ts'

const FEES = 10_000

test('a total that lies in the middle is rounded up, also below zero', () => {
  assert.deepEqual(roundLines([5_000_000n], 'USD'), [1n])
  assert.deepEqual(roundLines([4_999_999n], 'USD'), [0n])
  assert.deepEqual(roundLines([-5_000_000n], 'USD'), [0n])
  assert.deepEqual(roundLines([-5_000_001n], 'USD'), [-1n])
})

test('three thirds of a cent are a cent, and the first line has it', () => {
  const third = nanosPerMinor('USD') / 3n + 1n
  assert.deepEqual(roundLines([third, third, third], 'USD'), [1n, 0n, 0n])
})

test('10,000 random fees in USD, JPY and KWD add up to the rounded total, and none moves by a whole minor unit', () => {
  for (const currency of ['USD', 'JPY', 'KWD']) {
    const random = numbers(currency.charCodeAt(0))
    const unit = nanosPerMinor(currency)
    for (const size of [FEES, 1, 2, 7, 100]) {
      const fees = Array.from({ length: size }, () => feeOf(random, unit))
      const rounded = roundLines(fees, currency)
      const exact = sum(fees)
      const total = sum(rounded)
      const off = 2n * (total * unit - exact)
      assert.ok(off <= unit && off > -unit, `${currency}: the total ${total} of ${exact}`)
      for (const [index, fee] of fees.entries()) {
        const moved = (rounded[index] ?? 0n) * unit - fee
        assert.ok(moved < unit && moved > -unit, `${currency}: line ${index}`)
        if (fee % unit === 0n) assert.equal(moved, 0n)
      }
      assert.deepEqual(roundLines(fees, currency), rounded)
    }
  }
})

/** Most are small parts of a minor unit, some whole, some large, some negative. */
function feeOf(random: () => number, unit: bigint): bigint {
  const kind = random() % 8
  const size = BigInt(random())
  if (kind === 0) return (size % 1_000n) * unit
  if (kind === 1) return -(size % (50n * unit))
  if (kind === 2) return size * 1_000n
  return size % (2n * unit)
}

/** A linear congruential generator: the same numbers from the same seed. */
function numbers(seed: number): () => number {
  let state = BigInt(seed)
  return () => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) % 2n ** 64n
    return Number(state >> 33n)
  }
}
