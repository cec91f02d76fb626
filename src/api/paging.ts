// Pages on the way in and out: cursors opened and sealed, items turned into views.

import type { TenantId } from '../base/ids.ts'
import { decodeCursor, decodeNumberCursor, encodeCursor } from './cursor.ts'

interface Asked {
  readonly limit: number
  readonly cursor?: string | undefined
}

interface Found<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | undefined
}

export interface Shown<V> {
  items: V[]
  nextCursor: string | null
}

/** A page of a list whose store has cursors of its own. `list` names the list and, where it is of one thing, that. */
export async function page<T, V>(
  list: string,
  tenantId: TenantId,
  asked: Asked,
  find: (page: Asked) => Promise<Found<T>>,
  view: (item: T) => V,
): Promise<Shown<V>> {
  const cursor = asked.cursor === undefined ? undefined : decodeCursor(list, tenantId, asked.cursor)
  const { items, nextCursor } = await find({ limit: asked.limit, cursor })
  return {
    items: items.map(view),
    nextCursor: nextCursor === undefined ? null : encodeCursor(list, tenantId, nextCursor),
  }
}

/** A page of a list that is numbered: one more than asked for is read, to know whether there is a next page. */
export async function numberedPage<T, V>(
  list: string,
  tenantId: TenantId,
  asked: Asked & { readonly after?: number | undefined },
  find: (page: { readonly limit: number; readonly after: number }) => Promise<readonly T[]>,
  numberOf: (item: T) => number,
  view: (item: T) => V,
): Promise<Shown<V>> {
  const after =
    asked.cursor === undefined ? (asked.after ?? 0) : decodeNumberCursor(list, tenantId, asked.cursor)
  const found = await find({ limit: asked.limit + 1, after })
  const shown = found.slice(0, asked.limit)
  const last = shown.at(-1)
  const more = found.length > shown.length && last !== undefined
  return {
    items: shown.map(view),
    nextCursor: more ? encodeCursor(list, tenantId, String(numberOf(last))) : null,
  }
}
