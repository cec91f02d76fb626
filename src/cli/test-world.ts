// Runs a command inside the process of a test, with a world of its own: nothing of it reaches the real process.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Command } from 'commander'
import { createProgram } from './program.ts'
import { runCli } from './run-cli.ts'
import type { World } from './world.ts'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
  /** `out` as JSON. */
  json(): unknown
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** What comes from standard input; a terminal where it is absent. */
  readonly stdin?: string
  /** Both streams are terminals of so many columns. */
  readonly columns?: number
  readonly signal?: AbortSignal
  /** Called with all that stands on standard output so far. */
  readonly onOut?: (text: string) => void
}

export interface TestWorld extends Disposable {
  readonly folder: string
  readonly home: string
  /** The tree of commands. */
  program(): Command
  run(args: readonly string[], options?: RunOptions): Promise<Ran>
}

/** A working folder and a home, both empty; removed in the end. */
export function createTestWorld(environment: Readonly<Record<string, string>> = {}): TestWorld {
  const root = mkdtempSync(join(tmpdir(), 'af-cli-'))
  const home = join(root, 'home')
  const silent: World = {
    environment,
    folder: root,
    home,
    stdin: Readable.from([]),
    stdout: { write: () => undefined },
    stderr: { write: () => undefined },
    interrupted: () => new AbortController().signal,
    end: (code) => {
      throw new Error(`The process would end with ${code}.`)
    },
  }
  return {
    folder: root,
    home,
    program: () => createProgram(silent),
    async run(args, options = {}) {
      let out = ''
      let err = ''
      const isTTY = options.columns !== undefined
      const tty = isTTY ? { isTTY, columns: options.columns ?? 0 } : {}
      const stdin = Object.assign(Readable.from(options.stdin === undefined ? [] : [options.stdin]), {
        isTTY: options.stdin === undefined,
      })
      const write = (text: string): void => {
        out += text
        options.onOut?.(out)
      }
      const code = await runCli(args, {
        ...silent,
        environment: { ...environment, ...options.environment },
        stdin,
        stdout: { ...tty, write },
        stderr: {
          ...tty,
          write: (text) => {
            err += text
          },
        },
        interrupted: () => options.signal ?? new AbortController().signal,
      })
      return { code, out, err, json: () => JSON.parse(out) as unknown }
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}
