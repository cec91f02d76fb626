// The things without which the process cannot serve, each as a check.

import { statfs } from 'node:fs/promises'
import type { HealthCheck } from './health.ts'

/** With less than this, writes may soon fail: better to be taken out before. */
export const FREE_BYTES_MIN = 64 * 1_048_576
const MIB = 1_048_576

export function databaseCheck(ping: () => Promise<void>): HealthCheck {
  return {
    name: 'database',
    run: async () => {
      // What the driver says may hold an address or a password.
      await ping().catch((cause: unknown) => {
        throw new Error('does not answer', { cause })
      })
      return 'answers'
    },
  }
}

export function schemaCheck(assertCurrent: () => Promise<void>): HealthCheck {
  return {
    name: 'schema',
    run: async () => {
      await assertCurrent()
      return 'current'
    },
  }
}

/** `alive` answers whether the worker has looked for jobs lately. */
export function workerCheck(alive: () => boolean): HealthCheck {
  return {
    name: 'worker',
    run: async () => {
      if (!alive()) throw new Error('has not looked for jobs lately')
      return 'alive'
    },
  }
}

/** `alive` answers whether the relay has looked lately for jobs to send tickets for. */
export function relayCheck(alive: () => boolean): HealthCheck {
  return {
    name: 'relay',
    run: async () => {
      if (!alive()) throw new Error('has not sent tickets lately')
      return 'alive'
    },
  }
}

export function diskCheck(
  folder: string,
  freeBytes: (folder: string) => Promise<number> = freeBytesOf,
): HealthCheck {
  return {
    name: 'disk',
    run: async () => {
      const free = await freeBytes(folder)
      const text = `${Math.floor(free / MIB)} MiB free`
      if (free < FREE_BYTES_MIN) throw new Error(`${text}, at least ${FREE_BYTES_MIN / MIB} MiB are needed`)
      return text
    },
  }
}

/** What a process of this user may still write below the folder, in bytes. */
export async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}
