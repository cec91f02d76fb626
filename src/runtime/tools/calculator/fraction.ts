// Exact arithmetic with fractions of integers, so that 0.1 + 0.2 is 0.3 and large products keep every digit.

/** numerator / denominator, in lowest terms; the denominator is above zero. */
export interface Fraction {
  readonly numerator: bigint
  readonly denominator: bigint
}

/** About 1,200 decimal digits. Larger numbers are refused before they are computed. */
const BITS_MAX = 4_096
/** Digits after the point when a fraction does not end, as of 1/3. */
const PLACES_MAX = 30

export class TooLargeError extends Error {
  override readonly name = 'TooLargeError'
}

export function fraction(numerator: bigint, denominator = 1n): Fraction {
  const sign = denominator < 0n ? -1n : 1n
  const divisor = greatestCommonDivisor(abs(numerator), abs(denominator)) * sign
  const reduced = { numerator: numerator / divisor, denominator: denominator / divisor }
  if (bits(reduced.numerator) > BITS_MAX || bits(reduced.denominator) > BITS_MAX) throw new TooLargeError()
  return reduced
}

export const add = (left: Fraction, right: Fraction): Fraction =>
  fraction(
    left.numerator * right.denominator + right.numerator * left.denominator,
    left.denominator * right.denominator,
  )

export const negate = ({ numerator, denominator }: Fraction): Fraction => ({
  numerator: -numerator,
  denominator,
})

export const subtract = (left: Fraction, right: Fraction): Fraction => add(left, negate(right))

export const multiply = (left: Fraction, right: Fraction): Fraction =>
  fraction(left.numerator * right.numerator, left.denominator * right.denominator)

/** The divisor must not be zero. */
export const divide = (left: Fraction, right: Fraction): Fraction =>
  fraction(left.numerator * right.denominator, left.denominator * right.numerator)

export const floor = ({ numerator, denominator }: Fraction): Fraction => {
  const quotient = numerator / denominator
  return fraction(numerator % denominator < 0n ? quotient - 1n : quotient)
}

/** The rest has the sign of the left side, as in most programming languages: -7 mod 3 is -1. */
export const remainder = (left: Fraction, right: Fraction): Fraction => {
  const quotient = divide(left, right)
  const whole = fraction(quotient.numerator / quotient.denominator)
  return subtract(left, multiply(whole, right))
}

/** A whole power, negative ones included (of anything but zero). */
export function power(base: Fraction, exponent: bigint): Fraction {
  const times = abs(exponent)
  const size = BigInt(Math.max(bits(base.numerator), bits(base.denominator)))
  const trivial = base.denominator === 1n && abs(base.numerator) <= 1n
  if (!trivial && size * times > BigInt(2 * BITS_MAX)) throw new TooLargeError()
  if (trivial)
    return fraction(base.numerator === -1n && times % 2n === 0n ? 1n : times === 0n ? 1n : base.numerator)
  const raised = fraction(base.numerator ** times, base.denominator ** times)
  return exponent < 0n ? divide(fraction(1n), raised) : raised
}

export const compare = (left: Fraction, right: Fraction): number => {
  const difference = left.numerator * right.denominator - right.numerator * left.denominator
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

export const isWhole = ({ denominator }: Fraction): boolean => denominator === 1n

/** The fraction of a decimal text such as `12.50` or `1e-3`. The text must be one. */
export function fromDecimal(text: string): Fraction {
  const [mantissa = '0', exponent = '0'] = text.toLowerCase().split('e')
  const [whole = '0', places = ''] = mantissa.split('.')
  const shift = Number(exponent) - places.length
  if (Math.abs(shift) > BITS_MAX / 4 || mantissa.length > BITS_MAX / 4) throw new TooLargeError()
  const digits = BigInt(whole + places)
  return shift >= 0 ? fraction(digits * 10n ** BigInt(shift)) : fraction(digits, 10n ** BigInt(-shift))
}

/** The decimal text: all digits where they end, else rounded to 30 places. */
export function toDecimal(value: Fraction): string {
  const sign = value.numerator < 0n ? '-' : ''
  const top = abs(value.numerator)
  const scaled = (top * 10n ** BigInt(PLACES_MAX + 1)) / value.denominator
  const rounded = (scaled + 5n) / 10n
  const digits = rounded.toString().padStart(PLACES_MAX + 1, '0')
  const places = digits.slice(-PLACES_MAX).replace(/0+$/, '')
  const whole = digits.slice(0, -PLACES_MAX)
  return places === '' ? sign + whole : `${sign}${whole}.${places}`
}

/** The nearest JSON number. */
export function toNumber(value: Fraction): number {
  const plain = Number(toDecimal(value))
  // Very small values have no digits left in 30 places.
  const number = plain === 0 ? Number(value.numerator) / Number(value.denominator) : plain
  return number === 0 ? 0 : number
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value
}

function bits(value: bigint): number {
  return abs(value).toString(16).length * 4
}

function greatestCommonDivisor(left: bigint, right: bigint): bigint {
  let [a, b] = [left, right]
  while (b !== 0n) [a, b] = [b, a % b]
  return a === 0n ? 1n : a
}
