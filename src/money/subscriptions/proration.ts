// The part of a price that a part of a period costs: exact to the millisecond, and rounded so that parts sum to the whole.

import type { EpochMs } from '../../base/time.ts'
import type { Period } from './periods.ts'

/**
 * What the time between `from` and `until` costs of an amount (minor units, not negative) that is for the whole period.
 * What has passed by each of the two is rounded half up, so that the parts of a period, however it is cut, sum to the amount.
 */
export function portion(amountMinor: bigint, period: Period, from: EpochMs, until: EpochMs): bigint {
  return passed(amountMinor, period, until) - passed(amountMinor, period, from)
}

/** The unrounded part as a fraction: milliseconds of milliseconds. */
export function shareOf(
  period: Period,
  from: EpochMs,
  until: EpochMs,
): { readonly part: number; readonly whole: number } {
  return { part: within(period, until) - within(period, from), whole: period.endsAt - period.startsAt }
}

function passed(amountMinor: bigint, period: Period, at: EpochMs): bigint {
  const whole = BigInt(period.endsAt - period.startsAt)
  if (whole <= 0n) return 0n
  const part = BigInt(within(period, at) - period.startsAt)
  return (2n * amountMinor * part + whole) / (2n * whole)
}

function within({ startsAt, endsAt }: Period, at: EpochMs): EpochMs {
  return Math.min(Math.max(at, startsAt), endsAt)
}
