// Money: integers inside, decimals only at the edges. Amounts are nano-USD, prices pico-USD per token.

/** Nano-USD: 1 USD is 1,000,000,000n. */
export type Nanos = bigint
/** Pico-USD: 1 USD is 1,000,000,000,000n. Prices per token use it. */
export type Picos = bigint

export const NANOS_PER_USD = 1_000_000_000n
export const PICOS_PER_NANO = 1_000n
const NANO_DIGITS = 9
const DECIMAL = /^(-?)(\d{1,15})(?:\.(\d{1,9}))?$/

/** A decimal text of USD, for people and for the wire: `1230000n` becomes `"0.00123"`. Exact, no exponent. */
export function formatUsd(nanos: Nanos): string {
  const sign = nanos < 0n ? '-' : ''
  const abs = nanos < 0n ? -nanos : nanos
  const fraction = (abs % NANOS_PER_USD).toString().padStart(NANO_DIGITS, '0').replace(/0+$/, '')
  const whole = (abs / NANOS_PER_USD).toString()
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`
}

/** The amount of a decimal text of USD (at most nine decimals), or undefined where it is not one. */
export function parseUsd(text: string): Nanos | undefined {
  const match = DECIMAL.exec(text)
  if (!match) return undefined
  const nanos = BigInt(match[2] ?? '0') * NANOS_PER_USD + BigInt((match[3] ?? '').padEnd(NANO_DIGITS, '0'))
  return match[1] === '-' ? -nanos : nanos
}

/** Pico-USD to nano-USD, half up: the only place where an amount is rounded, once per model call. */
export function nanosFromPicos(picos: Picos): Nanos {
  const half = PICOS_PER_NANO / 2n
  return picos >= 0n ? (picos + half) / PICOS_PER_NANO : -((-picos + half) / PICOS_PER_NANO)
}
