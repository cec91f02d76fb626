// `auth login` and `auth logout`: the server and the key that this user's commands take when nothing else is said.

import type { Command } from 'commander'
import { readClientSettings } from '../../app/settings.ts'
import { me } from '../../contract/account.ts'
import { Client } from '../../sdk/client.ts'
import type { Act } from '../act.ts'
import { usage } from '../cli-failure.ts'
import { findTarget } from '../connection/connect.ts'
import { removeLogin, writeLogin } from '../connection/login-file.ts'
import { URL_DEFAULT } from '../connection/target.ts'
import { askHidden } from '../input/ask-hidden.ts'
import { readStdin } from '../input/read-text.ts'
import { answer } from '../output/answers.ts'
import { showDetails } from '../output/details.ts'
import type { Session } from '../session.ts'

export function addLoginCommands(group: Command, act: Act): void {
  group
    .command('login')
    .description(
      'Keep a server and a key for this user; the key comes from --api-key, standard input or a prompt',
    )
    .action(act(login))
  group
    .command('logout')
    .description('Forget the server and the key')
    .action(
      act(async (session) => {
        const removed = await removeLogin(session.world)
        session.note(removed ? 'Logged out.' : 'There was no login.')
      }),
    )
}

async function login(session: Session): Promise<void> {
  const { world, flags } = session
  const settings = readClientSettings(world.environment, world.folder)
  const apiUrl = flags.apiUrl ?? settings.apiUrl ?? URL_DEFAULT
  const given = flags.apiKey ?? settings.apiKey?.reveal()
  const apiKey = (given ?? (await askedKey(session, apiUrl))).trim()
  if (!/^[\x21-\x7e]{1,4096}$/.test(apiKey)) throw usage('The key must be one word of printable characters.')
  await using client = new Client({ baseUrl: apiUrl, apiKey })
  const found = await client.whoami()
  const path = await writeLogin(world, { apiUrl, apiKey })
  answer(session, me, found, (out) =>
    showDetails(out, [
      ['server', apiUrl],
      ['tenant', found.tenantId],
      ['user', found.userId],
      ['stored in', path],
    ]),
  )
  const target = await findTarget(world, { ...flags, apiUrl: undefined, apiKey: undefined })
  if (target.kind === 'folder')
    session.note(
      'In this folder commands still speak to its own server: its .agent-factory/credentials.json comes first.',
    )
}

async function askedKey(session: Session, apiUrl: string): Promise<string> {
  const { world } = session
  if (world.stdin.isTTY !== true) return readStdin(world)
  return askHidden(world, `API key for ${apiUrl}: `)
}
