// Where the tests' Redis comes from: PATH, or a package of Debian, installed or only unpacked.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const INSTALL_MS_MAX = 180_000
const PROGRAM = 'redis-server'
/** What the program needs that a small Debian or Ubuntu lacks; names differ between releases, and those missing are left out. */
const PACKAGES = [
  'redis-server',
  'redis-tools',
  'libjemalloc2',
  'liblua5.1-0',
  'liblzf1',
  'lua-bitop',
  'lua-cjson',
]

export interface RedisBinary {
  readonly path: string
  readonly env: Readonly<Record<string, string>>
}

/** Finds or fetches Redis; `folder` is where it may be unpacked. Throws one line that says what to do. */
export async function findRedis(folder: string): Promise<RedisBinary> {
  const found = onPath()
  if (found !== undefined) return { path: found, env: {} }
  const reasons: string[] = []
  for (const fetch of [install, () => unpack(folder)]) {
    try {
      return await fetch()
    } catch (error) {
      reasons.push(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))
    }
  }
  throw new Error(
    `The tests need Redis: install redis-server, so that it is on the PATH (${reasons.join('; ')}).`,
  )
}

function onPath(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']
  return folders.map((folder) => join(folder, PROGRAM)).find((path) => existsSync(path))
}

async function install(): Promise<RedisBinary> {
  if (process.getuid?.() !== 0) throw new Error('not root')
  const options = { timeout: INSTALL_MS_MAX, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  await run('apt-get', ['update', '-qq'], options)
  await run('apt-get', ['install', '-qq', '-y', '--no-install-recommends', PROGRAM], options)
  const path = onPath()
  if (path === undefined) throw new Error('apt-get installed no redis-server')
  return { path, env: {} }
}

async function unpack(folder: string): Promise<RedisBinary> {
  await mkdir(folder, { recursive: true })
  const options = { cwd: folder, timeout: INSTALL_MS_MAX }
  try {
    await download(folder)
  } catch {
    // The machine's lists of packages are old, or there are none, as in most images; only root may renew those.
    await download(folder, await ownLists(folder))
  }
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.deb')))
    await run('dpkg', ['-x', file, folder], options)
  const libraries = (await readdir(join(folder, 'usr', 'lib'))).map((name) =>
    join(folder, 'usr', 'lib', name),
  )
  // redis-server is a link to redis-check-rdb, of redis-tools.
  const path = [PROGRAM, 'redis-check-rdb']
    .map((name) => join(folder, 'usr', 'bin', name))
    .find((file) => existsSync(file))
  if (path === undefined) throw new Error('no redis-server in the packages')
  return { path, env: { LD_LIBRARY_PATH: libraries.join(':') } }
}

async function download(folder: string, flags: readonly string[] = []): Promise<void> {
  for (const name of PACKAGES) {
    const fetched = run('apt-get', [...flags, 'download', name], { cwd: folder, timeout: INSTALL_MS_MAX })
    if (name === 'redis-tools') await fetched
    else await fetched.catch(() => undefined)
  }
}

/** Lists of packages in this folder; answers the flags that make apt use them. */
async function ownLists(folder: string): Promise<readonly string[]> {
  const [lists, cache] = [join(folder, 'lists'), join(folder, 'cache')]
  for (const path of [join(lists, 'partial'), join(cache, 'archives', 'partial')])
    await mkdir(path, { recursive: true })
  const flags = ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${cache}`]
  await run('apt-get', [...flags, 'update', '-qq'], { timeout: INSTALL_MS_MAX })
  return flags
}
