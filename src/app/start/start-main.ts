// `npm start`: from nothing to an agent that answers and a server that runs, in one command.
// Owns the order and the words of the first start; every step is made elsewhere. `--once` ends instead of serving.

import { join } from 'node:path'
import { isAppError } from '../../base/errors.ts'
import { compose } from '../compose.ts'
import { ensureFirstAdmin, writeCredentials } from '../credentials.ts'
import { PACKAGE_VERSION } from '../package-version.ts'
import { serve, untilSignal } from '../serve.ts'
import { textOf } from '../settings/setting-reader.ts'
import { SETTINGS } from '../settings/setting-table.ts'
import { processEnvironment, readSettings, type Settings } from '../settings.ts'
import { startExampleShop } from '../starter/example-shop.ts'
import { installStarter, STARTER_AGENT } from '../starter/starter.ts'
import { ask, showAnswer } from './first-question.ts'
import { nextCommands, type Place, shortPath } from './next-commands.ts'
import { createTerminal, type Terminal } from './terminal.ts'

const USAGE = 'Usage: npm start [-- --once]\n  --once  ask the first question and end, without serving\n'

export async function startMain(args: readonly string[]): Promise<void> {
  const unknown = args.find((arg) => arg !== '--once' && arg !== '--help')
  if (unknown !== undefined || args.includes('--help')) {
    const stream = unknown === undefined ? process.stdout : process.stderr
    stream.write(
      unknown === undefined
        ? USAGE
        : `agent-factory: there is no option ${JSON.stringify(unknown)}.\n${USAGE}`,
    )
    process.exitCode = unknown === undefined ? 0 : 2
    return
  }
  try {
    await start(createTerminal(process.stdout), { once: args.includes('--once') })
  } catch (error) {
    process.stderr.write(`agent-factory: ${failureText(error)}\n`)
    process.exitCode = 1
  }
}

async function start(terminal: Terminal, { once }: { readonly once: boolean }): Promise<void> {
  const settings = readStartSettings()
  await using opened = new AsyncDisposableStack()
  terminal.line(`\n${terminal.paint('bold', 'Agent Factory')} ${terminal.paint('dim', PACKAGE_VERSION)}\n`)
  const shop = opened.use(await startExampleShop(shopPort(settings.server.port)))
  const allowed = shop === undefined ? [] : [shop.hostPort]
  const app = opened.use(await compose(settings, { outboundAllowHosts: allowed }))
  await terminal.step('Database', async () => shownDatabase(settings))
  const admin = await ensureFirstAdmin(app.identity, settings.dataDir)
  await terminal.step(
    'Key',
    async () => `${admin.created ? 'made, in' : 'found in'} ${shownPath(admin.path)}`,
  )
  // Before anything is changed that a server which has the port already may use.
  const server = once ? undefined : await serve({ ...app, fetch: app.fetch }, { ...settings.server })
  if (server !== undefined) opened.defer(() => server.stop())
  if (shop !== undefined)
    await terminal.step(
      'Shop',
      async () => `${shop.url} (an example API with ${shop.tools.length} operations)`,
    )
  const principal = await app.identity.authenticateKey(admin.apiKey)
  await terminal.step('Agent', async () => {
    const installed = await installStarter(app.catalog, principal, {
      model: settings.models.starter,
      tools: shop?.tools ?? [],
      collections: settings.documentFolders.map(({ name }) => name),
    })
    for (const { name, result } of installed) {
      if (result.action === 'refused') throw new Error(`The starter's ${name} was refused: ${result.reason}`)
    }
    const { version } = await app.catalog.agents.get(principal, STARTER_AGENT)
    return `${STARTER_AGENT}, version ${version.version}, on ${version.definition.model}`
  })
  showAnswer(terminal, await ask(terminal, app, principal))
  if (server === undefined) return
  await writeCredentials(settings.dataDir, { apiKey: admin.apiKey, apiUrl: server.url })
  showServing(terminal, { root: ROOT, userFolder: userFolder(), dataDir: settings.dataDir, url: server.url })
  await untilSignal(async () => {
    terminal.line(
      terminal.paint(
        'dim',
        '\n  Stopping: requests and runs under way finish first. Once more ends at once.',
      ),
    )
    await opened.disposeAsync()
  })
}

/** While the start writes, the log keeps to what is wrong, unless a level was asked for. */
function readStartSettings(): Settings {
  const environment = processEnvironment()
  const settings = readSettings(environment)
  const asked = textOf(environment, SETTINGS.logLevel.name) !== undefined
  return asked || settings.log.format === 'json'
    ? settings
    : { ...settings, log: { ...settings.log, level: 'warn' } }
}

const ROOT = join(import.meta.dirname, '../../..')

/** npm runs a script in the folder of its package, and says in INIT_CWD where it was called. */
function userFolder(): string {
  return processEnvironment().INIT_CWD ?? process.cwd()
}

/** The next port: the same at each start, so that the tools' addresses stay. */
function shopPort(port: number): number {
  return port === 0 || port === 65_535 ? 0 : port + 1
}

function shownDatabase({ database }: Settings): string {
  return database.engine === 'sqlite' ? shownPath(database.path) : 'Postgres'
}

function shownPath(path: string): string {
  return shortPath(userFolder(), path)
}

function showServing(terminal: Terminal, place: Place): void {
  terminal.line()
  terminal.entry('API', `${place.url}  (to read: ${place.url}/docs)`)
  terminal.entry('Key', shownPath(join(place.dataDir, 'credentials.json')))
  terminal.line(`\n  ${terminal.paint('bold', 'Try, in another terminal')}`)
  for (const command of nextCommands(place)) terminal.line(`\n    ${terminal.paint('cyan', command)}`)
  terminal.line(terminal.paint('dim', '\n  Ctrl-C stops the server.\n'))
}

/** One line for what a user can mend; for the rest the place as well, since it is a fault of ours. */
function failureText(error: unknown): string {
  if (isAppError(error)) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
