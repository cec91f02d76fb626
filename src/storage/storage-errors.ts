// What a database refuses, in our words: the same on both databases.

import { AppError } from '../base/errors.ts'

export type ConstraintKind = 'unique' | 'foreign-key' | 'check' | 'not-null' | 'type'

/** A row that a constraint refused. `cause` is the database's own error. */
export class ConstraintError extends Error {
  override readonly name = 'ConstraintError'
  readonly constraint: ConstraintKind

  constructor(constraint: ConstraintKind, statement: string, cause: unknown) {
    super(`The statement "${statement}" broke a ${constraint} constraint: ${messageOf(cause)}`, { cause })
    this.constraint = constraint
  }
}

/** A failure of the database itself that no caller can do anything about. */
export class StorageError extends Error {
  override readonly name = 'StorageError'

  constructor(statement: string, cause: unknown) {
    super(`The statement "${statement}" failed: ${messageOf(cause)}`, { cause })
  }
}

export function isConstraintError(error: unknown, constraint: ConstraintKind): error is ConstraintError {
  return error instanceof ConstraintError && error.constraint === constraint
}

/** How long a client is asked to wait when the database had no room for its write. */
const RETRY_AFTER_MS = 1_000

export function lockedError(cause: unknown): AppError {
  return new AppError('storage.locked', 'The database is busy with other writes; try again in a moment.', {
    cause,
    retryAfterMs: RETRY_AFTER_MS,
  })
}

export function fullError(cause: unknown): AppError {
  return new AppError('storage.full', 'The disk of the database is full; nothing of this was stored.', {
    cause,
  })
}

export function stoppingError(): AppError {
  return new AppError('server.stopping', 'The server is stopping; try again in a moment.')
}

export function unavailableError(message: string, cause: unknown): AppError {
  return new AppError('server.unavailable', message, { cause, retryAfterMs: RETRY_AFTER_MS })
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
