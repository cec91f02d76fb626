// The name under which a worker holds leases, and whether the holder of another name is known to be dead.

import { randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** `host/machine/pid/random`: `machine` tells processes apart that cannot see each other's process ids. */
export function workerName(): string {
  return `${hostname().slice(0, 64)}/${machine()}/${process.pid}/${randomBytes(4).toString('hex')}`
}

/**
 * Whether a lease's holder is certainly gone: it ran on this machine, in this process namespace, since this boot, and
 * no process has its id, or this one has. False where it cannot be known: then its lease must lapse.
 */
export function isDead(owner: string, self: string): boolean {
  if (owner === self) return false
  const [host, machineId, pid] = owner.split('/')
  const [ownHost, ownMachine] = self.split('/')
  if (host !== ownHost || machineId !== ownMachine || machineId === UNKNOWN) return false
  const id = Number(pid)
  if (!Number.isSafeInteger(id) || id <= 0) return false
  if (id === process.pid) return !held.has(owner)
  try {
    process.kill(id, 0)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}

/** The names that live workers of this very process have. */
const held = new Set<string>()

export function holdName(name: string): void {
  held.add(name)
}

export function dropName(name: string): void {
  held.delete(name)
}

const UNKNOWN = 'unknown'

function machine(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().slice(0, 8)
    const namespace = readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')
    return `${boot}-${namespace}`
  } catch {
    // Not Linux: process ids are the machine's, and the host's name stands for it.
    return process.platform === 'linux' ? UNKNOWN : process.platform
  }
}
