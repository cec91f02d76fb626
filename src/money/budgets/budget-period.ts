// The periods of budgets: the key says which one a moment is in, so that no job has to begin one anew. Calendar periods
// begin with the day in the budget's time zone; a rolling budget keeps its window in buckets.

import { Temporal } from 'temporal-polyfill'
import { createBoundedMap } from '../../base/bounded-map.ts'
import type { EpochMs } from '../../base/time.ts'
import type { BudgetPeriod } from '../../contract/money.ts'

/** From `startsAt` on, before `endsAt`. */
export interface Period {
  /** `2026-11-22`, `2026-W47` (ISO 8601), `2026-11`, `2026-Q4`, `2026`, `once`; of a bucket its first minute and its length. */
  readonly key: string
  readonly startsAt: EpochMs
  readonly endsAt: EpochMs
}

/** What says when the periods of a budget are. */
export interface PeriodRule {
  readonly period: BudgetPeriod
  readonly timeZone: string
  readonly rollingMs: number | null
  readonly startsAt: EpochMs | null
  readonly endsAt: EpochMs | null
}

type CalendarPeriod = Exclude<BudgetPeriod, 'rolling' | 'once'>

const MINUTE_MS = 60_000
/** A rolling window is kept in so many buckets, and one more that is only partly inside. */
const BUCKETS = 60
/** The last moment that JavaScript can name. */
export const FOREVER_MS = 8_640_000_000_000_000
const KNOWN_MAX = 1_000

/**
 * The period that the moment is in; undefined where a budget for once does not count then. Throws where this host does
 * not know the time zone, or a rolling budget has no window.
 */
export function periodAt(rule: PeriodRule, at: EpochMs): Period | undefined {
  switch (rule.period) {
    case 'once': {
      const startsAt = rule.startsAt ?? 0
      const endsAt = rule.endsAt ?? FOREVER_MS
      return startsAt <= at && at < endsAt ? { key: 'once', startsAt, endsAt } : undefined
    }
    case 'rolling':
      return bucketAt(windowOf(rule), at)
    default:
      return calendarPeriodAt(rule.period, rule.timeZone, at)
  }
}

/** The bucket of a rolling window: a sixtieth of it, rounded up to whole minutes. */
export function bucketAt(windowMs: number, at: EpochMs): Period {
  const bucketMs = bucketMsOf(windowMs)
  const startsAt = Math.floor(at / bucketMs) * bucketMs
  const minute = new Date(startsAt).toISOString().slice(0, 'yyyy-mm-ddThh:mm'.length)
  return { key: `${minute}Z+${bucketMs / MINUTE_MS}m`, startsAt, endsAt: startsAt + bucketMs }
}

/** Buckets that begin after this count: any part of them is inside the window. Those yet to come count too, where clocks disagree. */
export function windowFrom(windowMs: number, at: EpochMs): EpochMs {
  return at - windowMs - bucketMsOf(windowMs)
}

/** Whether any part of the bucket is inside the window. */
export function isInWindow(windowMs: number, bucket: Pick<Period, 'endsAt'>, at: EpochMs): boolean {
  return bucket.endsAt > at - windowMs
}

/** How far a rolling budget looks back. */
export function windowOf({ rollingMs }: Pick<PeriodRule, 'rollingMs'>): number {
  if (rollingMs === null || rollingMs <= 0) throw new RangeError('A rolling budget has no window.')
  return rollingMs
}

/** Whether this host knows a time zone of that name. Offsets like `+01:00` are none: they know no summer. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    midnight(new Temporal.PlainDate(2000, 1, 1), name)
    return true
  } catch {
    return false
  }
}

function bucketMsOf(windowMs: number): number {
  return Math.ceil(windowMs / BUCKETS / MINUTE_MS) * MINUTE_MS
}

/** The last period that was asked for: it is mostly the one that is asked for again, and reading calendars is slow. */
const known = createBoundedMap<Period>(KNOWN_MAX)

function calendarPeriodAt(period: CalendarPeriod, timeZone: string, at: EpochMs): Period {
  const name = `${period} ${timeZone}`
  const last = known.get(name)
  if (last !== undefined && last.startsAt <= at && at < last.endsAt) return last
  const found = findPeriod(period, timeZone, at)
  known.set(name, found)
  return found
}

function findPeriod(period: CalendarPeriod, timeZone: string, at: EpochMs): Period {
  const zoned = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone)
  let first = firstDay(period, zoned.toPlainDate())
  for (;;) {
    const next = first.add(LENGTH[period])
    const endsAt = midnight(next, timeZone)
    if (at < endsAt) return { key: keyOf(period, first), startsAt: midnight(first, timeZone), endsAt }
    // Clocks put back over midnight show the day before once more: the day that has begun goes on.
    first = next
  }
}

const LENGTH = {
  day: { days: 1 },
  week: { weeks: 1 },
  month: { months: 1 },
  quarter: { months: 3 },
  year: { years: 1 },
} as const satisfies Record<CalendarPeriod, Temporal.DurationLike>

function firstDay(period: CalendarPeriod, date: Temporal.PlainDate): Temporal.PlainDate {
  switch (period) {
    case 'day':
      return date
    case 'week':
      return date.subtract({ days: date.dayOfWeek - 1 })
    case 'month':
      return date.with({ day: 1 })
    case 'quarter':
      return date.with({ month: firstMonth(date), day: 1 })
    case 'year':
      return date.with({ month: 1, day: 1 })
    default:
      return period satisfies never
  }
}

function firstMonth({ month }: Temporal.PlainDate): number {
  return month - ((month - 1) % 3)
}

function keyOf(period: CalendarPeriod, first: Temporal.PlainDate): string {
  switch (period) {
    case 'day':
      return first.toString()
    case 'week':
      return `${first.yearOfWeek}-W${String(first.weekOfYear).padStart(2, '0')}`
    case 'month':
      return first.toPlainYearMonth().toString()
    case 'quarter':
      return `${first.year}-Q${Math.ceil(first.month / 3)}`
    case 'year':
      return String(first.year)
    default:
      return period satisfies never
  }
}

/** The first moment of the day there, also where clocks skip midnight; the first of two where it comes twice. */
function midnight(date: Temporal.PlainDate, timeZone: string): EpochMs {
  return date.toZonedDateTime(timeZone).epochMilliseconds
}
