// Decimal texts, exactly: read, shifted, compared. No number is ever made of them.

/** `digits × 10^exponent`. */
export interface Decimal {
  readonly digits: bigint
  readonly exponent: number
}

/** As JSON writes numbers, with few enough digits that arithmetic on them is cheap. */
const FORM = /^(-?)(\d{1,40})(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,2}))?$/

/** The value of a text such as `1.25`, `1.25e-06`; undefined where it is not one. */
export function readDecimal(text: string): Decimal | undefined {
  const match = FORM.exec(text)
  if (!match) return undefined
  const fraction = match[3] ?? ''
  const digits = BigInt(`${match[2] ?? '0'}${fraction}`)
  return {
    digits: match[1] === '-' ? -digits : digits,
    exponent: Number(match[4] ?? '0') - fraction.length,
  }
}

/** The value times `10^places`. */
export function shifted({ digits, exponent }: Decimal, places: number): Decimal {
  return { digits, exponent: exponent + places }
}

/** The value where it is a whole number, else undefined. */
export function wholeOf({ digits, exponent }: Decimal): bigint | undefined {
  if (exponent >= 0) return digits * 10n ** BigInt(exponent)
  const divisor = 10n ** BigInt(-exponent)
  return digits % divisor === 0n ? digits / divisor : undefined
}

/** The one text of a value: no exponent, no needless zeros. */
export function decimalText({ digits, exponent }: Decimal): string {
  if (exponent >= 0) return (digits * 10n ** BigInt(exponent)).toString()
  const sign = digits < 0n ? '-' : ''
  const text = (digits < 0n ? -digits : digits).toString().padStart(1 - exponent, '0')
  const fraction = text.slice(exponent).replace(/0+$/, '')
  const whole = text.slice(0, exponent)
  return fraction === '' ? `${whole === '0' ? '' : sign}${whole}` : `${sign}${whole}.${fraction}`
}

/** `a / b` as a decimal text with so many places, half up; undefined where `b` is zero. Both are zero or more. */
export function ratioText(a: Decimal, b: Decimal, places: number): string | undefined {
  const exponent = Math.min(a.exponent, b.exponent)
  const [top, bottom] = [a, b].map((one) => one.digits * 10n ** BigInt(one.exponent - exponent))
  if (top === undefined || bottom === undefined || bottom === 0n) return undefined
  const scaled = (2n * top * 10n ** BigInt(places) + bottom) / (2n * bottom)
  return decimalText({ digits: scaled, exponent: -places })
}
