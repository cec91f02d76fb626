// Opens the client that a command speaks through: to a server, or to an application inside this process.

import { readClientSettings } from '../../app/settings.ts'
import { isApiError } from '../../sdk/api-error.ts'
import { Client } from '../../sdk/client.ts'
import { CliFailure, usage } from '../cli-failure.ts'
import type { Flags } from '../flags.ts'
import type { World } from '../world.ts'
import { readLogin } from './login-file.ts'
import { chooseTarget, type Target, URL_DEFAULT } from './target.ts'

export interface Connection {
  readonly client: Client
  /** Closes the client and, where there is one, the application behind it. */
  readonly stack: AsyncDisposableStack
}

/** How long a server of this folder may take to say that it is there. */
const PROBE_MS_MAX = 2_000

/** `drives`: an application inside this process has a worker. */
export async function connect(
  world: World,
  flags: Flags,
  note: (text: string) => void,
  drives: boolean,
): Promise<Connection> {
  const target = await findTarget(world, flags)
  await using opened = new AsyncDisposableStack()
  const client = opened.use(await clientOf(target, { world, note, drives, opened }))
  return { client, stack: opened.move() }
}

/** Reads what is known of servers and keys, and chooses. */
export async function findTarget(world: World, flags: Flags): Promise<Target> {
  const settings = readClientSettings(world.environment, world.folder)
  const localDev =
    (world.environment.DEPLOYMENT_TYPE ?? '') === '' || world.environment.DEPLOYMENT_TYPE === 'LOCAL_DEV'
  checkUrl(flags.apiUrl)
  if (flags.local && !localDev) throw usage('--local works only with DEPLOYMENT_TYPE=LOCAL_DEV.')
  const { folderCredentials } = await import('./local-server.ts')
  return chooseTarget({
    flags,
    environment: { apiUrl: settings.apiUrl, apiKey: settings.apiKey?.reveal() },
    folder: localDev ? await folderCredentials(settings.dataDir) : undefined,
    login: await readLogin(world),
    localDev,
  })
}

interface LocalParts {
  readonly world: World
  readonly note: (text: string) => void
  readonly drives: boolean
  readonly opened: AsyncDisposableStack
}

async function clientOf(target: Target, local: LocalParts): Promise<Client> {
  switch (target.kind) {
    case 'server':
      return new Client({ baseUrl: target.url, apiKey: target.apiKey })
    case 'folder': {
      const running = await runningServer(target)
      return running ?? localClient(local)
    }
    case 'local':
      return localClient(local)
    case 'no-key':
      throw new CliFailure(
        'denied',
        `There is no key for ${target.url}: give one with --api-key or AGENT_FACTORY_API_KEY, or run "agent-factory auth login".`,
      )
    default:
      return target satisfies never
  }
}

/** The server that this folder had last, where it is running and still knows our key. */
async function runningServer({
  url = URL_DEFAULT,
  apiKey,
}: Extract<Target, { kind: 'folder' }>): Promise<Client | undefined> {
  if (apiKey === undefined || !(await answersAsOurs(url))) return undefined
  const client = new Client({ baseUrl: url, apiKey })
  try {
    await client.whoami({ timeoutMs: PROBE_MS_MAX })
    return client
  } catch (error) {
    client.close()
    // The server of another folder on the same port.
    if (isApiError(error, 'auth.invalid')) return undefined
    throw error
  }
}

/** Asked without the key: it must not go to a program that only happens to have the port. */
async function answersAsOurs(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(PROBE_MS_MAX) })
    const body: unknown = await response.json()
    return typeof body === 'object' && body !== null && 'ready' in body
  } catch {
    return false
  }
}

async function localClient({ world, note, drives, opened }: LocalParts): Promise<Client> {
  const { openLocalServer } = await import('./local-server.ts')
  const { baseUrl, apiKey, fetch, ...server } = await openLocalServer(world, note, drives)
  opened.use(server)
  return new Client({ baseUrl, apiKey, fetch, retry: false })
}

function checkUrl(text: string | undefined): void {
  if (text === undefined) return
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw usage(`--api-url ${JSON.stringify(text)} is no address: give one like ${URL_DEFAULT}.`)
}
