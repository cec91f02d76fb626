// What `auth login` stored: one server and its key, in the user's configuration folder, readable by this user only.

import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isJsonObject } from '../../base/json.ts'
import { CliFailure } from '../cli-failure.ts'
import type { World } from '../world.ts'
import type { StoredLogin } from './target.ts'

type Place = Pick<World, 'environment' | 'home'>

/** `$XDG_CONFIG_HOME`, on Windows `%APPDATA%`, else `~/.config`. */
export function loginPath({ environment, home }: Place): string {
  const given = environment.XDG_CONFIG_HOME ?? environment.APPDATA ?? ''
  return join(given === '' ? join(home, '.config') : given, 'agent-factory', 'login.json')
}

export async function readLogin(place: Place): Promise<StoredLogin | undefined> {
  const path = loginPath(place)
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined
    throw new CliFailure('failed', `${path} cannot be read: change its rights, or delete it.`, { cause })
  })
  if (text === undefined) return undefined
  const value = parsed(text)
  if (isJsonObject(value) && typeof value.api_url === 'string' && typeof value.api_key === 'string')
    return { apiUrl: value.api_url, apiKey: value.api_key }
  throw new CliFailure(
    'failed',
    `${path} is not what "auth login" wrote: run "agent-factory auth login" again.`,
  )
}

/** Writes the whole file or nothing. Answers its path. */
export async function writeLogin(place: Place, login: StoredLogin): Promise<string> {
  const path = loginPath(place)
  const draft = `${path}.${process.pid}.new`
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const wire = { api_url: login.apiUrl, api_key: login.apiKey }
    await writeFile(draft, `${JSON.stringify(wire, undefined, 2)}\n`, { mode: 0o600 })
    await chmod(draft, 0o600)
    await rename(draft, path)
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined)
    throw new CliFailure('failed', `${path} cannot be written: change the rights of its folder.`, { cause })
  }
  return path
}

/** Whether there was one. */
export async function removeLogin(place: Place): Promise<boolean> {
  try {
    await rm(loginPath(place))
    return true
  } catch {
    return false
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
