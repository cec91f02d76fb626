// Durations as people write them: `500ms`, `90s`, `15m`, `36h`, `7d`.

import { z } from 'zod'

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const FORM = /^(\d{1,9})(ms|s|m|h|d)$/
/** Ten years. */
const DURATION_MS_MAX = 3_653 * UNIT_MS.d

export const duration = z
  .string()
  .regex(FORM, {
    error: 'must be a number and a unit, for example "500ms", "90s", "15m", "36h" or "7d"',
    // What is no duration is not asked how long it is.
    abort: true,
  })
  .refine((text) => durationMs(text) <= DURATION_MS_MAX, 'must be ten years at most')
  .meta({ examples: ['90s'] })

/** Milliseconds. Throws where the text is no duration. */
export function durationMs(text: string): number {
  const [, count, unit] = FORM.exec(text) ?? []
  if (count === undefined || unit === undefined) throw new Error(`"${text}" is no duration.`)
  return Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]
}
