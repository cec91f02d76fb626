// Equality of JSON values as JSON Schema defines it: 1 and 1.0 are equal, the order of keys does not count.

import type { Json } from './json.ts'

export function sameJson(left: Json, right: Json): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
    return left.every((item, index) => sameJson(item, right[index] ?? null))
  }
  const entries = Object.entries(left)
  if (entries.length !== Object.keys(right).length) return false
  const others = right as { readonly [key: string]: Json }
  return entries.every(([key, value]) => Object.hasOwn(others, key) && sameJson(value, others[key] ?? null))
}

/** A text that two values share exactly when they are equal. */
export function equalityKey(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value === 0 ? 0 : value)
  if (Array.isArray(value)) return `[${value.map(equalityKey).join(',')}]`
  const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${equalityKey(item)}`).join(',')}}`
}

/** Whether the decimal texts of the numbers divide without rest: 0.3 is a multiple of 0.1. */
export function isMultipleOf(value: number, divisor: number): boolean {
  const [digits, exponent] = decimal(value)
  const [divisorDigits, divisorExponent] = decimal(divisor)
  const shift = exponent - divisorExponent
  if (shift >= 0) return (digits * 10n ** BigInt(shift)) % divisorDigits === 0n
  return digits % (divisorDigits * 10n ** BigInt(-shift)) === 0n
}

function decimal(value: number): readonly [digits: bigint, exponent: number] {
  const [number = '0', exponent = '0'] = Math.abs(value).toString().split('e')
  const [whole = '0', fraction = ''] = number.split('.')
  return [BigInt(whole + fraction), Number(exponent) - fraction.length]
}
