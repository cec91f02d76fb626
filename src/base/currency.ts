// Currencies: how many decimals each has, and its amounts as decimal text. Inside, an amount is a whole number of minor
// units (cents, yen, fils) or of billionths of a unit; never a float.

const NANO_DIGITS = 9
const NANOS_PER_UNIT = 1_000_000_000n
const DECIMAL = /^(-?)(\d{1,15})(?:\.(\d{1,9}))?$/

const known: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))
const digits = new Map<string, number>()

/** Whether it is a currency of ISO 4217 that this platform's data knows; upper case. */
export function isCurrency(code: string): boolean {
  return known.has(code)
}

/** How many decimals the currency has: USD 2, JPY 0, KWD 3. */
export function currencyDigits(currency: string): number {
  const found = digits.get(currency)
  if (found !== undefined) return found
  if (!isCurrency(currency)) throw new Error(`"${currency}" is not a currency.`)
  const { maximumFractionDigits = 2 } = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
  }).resolvedOptions()
  digits.set(currency, maximumFractionDigits)
  return maximumFractionDigits
}

/** Billionths of a unit in a minor unit: of USD 10,000,000, of JPY 1,000,000,000. */
export function nanosPerMinor(currency: string): bigint {
  return NANOS_PER_UNIT / 10n ** BigInt(currencyDigits(currency))
}

/** The most of one amount, in units of its currency: its billionths are kept as 64 bits. */
export const UNITS_OF_AMOUNT_MAX = 9_000_000_000n

/** Whether an invoice can hold it, exactly. */
export function isHoldable(minor: bigint, currency: string): boolean {
  const most = (UNITS_OF_AMOUNT_MAX * NANOS_PER_UNIT) / nanosPerMinor(currency)
  return minor <= most && minor >= -most
}

/** Minor units as decimal text with all decimals of the currency: USD `2900n` is `"29.00"`, JPY `"2900"`. */
export function formatMinor(minor: bigint, currency: string): string {
  const decimals = currencyDigits(currency)
  const sign = minor < 0n ? '-' : ''
  const text = (minor < 0n ? -minor : minor).toString().padStart(decimals + 1, '0')
  return decimals === 0 ? sign + text : `${sign}${text.slice(0, -decimals)}.${text.slice(-decimals)}`
}

/** The minor units of a decimal text, or undefined where it is none or has more decimals than the currency. */
export function parseMinor(text: string, currency: string): bigint | undefined {
  return parseDecimal(text, currencyDigits(currency))
}

/** Billionths of a unit as decimal text, without trailing zeros: `500n` is `"0.0000005"`. */
export function formatUnitNanos(nanos: bigint): string {
  const abs = nanos < 0n ? -nanos : nanos
  const fraction = (abs % NANOS_PER_UNIT).toString().padStart(NANO_DIGITS, '0').replace(/0+$/, '')
  const whole = `${nanos < 0n ? '-' : ''}${abs / NANOS_PER_UNIT}`
  return fraction === '' ? whole : `${whole}.${fraction}`
}

/** The billionths of a unit of a decimal text with at most nine decimals, or undefined. */
export function parseUnitNanos(text: string): bigint | undefined {
  return parseDecimal(text, NANO_DIGITS)
}

function parseDecimal(text: string, decimals: number): bigint | undefined {
  const match = DECIMAL.exec(text)
  const fraction = match?.[3] ?? ''
  if (!match || fraction.length > decimals) return undefined
  const value = BigInt(`${match[2] ?? '0'}${fraction.padEnd(decimals, '0')}`)
  return match[1] === '-' ? -value : value
}
