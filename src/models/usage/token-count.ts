// A count of tokens as a provider wrote it. Unknown is kept apart from zero, and nonsense from both.

import type { Json } from '../../base/json.ts'

/** The number, or NaN where it is not a whole number of at least zero: texts of digits are no numbers. */
export function countOf(value: Json | undefined): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : Number.NaN
}

/** As `countOf`, and zero where it is absent or null: for parts that not every provider tells. */
export function optionalCount(value: Json | undefined): number {
  return value == null ? 0 : countOf(value)
}
