// Postgres's error codes in our words: https://www.postgresql.org/docs/current/errcodes-appendix.html

import {
  ConstraintError,
  type ConstraintKind,
  fullError,
  lockedError,
  messageOf,
  StorageError,
  unavailableError,
} from '../storage-errors.ts'

const CONSTRAINTS: Readonly<Record<string, ConstraintKind>> = {
  '23502': 'not-null',
  '23503': 'foreign-key',
  '23505': 'unique',
  '23514': 'check',
  '22P02': 'type',
  '42804': 'type',
}

/** A serialization failure or a deadlock: the same transaction, run again, will do. */
const CONFLICTS: ReadonlySet<string> = new Set(['40001', '40P01'])
const LOCK_TIMEOUT = '55P03'
const FULL: ReadonlySet<string> = new Set(['53100', '53200'])
/** The server stops, starts, or has no connection left. */
const UNAVAILABLE = /^(08|57P|53300)/

/** The error to throw for an error that Postgres, or the connection to it, gave in the named statement. */
export function postgresError(statement: string, error: unknown): unknown {
  const code = codeOf(error)
  if (code === undefined) return isConnectionError(error) ? unreachableError(error) : error
  const constraint = CONSTRAINTS[code]
  if (constraint !== undefined) return new ConstraintError(constraint, statement, error)
  if (code === LOCK_TIMEOUT || CONFLICTS.has(code)) return lockedError(error)
  if (FULL.has(code)) return fullError(error)
  if (UNAVAILABLE.test(code) || isConnectionError(error)) return unreachableError(error)
  return new StorageError(statement, error)
}

/** Whether the transaction lost against another one and should be run again. */
export function isConflict(error: unknown): boolean {
  const code = codeOf(error instanceof Error && error.cause !== undefined ? error.cause : error)
  return code !== undefined && CONFLICTS.has(code)
}

function unreachableError(error: unknown): unknown {
  return unavailableError('The database does not answer; try again in a moment.', error)
}

/** Why no connection was made, for the one who set the address; it names no password. */
export function connectionReason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ')
  return messageOf(error)
}

function isConnectionError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return (
    /^E[A-Z]+$/.test(code) || /^Connection terminated|^timeout expired|not queryable/i.test(messageOf(error))
  )
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return /^[0-9A-Z]{5}$/.test(error.code) && !/^E[A-Z]+$/.test(error.code) ? error.code : undefined
}
