// Text that a command takes in: from a file, or from standard input (`-`), with a limit.

import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CliFailure, usage } from '../cli-failure.ts'
import type { World } from '../world.ts'

export const TEXT_BYTES_MAX = 8_388_608

/** The text of a file, `-` for standard input. A wrong path is a usage failure. */
export async function readText(world: World, file: string): Promise<string> {
  if (file === '-') return readStdin(world)
  const path = resolve(world.folder, file)
  try {
    const { size } = await stat(path)
    if (size > TEXT_BYTES_MAX) throw tooLarge(file)
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (cause instanceof CliFailure) throw cause
    throw usage(`The file ${file} cannot be read${reasonOf(cause)}: check the path.`, { cause })
  }
}

export async function readStdin({ stdin }: World): Promise<string> {
  if (stdin.isTTY === true) throw usage('Nothing comes from standard input: pipe it in, or name a file.')
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stdin) {
    const part = Buffer.from(chunk)
    bytes += part.length
    if (bytes > TEXT_BYTES_MAX) throw tooLarge('standard input')
    chunks.push(part)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function tooLarge(what: string): CliFailure {
  return usage(`${what} is larger than ${TEXT_BYTES_MAX / 1_048_576} MiB.`)
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: ' (it is not there)',
    EACCES: ' (you may not read it)',
    EISDIR: ' (it is a folder)',
  }
  return reasons[code] ?? ''
}
