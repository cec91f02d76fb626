// A process that is struck: started, killed, paused, started again.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const SCRIPT = join(import.meta.dirname, 'process.ts')

export interface Struck {
  /** Whether it has started, so that a blow hits work and not a start that a busy machine makes slow. */
  ready(): boolean
  /** SIGKILL or SIGTERM, and a new process in its place. */
  replace(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
  /** SIGSTOP, and SIGCONT after a time longer than a lease. */
  pause(ms: number): Promise<void>
  end(): Promise<void>
}

/** How soon a supervisor starts a process again that ended by itself. */
const RESTART_MS = 300

export function struck(role: 'server' | 'worker', env: NodeJS.ProcessEnv): Struck {
  let ended = false
  let expected = false
  let ready = false
  let child = start()
  function start(): ChildProcess {
    const made = launch(role, env)
    ready = false
    made.stdout?.once('data', () => {
      if (child === made) ready = true
    })
    made.once('exit', () => {
      if (ended || expected) return
      // It could not start, or gave up, because its database or engine was down.
      setTimeout(() => {
        if (!ended && child === made) child = start()
      }, RESTART_MS).unref()
    })
    return made
  }
  const quit = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
  return {
    ready: () => ready,
    async replace(signal) {
      expected = true
      await quit(signal)
      child = start()
      expected = false
    },
    async pause(ms) {
      const paused = child
      paused.kill('SIGSTOP')
      await sleep(ms)
      paused.kill('SIGCONT')
    },
    async end() {
      ended = true
      child.kill('SIGCONT')
      await quit('SIGKILL')
    },
  }
}

function launch(role: string, env: NodeJS.ProcessEnv): ChildProcess {
  // What a process says of its end is of interest only where somebody looks for a fault.
  const errors = process.env.CHAOS_LOG_LEVEL === undefined ? 'ignore' : 'inherit'
  return spawn(process.execPath, [SCRIPT, role], { env, stdio: ['ignore', 'pipe', errors] })
}
