// `auth`: who you are, the keys of your tenant, and the server that this user's commands speak to.

import type { Command } from 'commander'
import { Option } from 'commander'
import { apiKey, createdApiKey, type Me, me } from '../../contract/account.ts'
import { PERMISSIONS, type Permission, ROLE_PERMISSIONS, type Role } from '../../contract/permission.ts'
import type { Act } from '../act.ts'
import { usage } from '../cli-failure.ts'
import { expiry, list } from '../input/option-values.ts'
import { answer, answerList, type ListOptions } from '../output/answers.ts'
import { showDetails } from '../output/details.ts'
import { visible } from '../output/escape.ts'
import { fullTime, listTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'
import { addListOptions } from './list-options.ts'
import { addLoginCommands } from './login.ts'

interface CreateKeyOptions {
  readonly name: string
  readonly permissions?: readonly string[]
  readonly role?: Role
  readonly expires?: string
}

const ROLES = ['USER', 'CREATOR', 'ADMIN'] as const

export function addAuthCommands(program: Command, act: Act): void {
  const group = program.command('auth').description('Log in, and manage API keys')
  addLoginCommands(group, act)
  group
    .command('whoami')
    .description('Show whom the key stands for, and what it may do')
    .action(
      act(async (session) => {
        const found = await (await session.client()).whoami()
        answer(session, me, found, () => showMe(session, found))
      }),
    )
  group
    .command('create-key')
    .description('Make an API key; it is shown this once')
    .requiredOption('--name <name>', 'what it is for')
    .option('--permissions <permissions>', 'what it may do, separated by commas', list)
    .addOption(new Option('--role <role>', 'what a role may do, instead of permissions').choices(ROLES))
    .option('--expires <time>', 'when it ends: 90d, 12h, 2027-01-31', (text) => expiry(text))
    .action(
      act(async (session, options: CreateKeyOptions) => {
        const request = {
          name: options.name,
          permissions: [...permissionsOf(options)],
          ...(options.expires !== undefined && { expiresAt: options.expires }),
        }
        const made = await (await session.client()).createApiKey(request)
        answer(session, createdApiKey, made, (out) => {
          showDetails(out, [
            ['key', made.key ?? undefined],
            ['id', made.id],
            ['name', made.name],
            ['permissions', made.permissions.join(', ')],
            ['expires', made.expiresAt === null ? 'never' : fullTime(made.expiresAt, session.now())],
          ])
          session.note('Keep the key: it is shown this once and stored nowhere.')
        })
      }),
    )
  addListOptions(group.command('list-keys').description('List API keys, newest first')).action(
    act(async (session, options: ListOptions) => {
      const client = await session.client()
      const when = (time: string | null): string =>
        time === null ? 'never' : listTime(session.out, time, session.now())
      await answerList(session, apiKey, options, (page) => client.listApiKeys(page), [
        { title: 'ID', value: ({ id }) => id, keep: true },
        { title: 'NAME', value: ({ name }) => name },
        { title: 'BEGINS', value: ({ prefix }) => prefix },
        { title: 'STATE', value: (key) => keyState(key, session.now()) },
        { title: 'USED', value: ({ lastUsedAt }) => when(lastUsedAt) },
        { title: 'EXPIRES', value: ({ expiresAt }) => when(expiresAt), optional: true },
        { title: 'PERMISSIONS', value: ({ permissions }) => permissions.join(','), optional: true },
      ])
    }),
  )
  group
    .command('revoke-key')
    .description('Revoke an API key: it stops working within a second')
    .argument('<key>', 'the id of the key (key_…)')
    .action(
      act(async (session, id: string) => {
        await (await session.client()).revokeApiKey(id)
        session.note(`Revoked ${visible(id)}.`)
      }),
    )
}

/** An empty list would be a key that may do nothing, so one of the two options is needed. */
function permissionsOf({ permissions, role }: CreateKeyOptions): readonly Permission[] {
  if (permissions !== undefined && role !== undefined) throw usage('Give --permissions or --role, not both.')
  if (role !== undefined) return ROLE_PERMISSIONS[role]
  if (permissions === undefined || permissions.length === 0)
    throw usage('Say what the key may do: --role USER, or --permissions RUN_AGENTS,READ_RUNS.')
  return permissions.map((name) => {
    const known = PERMISSIONS.find((permission) => permission === name.toUpperCase())
    if (known === undefined)
      throw usage(`There is no permission ${name}; there are ${PERMISSIONS.join(', ')}.`)
    return known
  })
}

function keyState(
  { revokedAt, expiresAt }: { readonly revokedAt: string | null; readonly expiresAt: string | null },
  nowMs: number,
): string {
  if (revokedAt !== null) return 'revoked'
  return expiresAt !== null && Date.parse(expiresAt) <= nowMs ? 'expired' : 'active'
}

function showMe(session: Session, found: Me): void {
  showDetails(session.out, [
    ['tenant', found.tenantId],
    ['user', `${found.userId} (${found.kind})`],
    ['key', found.apiKeyId ?? undefined],
    ['operator', found.operator ? 'yes' : undefined],
    ['permissions', found.permissions.join(', ')],
  ])
}
