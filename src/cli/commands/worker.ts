// `worker`: a process that takes jobs and serves no API; the workers that there are; what would keep them from working.
// `start` ends with code 0 after SIGTERM, Ctrl-C or `--once`, and with code 1 where it is stuck, so that whoever supervises
// it starts it anew.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { readSettings, type Settings } from '../../app/settings.ts'
import type { Json } from '../../base/json.ts'
import { codecOf } from '../../contract/codec.ts'
import { type Worker, worker } from '../../contract/job.ts'
import type { Act } from '../act.ts'
import { CliFailure, usage } from '../cli-failure.ts'
import { EXIT } from '../exit-code.ts'
import { lasting, list, whole } from '../input/option-values.ts'
import { writeJson } from '../output/answers.ts'
import { counted } from '../output/cost-text.ts'
import { oneLine } from '../output/escape.ts'
import { tableLines } from '../output/table.ts'
import { listTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'
import { showChecks } from './doctor.ts'

interface StartOptions {
  readonly concurrency?: number
  readonly kinds?: readonly string[]
  readonly drainTimeout?: number
  readonly stallTimeout?: number
  readonly healthPort?: number
  readonly once?: true
}

const DRAIN_MS = 30_000
/** Three heartbeats, after which its leases have lapsed as well. */
const STALL_MS = 15_000
/** How long a stuck worker may take to let go of what it can. */
const STUCK_CLOSE_MS = 2_000
const CONCURRENCY_MAX = 1_000
const PORT_MAX = 65_535

export function addWorkerCommands(program: Command, act: Act): void {
  const group = program.command('worker').description('Run workers, and look at those that there are')
  group
    .command('start')
    .description('Take jobs until it is told to stop; serves no API')
    .option(
      '--concurrency <number>',
      'how many jobs at the same time (or WORKER_CONCURRENCY)',
      whole(1, CONCURRENCY_MAX),
    )
    .option('--kinds <kinds>', 'only jobs of these kinds, such as agent,workflow', list)
    .option(
      '--drain-timeout <duration>',
      `how long a stop waits for jobs to come to rest (default: ${DRAIN_MS / 1_000}s)`,
      lasting,
    )
    .option(
      '--stall-timeout <duration>',
      `end with code 1 when the database or the engine was silent for so long (default: ${STALL_MS / 1_000}s)`,
      lasting,
    )
    .option('--health-port <port>', 'answer /livez, /readyz and /metrics there', whole(0, PORT_MAX))
    .option('--once', 'end when nothing is due any more')
    .action(act(start))
  group
    .command('list')
    .description('List the workers of the platform; for its operator')
    .action(
      act(async (session) => {
        const workers = await (await session.client()).listWorkers()
        const encode = (item: Worker) => codecOf(worker).encode(item)
        if (session.flags.ndjson) for (const item of workers) writeJson(session, encode(item))
        else if (session.json) writeJson(session, workers.map(encode))
        else if (workers.length > 0)
          for (const line of tableLines(session.out, workerColumns(session), workers)) session.out.line(line)
        if (workers.length === 0) session.note('There are none.')
      }),
    )
  group
    .command('doctor')
    .description('Check what workers need: the database, the engine, and each other')
    .action(
      act(async (session) => {
        const { diagnoseWorkers } = await import('../../app/worker-doctor.ts')
        const { ok, checks } = await diagnoseWorkers(session.world.environment, session.world.folder)
        if (session.json) writeJson(session, { ok, checks: checks.map((row) => ({ ...row })) })
        else showChecks(session, checks)
        const failed = checks.filter(({ status }) => status === 'failed').length
        if (!ok)
          throw new CliFailure('failed', `${counted(failed, 'check')} failed: mend what is marked with ✘.`)
      }),
    )
}

async function start(session: Session, options: StartOptions): Promise<void> {
  const { serveHealth, watchWorker } = await import('../../app/worker-process.ts')
  const { loadHostProject } = await import('../../app/host-code.ts')
  const { openProject } = await import('../connection/local-server.ts')
  const settings = workerSettings(session, options)
  const say = teller(session)
  const signal = session.world.interrupted()
  await using opened = new AsyncDisposableStack()
  const project = await loadHostProject(session.world.folder)
  const { app, problems } = await openProject(settings, session.world, project, {})
  opened.use(app)
  for (const problem of problems) app.log.warn(problem)
  if (options.healthPort !== undefined) {
    const server = await serveHealth(app, options.healthPort)
    opened.defer(() => server.stop())
    say('health', { url: server.url })
  }
  const { name, kinds } = app.worker
  const { engine } = settings.jobQueue
  say('started', { worker: name, engine, concurrency: settings.workerConcurrency, kinds: kinds.join(',') })
  const watched = { once: options.once === true, stallMs: options.stallTimeout ?? STALL_MS }
  const end = await watchWorker(app, watched, signal)
  if (end?.reason === 'stuck') {
    // What does not answer would not answer a stop either; the leases lapse, and others go on.
    await Promise.race([opened.disposeAsync(), sleep(STUCK_CLOSE_MS)])
    session.err.line(`agent-factory: ${oneLine(end.message)} The worker ends, to be started anew.`)
    return session.world.end(EXIT.failed)
  }
  if (end === undefined) say('draining', { worker: name, active: app.worker.active() })
  await opened.disposeAsync()
  say('stopped', { worker: name, reason: end?.reason ?? 'signal' })
}

/** Flags count as if they were variables, so that they are checked alike. */
function workerSettings({ world, json }: Session, options: StartOptions): Settings {
  const { concurrency, kinds, drainTimeout = DRAIN_MS } = options
  const settings = readSettings(
    {
      ...world.environment,
      ...(concurrency !== undefined && { WORKER_CONCURRENCY: String(concurrency) }),
      ...(kinds !== undefined && { AGENT_FACTORY_WORKER_KINDS: kinds.join(',') }),
      ...(json && { LOG_FORMAT: 'json' }),
    },
    world.folder,
  )
  if (settings.workerConcurrency === 0)
    throw usage('WORKER_CONCURRENCY=0 leaves a worker nothing to do: give --concurrency.')
  return { ...settings, server: { ...settings.server, shutdownTimeoutMs: drainTimeout } }
}

/** Tells what the process does: a line of words, or of JSON. */
function teller({ out, json }: Session): (event: string, facts: Readonly<Record<string, Json>>) => void {
  return (event, facts) => {
    if (json) out.line(JSON.stringify({ event, ...facts }))
    else out.line([event, ...Object.entries(facts).map(([key, value]) => `${key}=${value}`)].join(' '))
  }
}

function workerColumns(session: Session) {
  return [
    { title: 'WORKER', value: ({ id }: Worker) => id, keep: true as const },
    { title: 'STATE', value: ({ state }: Worker) => state },
    { title: 'ENGINE', value: ({ engine }: Worker) => engine },
    {
      title: 'BUSY',
      value: ({ active, concurrency }: Worker) => `${active}/${concurrency}`,
      align: 'right' as const,
    },
    { title: 'KINDS', value: ({ kinds }: Worker) => kinds.join(','), optional: true as const },
    { title: 'VERSION', value: ({ version }: Worker) => version },
    {
      title: 'STARTED',
      value: ({ startedAt }: Worker) => listTime(session.out, startedAt, session.now()),
      optional: true as const,
    },
    {
      title: 'SEEN',
      value: ({ heartbeatAt }: Worker) => listTime(session.out, heartbeatAt, session.now()),
    },
  ]
}
