// `init`: a new project in a folder, ready for "dev" and "test". Never overwrites a file; needs no network.

import { mkdir, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { PACKAGE_VERSION } from '../../app/package-version.ts'
import type { Act } from '../act.ts'
import { CliFailure, usage } from '../cli-failure.ts'
import { writeJson } from '../output/answers.ts'
import { projectFiles } from '../scaffold/project-files.ts'
import type { Session } from '../session.ts'

const NAME_CHARS_MAX = 200

export function addInitCommand(program: Command, act: Act): void {
  program
    .command('init')
    .description('Make a project: an agent and a tool in TypeScript, a test, a README')
    .argument('[folder]', 'a new or an empty folder (default: the working folder)')
    .action(act(async (session, folder: string | undefined) => makeProject(session, folder ?? '.')))
}

async function makeProject(session: Session, given: string): Promise<void> {
  const { world } = session
  const folder = resolve(world.folder, given)
  const files = projectFiles({ name: packageName(basename(folder)), dependency: dependencyOf(folder) })
  const paths = Object.keys(files)
  const there = await Promise.all(paths.map((path) => exists(join(folder, path))))
  const taken = paths.filter((_, index) => there[index])
  if (taken.length > 0)
    throw usage(`${given} has ${taken.join(', ')} already; nothing was written. Choose an empty folder.`)
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text, { flag: 'wx' })
    }
  } catch (cause) {
    throw new CliFailure('failed', `${given} cannot be written: check the path and its rights.`, { cause })
  }
  if (session.json) return writeJson(session, { folder, files: paths })
  for (const path of paths) session.out.line(join(given, path))
  const enter = relative(world.folder, folder) === '' ? '' : `cd ${given} && `
  session.note(`\nNext: ${enter}npm install && npm test && npm run dev`)
}

/** A checkout is used as it lies; a published package by its version. */
function dependencyOf(folder: string): string {
  const checkout = import.meta.url.endsWith('.ts')
  return checkout ? `file:${relative(folder, join(import.meta.dirname, '../../..'))}` : `^${PACKAGE_VERSION}`
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch {
    return false
  }
}

/** The name of the folder, in the letters that npm allows. */
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, NAME_CHARS_MAX)
  return name === '' ? 'my-agents' : name
}
