// Which failures are the database's own, and pass.

import { AppError } from '../../base/errors.ts'
import { StorageError } from '../../storage/storage-errors.ts'

/** Nothing can be said of a run that could not be read or written, so nothing is: its lease lapses, and it is taken up again. */
export function isStorageTrouble(error: unknown): boolean {
  if (error instanceof AppError) return error.code.startsWith('storage.') || error.code.startsWith('server.')
  return error instanceof StorageError
}
