// Cursors of pages: opaque, of one list and one tenant. They carry a position, never a right:
// every query is bound to the tenant of the credential, whatever a cursor says.

import { Buffer } from 'node:buffer'
import { AppError } from '../base/errors.ts'
import type { TenantId } from '../base/ids.ts'
import { isJsonObject, parseJson } from '../base/json.ts'

const NUMBER = /^\d{1,9}$/
const POSITION = /^[\x20-\x7e]{1,500}$/

export function encodeCursor(list: string, tenantId: TenantId, position: string): string {
  return Buffer.from(JSON.stringify({ l: list, t: tenantId, p: position })).toString('base64url')
}

/** The position that a cursor of this list and tenant names. Throws `cursor.invalid` for any other text. */
export function decodeCursor(list: string, tenantId: TenantId, cursor: string): string {
  const parsed = decoded(cursor)
  if (isJsonObject(parsed) && parsed.l === list && parsed.t === tenantId) {
    const position = parsed.p
    if (typeof position === 'string' && POSITION.test(position)) return position
  }
  throw invalid()
}

/** A position that is a number: the `seq` of the last item that was shown. */
export function decodeNumberCursor(list: string, tenantId: TenantId, cursor: string): number {
  const position = decodeCursor(list, tenantId, cursor)
  if (NUMBER.test(position)) return Number(position)
  throw invalid()
}

function invalid(): AppError {
  return new AppError('cursor.invalid', 'The cursor is not one of this list. Begin again without a cursor.')
}

function decoded(cursor: string): unknown {
  try {
    return parseJson(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
