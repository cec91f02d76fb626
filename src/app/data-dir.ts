// The data folder: made where it is missing, for this user only, since it holds the database and the first key.

import { mkdir } from 'node:fs/promises'
import { AppError } from '../base/errors.ts'

/** Throws `settings.invalid` with one line where the folder cannot be made. */
export async function makeDataDir(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    const reason =
      cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
        ? 'it is a file'
        : 'it may not be written'
    throw new AppError(
      'settings.invalid',
      `The data folder ${folder} cannot be made (${reason}): set AGENT_FACTORY_DATA_DIR.`,
      { cause },
    )
  }
}
