// credentials.json in the data folder: the first admin's key, for this user's command line and examples. Mode 600.
// Only LOCAL_DEV writes it; elsewhere the key is shown once by the command that makes the first tenant.

import { chmod, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../base/errors.ts'
import { isJsonObject, type Json } from '../base/json.ts'
import type { Identity } from '../identity/identity.ts'
import { makeDataDir } from './data-dir.ts'

export interface Credentials {
  readonly apiKey: string
  /** Where the server was last, for clients that are told nothing else. */
  readonly apiUrl: string | undefined
}

export interface FirstAdmin {
  readonly apiKey: string
  readonly path: string
  /** Made now; otherwise it was there. */
  readonly created: boolean
}

const FILE = 'credentials.json'

export function credentialsPath(dataDir: string): string {
  return join(dataDir, FILE)
}

/** What the file says, or undefined where there is none. Throws `settings.invalid` where it cannot be used. */
export async function readCredentials(dataDir: string): Promise<Credentials | undefined> {
  const path = credentialsPath(dataDir)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new AppError('settings.invalid', `${path} cannot be read.`, { cause })
  }
  const value = parsed(text)
  if (!isJsonObject(value) || typeof value.api_key !== 'string') {
    throw new AppError(
      'settings.invalid',
      `${path} has no api_key: delete the file, or set AGENT_FACTORY_API_KEY.`,
    )
  }
  return { apiKey: value.api_key, apiUrl: typeof value.api_url === 'string' ? value.api_url : undefined }
}

/** Writes the whole file or nothing, readable by this user only. */
export async function writeCredentials(dataDir: string, credentials: Credentials): Promise<string> {
  await makeDataDir(dataDir)
  const path = credentialsPath(dataDir)
  const draft = `${path}.${process.pid}.new`
  const wire = { api_url: credentials.apiUrl, api_key: credentials.apiKey }
  try {
    const file = await open(draft, 'w', 0o600)
    try {
      await chmod(draft, 0o600)
      await file.writeFile(`${JSON.stringify(wire, undefined, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (cause) {
    await rm(draft, { force: true })
    throw new AppError(
      'settings.invalid',
      `${path} cannot be written: change the rights of the folder, or set AGENT_FACTORY_DATA_DIR.`,
      {
        cause,
      },
    )
  }
  return path
}

/**
 * The first admin's key: from the file, or made together with the first tenant where the database is empty.
 * Throws `settings.invalid` where there is a tenant but no file: the key is stored nowhere else.
 */
export async function ensureFirstAdmin(identity: Identity, dataDir: string): Promise<FirstAdmin> {
  const path = credentialsPath(dataDir)
  const known = await readCredentials(dataDir)
  // Written before the tenant is made: a folder that cannot be written must not cost the only key.
  if (known === undefined) await writeCredentials(dataDir, { apiKey: '', apiUrl: undefined })
  const made = await identity.bootstrap({ tenantName: 'Default', adminName: 'Administrator' })
  if (made !== undefined) {
    await writeCredentials(dataDir, { apiKey: made.key, apiUrl: known?.apiUrl })
    return { apiKey: made.key, path, created: true }
  }
  if (known !== undefined && known.apiKey !== '') return { apiKey: known.apiKey, path, created: false }
  await rm(path, { force: true })
  throw new AppError(
    'settings.invalid',
    `The database has a tenant, but ${path} with its key is gone: restore the file, or begin anew with another AGENT_FACTORY_DATA_DIR.`,
  )
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
