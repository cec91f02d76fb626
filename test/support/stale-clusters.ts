// Removes the temporary Postgres clusters of test runs that were killed. Called by postgres.ts.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

/** How the temporary folders of the tests' Postgres begin. */
export const CLUSTER_PREFIX = 'agent-factory-postgres-'
/** The file in such a folder that names the process which started it. */
export const OWNER_FILE = 'owner.pid'

const STOP_POLLS_MAX = 40

/** Stops and deletes every cluster whose starter is gone; those of other accounts are left alone. */
export async function sweepStaleClusters(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(CLUSTER_PREFIX))
  for (const name of names) {
    const folder = join(tmpdir(), name)
    const owner = await readPid(join(folder, OWNER_FILE))
    if (owner === undefined || isAlive(owner)) continue
    await stopPostmaster(folder)
    await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}

async function stopPostmaster(folder: string): Promise<void> {
  const data = join(folder, 'data')
  const pid = await readPid(join(data, 'postmaster.pid'))
  // The id may belong to another program by now: only one that names this folder is ours to stop.
  if (pid === undefined || !(await commandLine(pid)).includes(data)) return
  try {
    process.kill(pid, 'SIGQUIT')
  } catch {
    return
  }
  for (let poll = 0; poll < STOP_POLLS_MAX && isAlive(pid); poll += 1) await sleep(50)
}

async function readPid(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const pid = Number.parseInt(text, 10)
  return pid > 0 ? pid : undefined
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
  // In a container whose first process does not reap, a dead process stays listed as a zombie.
  return !(existsSync(`/proc/${pid}/stat`) && / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')))
}

async function commandLine(pid: number): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    const ps = await promisify(execFile)('ps', ['-p', String(pid), '-o', 'command=']).catch(() => undefined)
    return ps?.stdout ?? ''
  }
}
