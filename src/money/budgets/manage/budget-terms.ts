// What may be written of a budget, checked before anything is stored. Every wrong field is told at once, with its path.

import { AppError, type FieldError } from '../../../base/errors.ts'
import { type Nanos, parseUsd } from '../../../base/money.ts'
import { type EpochMs, parseTime } from '../../../base/time.ts'
import type { CreateBudget } from '../../../contract/budget.ts'
import { durationMs } from '../../../contract/duration.ts'
import { type Budget, LIMIT_NANOS_MAX } from '../budget.ts'
import { isTimeZone } from '../budget-period.ts'

export const THRESHOLDS_DEFAULT: readonly number[] = [50, 80, 100]
export const ROLLING_MS_MIN = 3_600_000
export const ROLLING_MS_MAX = 366 * 86_400_000

/** Both ends of a budget for once; null: open. */
export type Span = Pick<Budget, 'startsAt' | 'endsAt'>

/** What is wrong with a budget that is to be made. Whether the scope is there is asked elsewhere. */
export function createErrors(input: CreateBudget, at: EpochMs): readonly FieldError[] {
  const { period, window, timeZone, thresholds = [] } = input
  const span = { startsAt: timeOrNull(input.startsAt), endsAt: timeOrNull(input.endsAt) }
  const errors = [...thresholdErrors(thresholds), ...spanErrors(period, span)]
  if (timeZone !== undefined && !isTimeZone(timeZone))
    errors.push({
      path: '/time_zone',
      message: `is no time zone: "${timeZone}"; for example "Europe/Berlin"`,
    })
  if (period === 'rolling' && window === undefined)
    errors.push({
      path: '/window',
      message: 'is missing: a rolling budget looks back so far, for example "24h"',
    })
  if (period !== 'rolling' && window !== undefined)
    errors.push({ path: '/window', message: `is of rolling budgets; the period here is "${period}"` })
  if (window !== undefined && !isWindow(durationMs(window)))
    errors.push({ path: '/window', message: 'must be one hour to 366 days' })
  if (span.endsAt !== null && span.endsAt <= at) errors.push({ path: '/ends_at', message: 'must lie ahead' })
  return errors
}

export function thresholdErrors(thresholds: readonly number[]): FieldError[] {
  return thresholds.flatMap((percent, index) => {
    const before = thresholds[index - 1]
    return before === undefined || before < percent
      ? []
      : [{ path: `/thresholds/${index}`, message: `must be above the one before, ${before}` }]
  })
}

/** Only a budget for once begins and ends. */
export function spanErrors(period: Budget['period'], { startsAt, endsAt }: Span): FieldError[] {
  const errors: FieldError[] = []
  if (period !== 'once') {
    const message = `is of budgets for once; the period here is "${period}"`
    if (startsAt !== null) errors.push({ path: '/starts_at', message })
    if (endsAt !== null) errors.push({ path: '/ends_at', message })
  } else if (startsAt !== null && endsAt !== null && endsAt <= startsAt) {
    errors.push({ path: '/ends_at', message: 'must lie after starts_at' })
  }
  return errors
}

/** The amount of a text that the contract let through. Throws with the path of the field where it is none. */
export function nanosOf(text: string, path: string): Nanos {
  const nanos = parseUsd(text)
  if (nanos !== undefined && nanos >= 0n && nanos <= LIMIT_NANOS_MAX) return nanos
  throw invalid([{ path, message: 'must be an amount of USD from 0 to 999999999.999999999 as text' }])
}

/** An amount to add or to move: nothing cannot be. */
export function positiveNanosOf(text: string, path: string): Nanos {
  const nanos = nanosOf(text, path)
  if (nanos > 0n) return nanos
  throw invalid([{ path, message: 'must be more than zero' }])
}

export function timeOrNull(text: string | null | undefined): EpochMs | null {
  return text == null ? null : (parseTime(text) ?? null)
}

export function throwAll(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid(errors)
}

export function invalid(errors: readonly FieldError[]): AppError {
  return new AppError('request.invalid', 'The request has fields that are wrong; see "errors".', { errors })
}

function isWindow(ms: number): boolean {
  return ms >= ROLLING_MS_MIN && ms <= ROLLING_MS_MAX
}
