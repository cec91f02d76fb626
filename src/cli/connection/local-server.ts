// The application inside this process: the host project of a folder, composed, with its first admin and its definitions.
// It is the one door of the command line to app/ beside the commands that are the server. Listens on nothing, and loads
// the server's code only where it is needed: a command that speaks to a server starts without it.

import type { App, Overrides } from '../../app/compose.ts'
import {
  type Credentials,
  ensureFirstAdmin,
  type FirstAdmin,
  readCredentials,
} from '../../app/credentials.ts'
import type { HostProject } from '../../app/host-code.ts'
import { readClientSettings, readSettings, type Settings } from '../../app/settings.ts'
import type { Principal } from '../../contract/principal.ts'
import { oneLine } from '../output/escape.ts'
import type { World } from '../world.ts'

export interface ProjectApp {
  readonly app: App
  /** Only in LOCAL_DEV. */
  readonly admin: FirstAdmin | undefined
  /** Files that could not be loaded and definitions that were refused, one line each. */
  readonly problems: readonly string[]
}

export interface LocalServer extends AsyncDisposable {
  readonly baseUrl: string
  readonly apiKey: string
  readonly fetch: typeof globalThis.fetch
}

/** Never looked up: requests to it go to the handler in this process. */
const CLOSE_MS_MAX = 1_000
const BASE_URL = 'http://localhost'

/** Opens the application of the working folder for one command. Only for one that drives runs it has a worker. */
export async function openLocalServer(
  world: World,
  note: (text: string) => void,
  drives: boolean,
): Promise<LocalServer> {
  const { loadHostProject } = await import('../../app/host-code.ts')
  const { createLogger } = await import('../../operations/logging/logger.ts')
  const settings = shortLived(readSettings(world.environment, world.folder), drives)
  const debug = world.environment.AGENT_FACTORY_DEBUG === '1'
  const write = (line: string): void => void world.stderr.write(line)
  const service = { name: 'agent-factory', version: 'cli' }
  const log = createLogger({
    level: debug ? 'debug' : 'silent',
    format: 'pretty',
    secrets: settings.secrets.map((held) => held.reveal()),
    service,
    color: false,
    write,
  })
  const project = await loadHostProject(world.folder)
  const { app, admin, problems } = await openProject(settings, world, project, { log })
  for (const problem of problems) note(`agent-factory: ${problem}`)
  if (admin === undefined) {
    await app.close()
    throw new Error('A local server needs DEPLOYMENT_TYPE=LOCAL_DEV.')
  }
  if (admin.created) note(`agent-factory: made a database and a key in ${settings.dataDir}.`)
  return {
    baseUrl: BASE_URL,
    apiKey: admin.apiKey,
    fetch: async (input, init) => app.fetch(new Request(input, init)),
    [Symbol.asyncDispose]: async () => {
      await app.close()
      log[Symbol.dispose]()
    },
  }
}

/**
 * What one command leaves undone is given back at once, for the next worker. One that only looks or changes something
 * must not go on with runs: what they need, such as the server's tools, may not be in this process.
 */
function shortLived(settings: Settings, drives: boolean): Settings {
  const shutdownTimeoutMs = Math.min(settings.server.shutdownTimeoutMs, CLOSE_MS_MAX)
  const workerConcurrency = drives ? settings.workerConcurrency : 0
  return { ...settings, workerConcurrency, server: { ...settings.server, shutdownTimeoutMs } }
}

/** Composes the application with the code of a host project, and brings the catalog to what the project defines. */
export async function openProject(
  settings: Settings,
  world: Pick<World, 'environment' | 'folder'>,
  project: HostProject,
  overrides: Overrides,
): Promise<ProjectApp> {
  const { compose } = await import('../../app/compose.ts')
  const app = await compose(settings, { ...overrides, host: project })
  try {
    const admin = settings.profile.writesCredentials
      ? await ensureFirstAdmin(app.identity, settings.dataDir)
      : undefined
    const owner = await ownerOf(app, admin, world)
    const refused =
      owner === undefined ? [] : await bringDefinitions(app, owner, project, admin?.created === true)
    const broken = project.problems.map(({ file, reason }) => `${file} is not loaded: ${reason}`)
    return { app, admin, problems: [...broken, ...refused].map(oneLine) }
  } catch (error) {
    await app.close()
    throw error
  }
}

/** The key that the data folder holds; undefined where there is none yet. */
export async function folderCredentials(dataDir: string): Promise<Credentials | undefined> {
  const known = await readCredentials(dataDir)
  return known?.apiKey === '' ? undefined : known
}

/** Whose the project's definitions are: the first admin's, elsewhere the holder's of AGENT_FACTORY_API_KEY. */
async function ownerOf(
  app: App,
  admin: FirstAdmin | undefined,
  { environment, folder }: Pick<World, 'environment' | 'folder'>,
): Promise<Principal | undefined> {
  const key = admin?.apiKey ?? readClientSettings(environment, folder).apiKey?.reveal()
  return key === undefined ? undefined : app.identity.authenticateKey(key)
}

async function bringDefinitions(
  app: App,
  owner: Principal,
  project: HostProject,
  isNew: boolean,
): Promise<readonly string[]> {
  const { syncHostProject } = await import('../../app/host-code.ts')
  const { installStarter } = await import('../../app/starter/starter.ts')
  const synced = await syncHostProject(app, owner, project)
  const { models, documentFolders } = app.settings
  const collections = documentFolders.map(({ name }) => name)
  // A database without anything can answer nothing: then the starter comes along, once.
  const starter =
    isNew && project.agents.length === 0
      ? await installStarter(app.catalog, owner, { model: models.starter, tools: [], collections })
      : []
  return [...synced, ...starter].flatMap(({ kind, name, result }) =>
    result.action === 'refused' ? [`The ${kind} "${name}" is refused: ${result.reason}`] : [],
  )
}
