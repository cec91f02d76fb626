// `dev`: serves the host project of this folder and loads it again when a file changes. A change that cannot be used
// leaves the version before in place, and is told.

import { join } from 'node:path'
import type { Command } from 'commander'
import type { App } from '../../app/compose.ts'
import { HOST_FOLDERS, type HostProject } from '../../app/host-code.ts'
import { processEnvironment, type Settings } from '../../app/settings.ts'
import { isAppError } from '../../base/errors.ts'
import type { Act } from '../act.ts'
import { watchFiles } from '../dev/file-watch.ts'
import { createModuleReload, type ModuleReload } from '../dev/module-reload.ts'
import { createReloadingApp, type ReloadingApp } from '../dev/reloading-app.ts'
import { counted } from '../output/cost-text.ts'
import { oneLine } from '../output/escape.ts'
import type { Session } from '../session.ts'
import type { World } from '../world.ts'
import { type ListenOptions, readServeSettings } from './serve.ts'

export function addDevCommand(program: Command, act: Act): void {
  program
    .command('dev')
    .description(
      'Serve this folder, and load it again when agents/, tools/, guardrails/, workflows/ or .env change',
    )
    .option('--host <host>', 'the address to listen on (or HOST)')
    .option('--port <port>', 'the port to listen on (or PORT)')
    .action(act(develop))
}

async function develop(session: Session, options: ListenOptions): Promise<void> {
  const { serve, untilSignal } = await import('../../app/serve.ts')
  const { writeCredentials } = await import('../../app/credentials.ts')
  const { folder } = session.world
  const settings = readServeSettings(session, options)
  await using opened = new AsyncDisposableStack()
  const modules = opened.use(createModuleReload(folder))
  const first = await load(session.world, settings)
  const app = opened.use(createReloadingApp(first.app))
  const server = await serve(
    { fetch: app.fetch, log: first.app.log, stopping: app.stopping },
    settings.server,
  )
  opened.defer(() => server.stop())
  if (first.admin !== undefined)
    await writeCredentials(settings.dataDir, { apiKey: first.admin.apiKey, apiUrl: server.url })
  tell(
    session,
    `Serving ${inventory(first.project)} on ${server.url} (API: ${server.url}/docs)`,
    first.problems,
  )
  const watch = opened.use(
    await watchFiles({
      folders: HOST_FOLDERS.map((name) => join(folder, name)),
      files: () => [join(folder, '.env'), ...modules.imported()],
    }),
  )
  const watching = reloadOnChange(session, options, { watch, modules, app, settings })
  opened.defer(() => watching)
  opened.use(watch)
  await untilSignal(async () => {
    session.err.line('Stopping: what is under way finishes first. Once more ends at once.')
    await opened.disposeAsync()
  })
}

interface Watching {
  readonly watch: { changed(): Promise<true | undefined> }
  readonly modules: ModuleReload
  readonly app: ReloadingApp<App>
  readonly settings: Settings
}

async function reloadOnChange(session: Session, options: ListenOptions, watching: Watching): Promise<void> {
  const { watch, modules, app } = watching
  while ((await watch.changed()) !== undefined) {
    try {
      modules.renew()
      const { folder } = session.world
      // `.env` is read again; what the process was started with stays.
      const world: World = { ...session.world, environment: processEnvironment(folder) }
      const settings = readServeSettings({ ...session, world }, options)
      const next = await loadWhole(world, settings)
      if ('broken' in next) {
        tell(session, 'Not loaded; the version before goes on:', next.broken)
        continue
      }
      app.replace(next.app)
      const moved = settings.server.port !== watching.settings.server.port
      const notes = moved ? ['The port is the one from before: start again to change it.'] : []
      tell(session, `Loaded ${inventory(next.project)}`, [...next.problems, ...notes])
    } catch (error) {
      if (!isAppError(error)) throw error
      tell(session, 'Not loaded; the version before goes on:', error.message.split('\n'))
    }
  }
}

/** The project where all of its files can be loaded. */
async function loadWhole(world: World, settings: Settings) {
  const { loadHostProject } = await import('../../app/host-code.ts')
  const project = await loadHostProject(world.folder)
  if (project.problems.length > 0)
    return { broken: project.problems.map(({ file, reason }) => `${file}: ${reason}`) }
  return open(world, settings, project)
}

/** What can be loaded of it. */
async function load(world: World, settings: Settings) {
  const { loadHostProject } = await import('../../app/host-code.ts')
  return open(world, settings, await loadHostProject(world.folder))
}

async function open(world: World, settings: Settings, project: HostProject) {
  const { openProject } = await import('../connection/local-server.ts')
  return { project, ...(await openProject(settings, world, project, {})) }
}

function inventory({ agents, codeTools, plainTools, guardrails, workflows }: HostProject): string {
  const counts = [
    counted(agents.length, 'agent'),
    counted(codeTools.length + plainTools.length, 'tool'),
    ...(guardrails.length > 0 ? [counted(guardrails.length, 'guardrail')] : []),
    ...(workflows.length > 0 ? [counted(workflows.length, 'workflow')] : []),
  ]
  return counts.join(', ')
}

function tell({ err }: Session, text: string, problems: readonly string[]): void {
  const time = new Date().toISOString().slice(11, 19)
  err.line(`${err.paint('dim', time)} ${text}`)
  for (const problem of problems) err.line(`  ${err.paint('red', '✘')} ${oneLine(problem)}`)
}
