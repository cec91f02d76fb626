// One run of the command line, from arguments to an exit code. Never ends the process, never throws.

import { CommanderError } from 'commander'
import { EXIT, type ExitCode, exitCodeOf } from './exit-code.ts'
import { causeLines, failureText } from './failure-text.ts'
import { createProgram } from './program.ts'
import type { World } from './world.ts'

export async function runCli(args: readonly string[], world: World): Promise<ExitCode> {
  try {
    await createProgram(world).parseAsync(args, { from: 'user' })
    return EXIT.ok
  } catch (thrown) {
    const error = firstOf(thrown)
    // Commander has written its own line: help, the version, or what was wrong with the arguments.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    if (isInterruption(error)) return EXIT.interrupted
    world.stderr.write(`agent-factory: ${failureText(error)}\n`)
    if (world.environment.AGENT_FACTORY_DEBUG === '1')
      for (const line of causeLines(error)) world.stderr.write(`  ${line}\n`)
    return exitCodeOf(error)
  }
}

/** Where closing failed as well, what failed first. */
function firstOf(error: unknown): unknown {
  return error instanceof SuppressedError ? firstOf(error.suppressed) : error
}

/** Somebody pressed Ctrl-C and knows it. */
function isInterruption(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}
