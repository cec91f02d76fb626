// Pages: a cursor is the key of the last row that was shown, so that writes in between neither skip nor repeat a row.

import { AppError } from '../../base/errors.ts'
import { ID_PREFIX } from '../../base/ids.ts'
import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from '../../base/limits.ts'
import type { Kind, Page } from '../catalog.ts'

const CURSOR_CHARS_MAX = 100
/** No definition gets that many versions; a larger number is no version. */
export const VERSION_MAX = 1_000_000_000

/** What comes after every id of a kind: where a page of the newest begins. */
export function idAfterAll(kind: Kind): string {
  return `${ID_PREFIX[kind]}_${'z'.repeat(26)}`
}

export function isVersionNumber(version: number): boolean {
  return Number.isInteger(version) && version >= 1 && version <= VERSION_MAX
}

/** How many rows a page shows at the most, whatever was asked for. */
export function pageSize(limit: number): number {
  return Number.isInteger(limit) ? Math.min(Math.max(limit, 1), PAGE_SIZE_MAX) : PAGE_SIZE_DEFAULT
}

/** The page of rows that were read with one more than it shows, which tells whether there is a next one. */
export function pageOf<R, T>(
  rows: readonly R[],
  size: number,
  read: (row: R) => T,
  key: (row: R) => string,
): Page<T> {
  const shown = rows.slice(0, size)
  const last = shown.at(-1)
  return {
    items: shown.map(read),
    nextCursor: rows.length > size && last !== undefined ? cursorOf(key(last)) : undefined,
  }
}

/** The key in a cursor, undefined where there is no cursor. Throws `cursor.invalid` for what no page gave out. */
export function keyOf(cursor: string | undefined, accepts: (key: string) => boolean): string | undefined {
  if (cursor === undefined) return undefined
  const key = cursor.length <= CURSOR_CHARS_MAX ? Buffer.from(cursor, 'base64url').toString('utf8') : ''
  if (!accepts(key) || cursorOf(key) !== cursor) {
    throw new AppError(
      'cursor.invalid',
      'The cursor is not one that a page gave: leave it out to begin anew.',
    )
  }
  return key
}

/** Opaque, and without a tenant: the query's scope has one, so another tenant's cursor is only a place in time. */
function cursorOf(key: string): string {
  return Buffer.from(key, 'utf8').toString('base64url')
}
