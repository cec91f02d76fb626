// `serve`: the API on one port, with the host project of the working folder. Ends with SIGTERM or Ctrl-C, with code 0.

import type { Command } from 'commander'
import { readSettings, type Settings } from '../../app/settings.ts'
import type { Act } from '../act.ts'
import type { Session } from '../session.ts'

export interface ListenOptions {
  readonly host?: string
  readonly port?: string
}

export function addServeCommand(program: Command, act: Act): void {
  program
    .command('serve')
    .description('Serve the API, and what agents/, tools/, guardrails/ and workflows/ of this folder define')
    .option('--host <host>', 'the address to listen on (or HOST)')
    .option('--port <port>', 'the port to listen on (or PORT)')
    .addHelpText(
      'after',
      '\nDefinitions of the folder are published for the first admin (LOCAL_DEV), elsewhere for the holder of AGENT_FACTORY_API_KEY.',
    )
    .action(act(serveFolder))
}

async function serveFolder(session: Session, options: ListenOptions): Promise<void> {
  const { serve, untilSignal } = await import('../../app/serve.ts')
  const { writeCredentials } = await import('../../app/credentials.ts')
  const { loadHostProject } = await import('../../app/host-code.ts')
  const { openProject } = await import('../connection/local-server.ts')
  const settings = readServeSettings(session, options)
  await using opened = new AsyncDisposableStack()
  const project = await loadHostProject(session.world.folder)
  const { app, admin, problems } = await openProject(settings, session.world, project, {})
  opened.use(app)
  for (const problem of problems) app.log.warn(problem)
  const server = await serve(app, settings.server)
  opened.defer(() => server.stop())
  if (admin !== undefined)
    await writeCredentials(settings.dataDir, { apiKey: admin.apiKey, apiUrl: server.url })
  app.log.info('listening', { url: server.url, profile: settings.profile.name })
  if (admin !== undefined) session.note(`The key is in ${admin.path}; API: ${server.url}/docs`)
  await untilSignal(async (signal) => {
    app.log.info('stopping', { signal })
    await opened.disposeAsync()
  })
}

/** Flags count as if they were variables, so that they are checked alike. */
export function readServeSettings({ world, json }: Session, { host, port }: ListenOptions): Settings {
  const environment = {
    ...world.environment,
    ...(host !== undefined && { HOST: host }),
    ...(port !== undefined && { PORT: port }),
    ...(json && { LOG_FORMAT: 'json' }),
  }
  return readSettings(environment, world.folder)
}
