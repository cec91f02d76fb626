// Folders for what a bench writes. Inside the checkout and not in the system's temporary folder, which may lie in
// memory, where a flush to disk costs nothing.

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '.work')

/** A new empty folder; disposing it deletes it. */
export async function workFolder(name: string): Promise<{ readonly path: string } & AsyncDisposable> {
  await mkdir(ROOT, { recursive: true })
  const path = await mkdtemp(join(ROOT, `${name}-`))
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  }
}
