// SQLite's result codes in our words.

import { AppError } from '../../base/errors.ts'
import {
  ConstraintError,
  type ConstraintKind,
  fullError,
  lockedError,
  StorageError,
  unavailableError,
} from '../storage-errors.ts'

/** Primary result codes: https://www.sqlite.org/rescode.html */
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const IOERR = 10
const FULL = 13
const CANTOPEN = 14
const CONSTRAINT = 19

/** Extended codes of constraints. */
const CONSTRAINTS: Readonly<Record<number, ConstraintKind>> = {
  275: 'check',
  787: 'foreign-key',
  1299: 'not-null',
  1555: 'unique',
  2067: 'unique',
  2579: 'unique',
  3091: 'type',
}

/** The error to throw for an error that SQLite gave while it ran the named statement. */
export function sqliteError(statement: string, error: unknown): unknown {
  const code = resultCode(error)
  if (code === undefined) return error
  switch (code & 0xff) {
    case BUSY:
    case LOCKED:
      return lockedError(error)
    case FULL:
      return fullError(error)
    case READONLY:
    case IOERR:
    case CANTOPEN:
      return unavailableError('The database file cannot be read or written.', error)
    case CONSTRAINT: {
      const kind = CONSTRAINTS[code]
      return kind === undefined
        ? new StorageError(statement, error)
        : new ConstraintError(kind, statement, error)
    }
    default:
      return new StorageError(statement, error)
  }
}

/** Whether another connection holds a lock, so that trying again helps. */
export function isBusy(error: unknown): boolean {
  const cause = error instanceof AppError ? error.cause : error
  const code = resultCode(cause)
  return code !== undefined && ((code & 0xff) === BUSY || (code & 0xff) === LOCKED)
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}
