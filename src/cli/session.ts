// One call of a command: its flags, where it writes, and its connection, opened when it is first needed.
// Every command gets one; whoever made it closes it.

import type { Client } from '../sdk/client.ts'
import { connect } from './connection/connect.ts'
import type { Flags } from './flags.ts'
import { type Channel, createChannel } from './output/channel.ts'
import type { World } from './world.ts'

export interface Session extends AsyncDisposable {
  readonly world: World
  readonly flags: Flags
  /** Data goes to `out`, everything else to `err`. */
  readonly out: Channel
  readonly err: Channel
  /** JSON is wanted, in whatever form. */
  readonly json: boolean
  /** The first call decides. `drives`: the command waits for runs, so where no server runs, this process does them. */
  client(options?: { readonly drives: boolean }): Promise<Client>
  /** A line for a person, on standard error; not written where JSON is wanted. */
  note(text: string): void
  now(): number
}

export function createSession(world: World, flags: Flags): Session {
  const { environment } = world
  const color = flags.color && (environment.NO_COLOR ?? '') === ''
  const out = createChannel(world.stdout, color, environment.TERM)
  const err = createChannel(world.stderr, color, environment.TERM)
  const json = flags.json || flags.ndjson
  const note = (text: string): void => {
    if (!json) err.line(text)
  }
  const opened = new AsyncDisposableStack()
  let connection: Promise<Client> | undefined
  return {
    world,
    flags,
    out,
    err,
    json,
    note,
    now: Date.now,
    client: ({ drives } = { drives: false }) => {
      connection ??= connect(world, flags, note, drives).then(({ client, stack }) => {
        opened.use(stack)
        return client
      })
      return connection
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
