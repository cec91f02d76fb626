// Fields that many resources have: times, ids, JSON of the user's own, pages.

import { z } from 'zod'
import { ID_PREFIX, type IdKind } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from '../base/limits.ts'
import { OPAQUE } from './definition.ts'

const CURSOR_CHARS_MAX = 1_000

/** Any JSON of the user's own; its keys are never renamed. */
export const json = z
  .custom<Json>((value) => value !== undefined, { message: 'must be JSON' })
  .meta({ [OPAQUE]: true, description: 'Any JSON.' })

export const time = z.iso.datetime().meta({
  description: 'RFC 3339, UTC, with milliseconds.',
  examples: ['2026-11-22T10:00:00.000Z'],
})

/** An exact amount as decimal text: `"0.00123"`. */
export const usd = z.string().meta({ description: 'USD as decimal text, exact.', examples: ['0.00123'] })

/** The form of each kind of id; the same rule as `isId`. */
export function idPattern(kind: IdKind): RegExp {
  return new RegExp(`^${ID_PREFIX[kind]}_[0-9a-hjkmnp-tv-z]{26}$`)
}

export function idText(kind: IdKind): z.ZodString {
  const example = `${ID_PREFIX[kind]}_01kb2m3n4p5q6r7s8t9v0w1x2y`
  return z.string().regex(idPattern(kind), `must be an id like "${example}"`)
}

/** Text of one line: no control characters. */
export function line(charsMax: number): z.ZodString {
  return z
    .string()
    .min(1)
    .max(charsMax)
    .regex(/^[^\p{Cc}\p{Cs}\u2028\u2029]*$/u, 'must be one line without control characters')
}

const limit = z
  .int()
  .min(1)
  .max(PAGE_SIZE_MAX)
  .default(PAGE_SIZE_DEFAULT)
  .meta({ description: 'Items per page.' })
const cursor = z
  .string()
  .min(1)
  .max(CURSOR_CHARS_MAX)
  .optional()
  .meta({ description: 'The `next_cursor` of the page before.' })

/** The query of every list. */
export const pageQuery = z.strictObject({ limit, cursor })

export type PageQuery = z.infer<typeof pageQuery>

/** A page of a list: `nextCursor` is null on the last one. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() })
}

/** A file that is answered as it is, to be kept under a name. */
export interface FileContent {
  /** Visible ASCII, without quotes and slashes. */
  readonly name: string
  readonly mediaType: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** The response of a route of kind `file`. */
export const file = z.custom<FileContent>()

export const failure = z.object({ code: z.string(), message: z.string() })
