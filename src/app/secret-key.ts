// The key under which secrets are stored. LOCAL_DEV makes one in the data folder; elsewhere an operator gives it, since
// every process needs the same one and a container's disk does not last.

import { randomBytes } from 'node:crypto'
import { link, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../base/errors.ts'
import { makeDataDir } from './data-dir.ts'
import { SECRET_KEY_BYTES_MIN, secretKeyBytes } from './settings/job-queue.ts'
import type { Settings } from './settings.ts'

const FILE = 'secret-key'

/** The bytes of the key; undefined where none is given and none may be made. Throws `settings.invalid`. */
export async function openSecretKey(settings: Settings): Promise<Uint8Array | undefined> {
  if (settings.secretKey !== undefined) return secretKeyBytes(settings.secretKey.reveal())
  if (!settings.profile.writesCredentials) return undefined
  await makeDataDir(settings.dataDir)
  const path = join(settings.dataDir, FILE)
  const known = await readKey(path)
  if (known !== undefined) return known
  await makeKey(path)
  return readKey(path)
}

async function readKey(path: string): Promise<Uint8Array | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new AppError('settings.invalid', `${path} cannot be read: change its rights.`, { cause })
  }
  const bytes = secretKeyBytes(text.trim())
  if (bytes !== undefined) return bytes
  throw new AppError(
    'settings.invalid',
    `${path} holds no key: restore the file, or set AGENT_FACTORY_SECRET_KEY.`,
  )
}

/** Written beside and linked into place: of two processes that start at once, both use the key of the first. */
async function makeKey(path: string): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString('hex')}.new`
  try {
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(`${randomBytes(SECRET_KEY_BYTES_MIN).toString('hex')}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await link(draft, path)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return
    throw new AppError(
      'settings.invalid',
      `${path} cannot be written: change the rights of the folder, or set AGENT_FACTORY_SECRET_KEY.`,
      { cause },
    )
  } finally {
    await rm(draft, { force: true })
  }
}
