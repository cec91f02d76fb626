// The packages that the benches are compared with: in a folder and a lockfile of their own, installed when first needed.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type Peers = { readonly state: 'ready' } | { readonly state: 'missing'; readonly reason: string }

const FOLDER = join(import.meta.dirname, '..', 'peers')
/** Says for which lockfile the folder was installed; written last, so that half an installation is none. */
const MARKER = join(FOLDER, 'node_modules', '.installed-for')
const INSTALL = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
const INSTALL_MS_MAX = 300_000
/** What an outer npm hands down to its scripts and what would change this installation. */
const HANDED_DOWN = /^npm_config_(global|location|prefix|local_prefix|omit|include|only|production|dry_run)$/i

export async function installPeers(): Promise<Peers> {
  const lockfile = await readFile(join(FOLDER, 'package-lock.json'))
  const wanted = createHash('sha256').update(lockfile).digest('hex')
  if ((await readFile(MARKER, 'utf8').catch(() => '')) === wanted) return { state: 'ready' }
  process.stderr.write('Installing the peers of the benches into bench/peers with `npm ci`, once…\n')
  const environment = Object.entries(process.env).filter(([name]) => !HANDED_DOWN.test(name))
  const { status, stderr, error } = spawnSync('npm', INSTALL, {
    cwd: FOLDER,
    env: Object.fromEntries(environment),
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: INSTALL_MS_MAX,
    shell: process.platform === 'win32',
  })
  if (status === 0) {
    await writeFile(MARKER, wanted)
    return { state: 'ready' }
  }
  process.stderr.write(stderr ?? '')
  const [line] = (error?.message ?? stderr).split('\n')
  return { state: 'missing', reason: `npm ci in bench/peers failed (${line})` }
}
