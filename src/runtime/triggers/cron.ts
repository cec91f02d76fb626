// Schedules as texts: read, checked, and asked for their times. croner does the calendar.

import { Cron, CronPattern } from 'croner'
import type { EpochMs } from '../../base/time.ts'

/** The least time between two ticks of a schedule. */
export const SCHEDULE_INTERVAL_MS_MIN = 10_000
const CRON_CHARS_MAX = 200

export interface Schedule {
  /** The first tick after a moment; undefined where there is none. */
  next(after: EpochMs): EpochMs | undefined
  /** The last ticks up to and with a moment, oldest first. */
  last(count: number, until: EpochMs): readonly EpochMs[]
}

export type ReadSchedule =
  | { readonly ok: true; readonly schedule: Schedule }
  | { readonly ok: false; readonly field: 'cron' | 'timezone'; readonly message: string }

/**
 * Reads five fields (minute hour day month weekday), six (with seconds first), or `@hourly`, `@daily`, `@weekly`,
 * `@monthly`, `@yearly`, in an IANA time zone.
 *
 * Where clocks change: a schedule whose hours are named (`30 2 * * *`, `0 2,14 * * *`) ticks once on each day. A time that
 * the day leaves out ticks when the clock has jumped, one that comes twice ticks the first time. A schedule whose minutes or hours
 * have a `*` or a step is one of intervals: it ticks as time passes, 23 or 25 times for `0 * * * *`.
 */
export function readSchedule(cron: string, timezone: string): ReadSchedule {
  if (!isTimezone(timezone)) {
    const message = `must be an IANA time zone like "Europe/Berlin" or "UTC"; "${timezone}" is none`
    return { ok: false, field: 'timezone', message }
  }
  const problem = problemOf(cron)
  if (problem !== undefined) return { ok: false, field: 'cron', message: problem }
  const job = new Cron(cron.trim(), {
    timezone,
    paused: true,
    mode: '5-or-6-parts',
    fixedTimeRule: 'no-wildcard',
  })
  const schedule: Schedule = {
    next: (after) => job.nextRun(new Date(after))?.getTime(),
    // croner finds what lies before a moment: a tick at this very moment is before the next second.
    last: (count, until) =>
      job
        .previousRuns(count, new Date(Math.floor(until / SECOND_MS) * SECOND_MS + SECOND_MS))
        .map((time) => time.getTime())
        .filter((time) => time <= until)
        .reverse(),
  }
  if (schedule.next(Date.UTC(2000, 0, 1)) === undefined)
    return { ok: false, field: 'cron', message: 'names a day that never comes' }
  return { ok: true, schedule }
}

const SECOND_MS = 1_000
const NICKNAME = /^@(hourly|daily|midnight|weekly|monthly|yearly|annually)$/i
const FIELDS = ['minute', 'hour', 'day of month', 'month', 'day of week'] as const
const RANGES = ['0 to 59', '0 to 59', '0 to 23', '1 to 31', '1 to 12', '0 to 7'] as const

/** What is wrong, with the field that it is wrong in; undefined where nothing is. */
function problemOf(cron: string): string | undefined {
  const text = cron.trim()
  if (text.length > CRON_CHARS_MAX) return `has more than ${CRON_CHARS_MAX} characters`
  if (text.startsWith('@')) {
    return NICKNAME.test(text)
      ? undefined
      : 'must be @hourly, @daily, @weekly, @monthly or @yearly, or five or six fields'
  }
  const parts = text.split(/\s+/)
  if (parts.length !== 5 && parts.length !== 6)
    return `must have five fields (minute hour day month weekday) or six (seconds first), not ${text === '' ? 0 : parts.length}`
  const names = parts.length === 6 ? ['second', ...FIELDS] : FIELDS
  for (const [i, part] of parts.entries()) {
    const wrong = problemOfField(parts, i)
    if (wrong !== undefined) return `${names[i]} "${part}": ${wrong}`
  }
  return tooOften(text)
}

/** Each field is read among stars, so that what is wrong is wrong in this one. */
function problemOfField(parts: readonly string[], i: number): string | undefined {
  // To croner, "?" is the time at which the text is read.
  if (parts[i]?.includes('?')) return '"?" is not allowed; write "*"'
  try {
    patternOf(parts.map((part, j) => (j === i ? part : '*')).join(' '))
    return undefined
  } catch (error) {
    const message = error instanceof Error ? error.message : 'it cannot be read'
    // There croner counts days and months from 0.
    if (message.includes('Invalid value')) return `must be ${RANGES[i + (6 - parts.length)]}`
    return message.replace(/^CronPattern: /, '')
  }
}

function patternOf(text: string): CronPattern {
  return new CronPattern(text, undefined, { mode: '5-or-6-parts' })
}

/** Looks at the seconds alone, as though every minute counted. */
function tooOften(text: string): string | undefined {
  const seconds = [...patternOf(text).second.entries()].filter(([, on]) => on).map(([second]) => second)
  const first = (seconds[0] ?? 0) + 60
  const gaps = seconds.map((second, i) => (seconds[i + 1] ?? first) - second)
  if (Math.min(...gaps) * SECOND_MS >= SCHEDULE_INTERVAL_MS_MIN) return undefined
  return `must leave at least ${SCHEDULE_INTERVAL_MS_MIN / SECOND_MS} seconds between two ticks`
}

function isTimezone(timezone: string): boolean {
  // An offset is understood as well, and knows no summer.
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(timezone)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone })
    return true
  } catch {
    return false
  }
}
