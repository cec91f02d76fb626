// A process that is struck: started, killed, paused, started again.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const SCRIPT = join(import.meta.dirname, 'process.ts')

export interface Struck {
  /** SIGKILL or SIGTERM, and a new process in its place. */
  replace(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
  /** SIGSTOP, and SIGCONT after a time longer than a lease. */
  pause(ms: number): Promise<void>
  end(): Promise<void>
}

export function struck(role: 'server' | 'worker', env: NodeJS.ProcessEnv): Struck {
  let child = launch(role, env)
  const quit = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
  return {
    async replace(signal) {
      await quit(signal)
      child = launch(role, env)
    },
    async pause(ms) {
      child.kill('SIGSTOP')
      await sleep(ms)
      child.kill('SIGCONT')
    },
    async end() {
      child.kill('SIGCONT')
      await quit('SIGKILL')
    },
  }
}

function launch(role: string, env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [SCRIPT, role], { env, stdio: ['ignore', 'ignore', 'inherit'] })
}
