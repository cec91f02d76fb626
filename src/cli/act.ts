// From the work of a command to what commander calls: flags read, a session opened and closed again.

import type { Command, OptionValues } from 'commander'
import type { Flags } from './flags.ts'
import { createSession, type Session } from './session.ts'
import type { World } from './world.ts'

/** `work` gets its session, then the arguments of the command, then its options. */
export type Act = <A extends unknown[]>(
  work: (session: Session, ...args: A) => Promise<void>,
) => (this: Command, ...args: [...A, Command]) => Promise<void>

export function createAct(world: World): Act {
  return <A extends unknown[]>(work: (session: Session, ...args: A) => Promise<void>) =>
    async function (this: Command, ...args: [...A, Command]): Promise<void> {
      await using session = createSession(world, flagsOf(this))
      // Commander hands over the arguments, the options and, last, the command itself.
      await work(session, ...(args.slice(0, -1) as A))
    }
}

/** Flags may stand before the name of the command or after it; those after it win. */
function flagsOf(command: Command): Flags {
  const given: OptionValues[] = []
  for (let at: Command | null = command; at !== null; at = at.parent) given.unshift(at.opts())
  const flags: OptionValues = Object.assign({}, ...given)
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
  return {
    json: flags.json === true,
    ndjson: flags.ndjson === true,
    local: flags.local === true,
    color: given.every(({ color }) => color !== false),
    apiUrl: text(flags.apiUrl),
    apiKey: text(flags.apiKey),
  }
}
