// The periods of a subscription: counted from its anchor by the calendar of the account's time zone. Every one is counted
// from the anchor itself, so that 31 January leads to 28 February and to 31 March.

import { Temporal } from 'temporal-polyfill'
import type { EpochMs } from '../../base/time.ts'
import type { PlanInterval } from '../plans/plan.ts'

/** From `startsAt` until just before `endsAt`. */
export interface Period {
  readonly startsAt: EpochMs
  readonly endsAt: EpochMs
}

/**
 * The period with that index (0 begins at the anchor, -1 ends there). The wall clock stays the same over changes of
 * daylight saving time; a time that the clock leaves out is moved on by what it leaves out, one that it has twice is the
 * first of the two. A day that a month does not have is its last one.
 */
export function periodAt(anchorAt: EpochMs, interval: PlanInterval, index: number, timeZone: string): Period {
  const anchor = Temporal.Instant.fromEpochMilliseconds(anchorAt).toZonedDateTimeISO(timeZone)
  const at = (n: number): EpochMs =>
    anchor.add(interval === 'month' ? { months: n } : { years: n }).epochMilliseconds
  return { startsAt: at(index), endsAt: at(index + 1) }
}

/** A period shorter than this is made part of the one before: where the time zone changed in between. */
const SHORTEST_MS: Readonly<Record<PlanInterval, number>> = {
  month: 14 * 86_400_000,
  year: 180 * 86_400_000,
}

/** The period that begins at `startsAt`, the end of another or the anchor, and ends at a boundary of the anchor's. */
export function periodFrom(
  startsAt: EpochMs,
  anchorAt: EpochMs,
  interval: PlanInterval,
  timeZone: string,
): Period {
  const earliest = startsAt + SHORTEST_MS[interval]
  let index = indexNear(anchorAt, interval, startsAt)
  while (periodAt(anchorAt, interval, index, timeZone).endsAt < earliest) index += 1
  return { startsAt, endsAt: periodAt(anchorAt, interval, index, timeZone).endsAt }
}

const LONGEST_MS: Readonly<Record<PlanInterval, number>> = {
  month: 31 * 86_400_000,
  year: 366 * 86_400_000,
}

/** An index that is not too high. */
function indexNear(anchorAt: EpochMs, interval: PlanInterval, at: EpochMs): number {
  return Math.floor((at - anchorAt) / LONGEST_MS[interval]) - 2
}

/** Whether the platform knows an IANA time zone of that name. */
export function isTimeZone(name: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name)
    // Temporal also takes offsets such as "+02:00", which have no calendar of changes.
    return /^[A-Za-z]/.test(name)
  } catch {
    return false
  }
}
