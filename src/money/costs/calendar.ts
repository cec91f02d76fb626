// Times of reports: a time zone that exists, and calendar periods whose boundaries are midnights of that zone, however
// long its days are.

import { Temporal } from 'temporal-polyfill'
import { AppError } from '../../base/errors.ts'
import type { EpochMs } from '../../base/time.ts'

export type CalendarUnit = 'day' | 'week' | 'month'

export interface CalendarPeriod {
  /** The day on which it begins, `2026-11-16`; of a month `2026-11`. */
  readonly key: string
  readonly from: EpochMs
  readonly until: EpochMs
}

/** How many periods one report may have. */
export const PERIODS_MAX = 400
/** Offsets are no time zones: they do not know when summer ends. */
const IANA = /^[A-Za-z][A-Za-z0-9_+\-/]*$/

/** The name as it was given. Throws `request.invalid` where there is no such zone. */
export function checkedTimeZone(name: string): string {
  try {
    if (!IANA.test(name)) throw new RangeError(name)
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name)
    return name
  } catch {
    const message = `is not a time zone; use a name like "Europe/Berlin" or "UTC"`
    throw new AppError('request.invalid', `"${name.slice(0, 64)}" is not a time zone.`, {
      errors: [{ path: '/time_zone', message }],
    })
  }
}

/** The month in which that moment lies. */
export function monthAt(at: EpochMs, timeZone: string): CalendarPeriod {
  const first = firstOf('month', at, timeZone)
  return periodFrom(first, 'month', timeZone)
}

/** The month `2026-11`. */
export function monthOf(month: string, timeZone: string): CalendarPeriod {
  return periodFrom(Temporal.PlainYearMonth.from(month).toPlainDate({ day: 1 }), 'month', timeZone)
}

/** The periods that share some time with the range, in order; the first and the last are cut to it. */
export function periodsIn(
  from: EpochMs,
  to: EpochMs,
  unit: CalendarUnit,
  timeZone: string,
): readonly CalendarPeriod[] {
  const periods: CalendarPeriod[] = []
  let first = firstOf(unit, from, timeZone)
  for (;;) {
    const period = periodFrom(first, unit, timeZone)
    if (period.from >= to) return periods
    if (periods.length === PERIODS_MAX)
      throw new AppError(
        'request.invalid',
        `That is more than ${PERIODS_MAX} periods: ask for less time or longer periods.`,
      )
    periods.push({
      key: period.key,
      from: Math.max(period.from, from),
      until: Math.min(period.until, to),
    })
    first = first.add(LENGTH[unit])
  }
}

const LENGTH = { day: { days: 1 }, week: { days: 7 }, month: { months: 1 } } as const

function firstOf(unit: CalendarUnit, at: EpochMs, timeZone: string): Temporal.PlainDate {
  const day = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone).toPlainDate()
  if (unit === 'day') return day
  return unit === 'week' ? day.subtract({ days: day.dayOfWeek - 1 }) : day.with({ day: 1 })
}

/** A day that begins later than at midnight begins then; one that is left out has no length. */
function periodFrom(first: Temporal.PlainDate, unit: CalendarUnit, timeZone: string): CalendarPeriod {
  const start = (day: Temporal.PlainDate): EpochMs => day.toZonedDateTime(timeZone).epochMilliseconds
  const key = unit === 'month' ? first.toString().slice(0, 7) : first.toString()
  return { key, from: start(first), until: start(first.add(LENGTH[unit])) }
}
