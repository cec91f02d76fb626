// Rounding of an invoice: its lines are exact; what is paid has the minor units of a currency. The total is rounded once,
// and the lines are rounded so that they add up to it.

import { nanosPerMinor } from '../../base/currency.ts'

/**
 * Rounds exact amounts (billionths of a unit) to minor units by the largest remainder (Hamilton's method): each line is
 * rounded down, and what the rounded total has more goes, one each, to the lines that lost most; of equal ones to the
 * first. Each line is less than one minor unit away from its exact amount, and one that is whole stays as it is.
 */
export function roundLines(exact: readonly bigint[], currency: string): readonly bigint[] {
  const unit = nanosPerMinor(currency)
  const floors = exact.map((amount) => floorDivide(amount, unit))
  const total = roundHalfUp(sum(exact), unit)
  const spare = Number(total - sum(floors))
  const byRemainder = exact
    .map((amount, index) => ({ index, remainder: amount - (floors[index] ?? 0n) * unit }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder < b.remainder ? 1 : -1))
  const raised = new Set(byRemainder.slice(0, spare).map(({ index }) => index))
  return floors.map((floor, index) => (raised.has(index) ? floor + 1n : floor))
}

export function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n)
}

/** Of two neighbours the nearer; in the middle the higher one. */
function roundHalfUp(amount: bigint, unit: bigint): bigint {
  return floorDivide(2n * amount + unit, 2n * unit)
}

function floorDivide(amount: bigint, unit: bigint): bigint {
  const quotient = amount / unit
  return amount % unit < 0n ? quotient - 1n : quotient
}
