// Tells when files change, by looking at them: works the same on every file system, also over networks and in containers.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

export interface FileWatch extends AsyncDisposable {
  /** Answers once something is different from the last look; undefined when the watch is closed. */
  changed(): Promise<true | undefined>
}

export interface WatchedFiles {
  /** Looked at with what is in them. */
  readonly folders: readonly string[]
  /** Looked at whether they are there or not; asked for anew at each look. */
  readonly files: () => Iterable<string>
}

const LOOK_MS = 300
/** Editors write a file in several steps; a change counts when nothing more has changed since. */
const FILES_MAX = 2_000

export async function watchFiles(watched: WatchedFiles, lookMs: number = LOOK_MS): Promise<FileWatch> {
  const closing = new AbortController()
  let seen = await signatureOf(watched)
  const changed = async (): Promise<true | undefined> => {
    for (let before = seen; ; ) {
      await pause(lookMs, closing.signal)
      if (closing.signal.aborted) return undefined
      const now = await signatureOf(watched)
      // It is still being written.
      const isSettled = now === before
      before = now
      if (!isSettled || now === seen) continue
      seen = now
      return true
    }
  }
  return { changed, [Symbol.asyncDispose]: async () => closing.abort() }
}

async function signatureOf({ folders, files }: WatchedFiles): Promise<string> {
  const listed = await Promise.all(folders.map(filesIn))
  const paths = new Set([...listed.flat(), ...files()])
  const signs = await Promise.all([...paths].slice(0, FILES_MAX).toSorted().map(signOf))
  return signs.join('\n')
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

async function signOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  return found === undefined ? `${path} -` : `${path} ${found.mtimeMs} ${found.size}`
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}
