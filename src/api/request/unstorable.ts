// Values that are JSON by the letter and still cannot be kept.

import { AppError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'

/** Refuses texts with U+0000 (no database keeps them) and numbers that are not finite (`1e999`, `.nan`). */
export function refuseUnstorable(value: Json): void {
  if (typeof value === 'string' && value.includes('\u0000')) throw nul()
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new AppError('request.malformed', 'A number is too large, or not a number.')
  }
  if (typeof value !== 'object' || value === null) return
  for (const [key, item] of Object.entries(value)) {
    if (key.includes('\u0000')) throw nul()
    refuseUnstorable(item)
  }
}

function nul(): AppError {
  return new AppError('request.malformed', 'A text has the character U+0000, which cannot be stored.')
}
