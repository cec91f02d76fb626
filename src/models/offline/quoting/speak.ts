// Values as people read them: `price_usd: "22.00"` is "price 22.00 USD", `expected_on: "2026-11-02"` is "expected on 2 November 2026". Pure.

import type { Json } from '../../../base/json.ts'
import { words } from '../reading/words.ts'

export interface Leaf {
  readonly path: readonly string[]
  readonly value: string | number | boolean
}

const VALUE_CHARS_MAX = 300

/** Endings of field names that are units. */
const UNITS: Readonly<Record<string, string>> = {
  c: ' °C',
  celsius: ' °C',
  f: ' °F',
  fahrenheit: ' °F',
  kmh: ' km/h',
  kph: ' km/h',
  mph: ' mph',
  mm: ' mm',
  km: ' km',
  kg: ' kg',
  percent: ' %',
  pct: ' %',
  ms: ' ms',
  seconds: ' s',
}
const CURRENCIES: ReadonlySet<string> = new Set(['usd', 'eur', 'gbp', 'chf', 'jpy', 'cad', 'aud'])
const ACRONYMS: ReadonlySet<string> = new Set(
  'id url uri isbn utc sku api ip html json iban vat pdf iso uuid'.split(' '),
)
/** Verbs that begin the name of a yes or no. */
const ASSERTS: ReadonlySet<string> = new Set(['is', 'are', 'was'])

/** Name and value. The whole path is the name where several leaves end alike. */
export function say(leaf: Leaf, among: readonly Leaf[]): string {
  const last = leaf.path.at(-1) ?? ''
  const isUnique = among.filter(({ path }) => path.at(-1) === last).length === 1
  const spoken = [...words(isUnique ? last : leaf.path.join(' '))]
  if (typeof leaf.value === 'boolean') {
    const rest = ASSERTS.has(spoken[0] ?? '') ? spoken.slice(1) : spoken
    return `${leaf.value ? '' : 'not '}${named(rest)}`
  }
  const unit = spoken.length > 1 ? (spoken.at(-1) ?? '') : ''
  const money = CURRENCIES.has(unit) ? amount(leaf.value) : undefined
  if (money !== undefined) return `${named(spoken.slice(0, -1))} ${money} ${unit.toUpperCase()}`
  if (typeof leaf.value === 'number' && unit in UNITS)
    return `${named(spoken.slice(0, -1))} ${leaf.value}${UNITS[unit] ?? ''}`
  const shown = show(leaf.value)
  // A longer text needs marks to be told from what comes after it.
  return / .* .* /.test(shown) && !isMoment(leaf.value)
    ? `${named(spoken)} "${shown}"`
    : `${named(spoken)} ${shown}`
}

function named(spoken: readonly string[]): string {
  return spoken.map((word) => (ACRONYMS.has(word) ? word.toUpperCase() : word)).join(' ')
}

/** `22.00`, whether it came as a number or as a text; undefined where it is no amount. */
function amount(value: string | number): string | undefined {
  const text = String(value)
  if (!/^-?\d{1,15}(?:\.\d{1,12})?$/.test(text)) return undefined
  return /\.\d$/.test(text) ? `${text}0` : text
}

export function label(name: string, count: number): string {
  const spoken = words(name).join(' ')
  return count === 1 ? spoken.replace(/(?:ies|s)$/, (ending) => (ending === 's' ? '' : 'y')) : spoken
}

export function show(value: Json): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'number') return String(value)
  const text = typeof value === 'string' ? value.replace(/\s+/g, ' ').trim() : JSON.stringify(value)
  const moment = typeof value === 'string' ? momentText(text) : undefined
  if (moment !== undefined) return moment
  return text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX - 1)}…` : text
}

const MOMENT = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}:\d{2})(:\d{2})?(?:\.\d+)?(Z|[+-]\d{2}:\d{2})?)?$/
const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
)

export function isMoment(value: Json): boolean {
  return typeof value === 'string' && momentText(value.trim()) !== undefined
}

/** `2 November 2026`, and `2 November 2026, 14:05:50 UTC`; undefined for other texts. */
function momentText(text: string): string | undefined {
  const [, year = '', month = '', day = '', time, seconds = '', zone] = MOMENT.exec(text) ?? []
  const name = MONTHS[Number(month) - 1]
  if (name === undefined || Number(day) < 1 || Number(day) > 31) return undefined
  const date = `${Number(day)} ${name} ${Number(year)}`
  if (time === undefined) return date
  const offset = zone === undefined ? '' : /^Z$|^[+-]00:00$/.test(zone) ? ' UTC' : ` UTC${zone}`
  return `${date}, ${time}${seconds}${offset}`
}
