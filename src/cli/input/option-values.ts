// Values of options: texts in, values out. A wrong one is a usage failure that says what is allowed.

import { InvalidArgumentError } from 'commander'
import { parseTime } from '../../base/time.ts'
import { duration, durationMs } from '../../contract/duration.ts'

const DAY_MS = 86_400_000
const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS }

/** A parser of whole numbers, for commander. */
export function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
}

export function seconds(text: string): number {
  const value = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN
  if (value > 0) return value
  throw new InvalidArgumentError('It must be a number of seconds above 0.')
}

/** An amount of USD as decimal text: "0.50". */
export function usd(text: string): string {
  const amount = text.replace(/^\$/, '')
  if (/^\d{1,9}(\.\d{1,9})?$/.test(amount)) return amount
  throw new InvalidArgumentError('It must be an amount of USD such as 0.50.')
}

/** `a,b`, or the option given several times. */
export function list(text: string, previous: readonly string[] = []): readonly string[] {
  const items = text.split(',').map((item) => item.trim())
  return [...previous, ...items.filter((item) => item !== '')]
}

/** A time: a duration from now (`90d`, `12h`, `30m`), a date or an RFC 3339 time. Answers RFC 3339. */
export function expiry(text: string, nowMs: number = Date.now()): string {
  const [, count = '', unit = ''] = /^(\d{1,5})([mhdw])$/.exec(text) ?? []
  const lasting = UNIT_MS[unit]
  if (lasting !== undefined) return new Date(nowMs + Number(count) * lasting).toISOString()
  const at = parseTime(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text)
  if (at !== undefined) return new Date(at).toISOString()
  throw new InvalidArgumentError('It must be a duration such as 90d or 12h, or a date such as 2027-01-31.')
}

/** A duration such as `90s` or `15m`, in milliseconds. */
export function lasting(text: string): number {
  if (duration.safeParse(text).success) return durationMs(text)
  throw new InvalidArgumentError('It must be a duration such as 500ms, 90s, 15m, 36h or 7d.')
}

/** The time that lies a duration ahead, as RFC 3339. */
export function delay(text: string): string {
  return new Date(Date.now() + lasting(text)).toISOString()
}

/** A time, or a date; as RFC 3339. */
export function moment(text: string): string {
  const at = parseTime(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text)
  if (at !== undefined) return new Date(at).toISOString()
  throw new InvalidArgumentError('It must be a time such as 2027-01-31T08:00:00Z, or a date.')
}
