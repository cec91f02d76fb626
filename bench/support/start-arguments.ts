// What `npm start` runs, from package.json: the launcher, the flags of a server, the program.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')

/** `node`'s arguments: `scripts/run.cjs --flag… src/app/start.ts`. */
export function startArguments(): readonly string[] {
  const text = readFileSync(join(ROOT, 'package.json'), 'utf8')
  const { scripts } = JSON.parse(text) as { scripts: { start: string } }
  return scripts.start.split(' ').slice(1)
}

/** The flags among them, so that what stands for the server is measured as the server runs. */
export function serverFlags(): readonly string[] {
  return startArguments().filter((argument) => argument.startsWith('--'))
}
