// What a command may touch of its process: streams, environment, folder, Ctrl-C. Passed in, so that a test can run
// a command inside its own process.

import { homedir } from 'node:os'
import type { Readable } from 'node:stream'
import { processEnvironment } from '../app/settings.ts'
import type { Sink } from './output/channel.ts'

export type Environment = ReturnType<typeof processEnvironment>

export interface World {
  readonly environment: Environment
  /** The working folder. */
  readonly folder: string
  readonly home: string
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Sink
  readonly stderr: Sink
  /** Aborts at Ctrl-C; a second one ends the process. Until it is asked for, Ctrl-C ends the process at once. */
  interrupted(): AbortSignal
  /** Ends the process at once, whatever is still open: for what does not let itself be closed. */
  end(code: number): never
}

/** The process itself. */
export function processWorld(): World {
  let controller: AbortController | undefined
  const interrupt = (): AbortController => {
    if (controller !== undefined) return controller
    const made = new AbortController()
    const names = ['SIGINT', 'SIGTERM'] as const
    const onSignal = (): void => {
      // Without a handler the next signal, of either kind, has its usual effect.
      for (const name of names) process.removeListener(name, onSignal)
      made.abort()
    }
    for (const name of names) process.on(name, onSignal)
    controller = made
    return made
  }
  // A reader that has seen enough (`| head`) is no fault, and there is nobody left to write to.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    interrupt().abort()
  })
  const folder = process.cwd()
  return {
    environment: processEnvironment(folder),
    folder,
    home: homedir(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    interrupted: () => interrupt().signal,
    end: (code) => process.exit(code),
  }
}
