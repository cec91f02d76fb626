// A worker as a process of its own: watches the worker inside, and says when the process should end and why. Owns no
// signal and no exit code. Called by the command `worker start`.

import { textsOf } from '../storage/dialect.ts'
import { type SystemBind, systemStatement } from '../storage/statement.ts'
import type { App } from './compose.ts'
import { type RunningServer, serve } from './serve.ts'

/** Why a worker process ends by itself. */
export type WorkerEnd =
  /** `once`: nothing is due any more. */
  | { readonly reason: 'empty' }
  /** It cannot do its work: better to be started anew than to stand there. */
  | { readonly reason: 'stuck'; readonly message: string }

export interface WatchOptions {
  /** Ends when nothing is due and nothing is being worked on. */
  readonly once: boolean
  /** How long it may be without a poll, or an answer of the database, before it counts as stuck. */
  readonly stallMs: number
}

/** How often the worker is looked at: each look wakes the process. */
const WATCH_MS_MAX = 1_000
/** With `once` the end should not be waited for. */
const WATCH_ONCE_MS = 250
/** How often the database is asked whether it still answers; with `once`, each look asks it what is due. */
const PING_MS_MAX = 3_000
/** So many times within the time after which it counts as stuck, where that is short. */
const PINGS_PER_STALL = 4
const LOOKS_PER_STALL = 8
/** The most that one look adds to the time, in looks: a process that stood still itself was not let down by anybody. */
const LOOKS_PER_LOOK_MAX = 4
/** So many looks in a row find nothing to do before the queue counts as empty: a job may be on its way. */
const EMPTY_LOOKS = 3
/** What may be asked without a credential, and the metrics. */
const HEALTH_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics'])

/** Watches the worker until it should end; answers nothing where the signal aborts first. */
export async function watchWorker(
  app: App,
  { once, stallMs }: WatchOptions,
  signal: AbortSignal,
): Promise<WorkerEnd | undefined> {
  const ended = Promise.withResolvers<WorkerEnd | undefined>()
  const watchMs = once ? WATCH_ONCE_MS : Math.min(WATCH_MS_MAX, stallMs / LOOKS_PER_STALL)
  const silence = createSilence(app, stallMs, watchMs)
  const pingMs = Math.min(PING_MS_MAX, stallMs / PINGS_PER_STALL)
  let asking = false
  let askedAt = Number.NEGATIVE_INFINITY
  let emptyLooks = 0
  const ask = async (): Promise<void> => {
    if (!once) {
      await app.db.ping()
      silence.answered()
      return
    }
    const due = await anythingDue(app)
    silence.answered()
    emptyLooks = due || app.worker.active() > 0 ? 0 : emptyLooks + 1
    if (emptyLooks >= EMPTY_LOOKS) ended.resolve({ reason: 'empty' })
  }
  const look = (): void => {
    const message = silence.look()
    if (message !== undefined) ended.resolve({ reason: 'stuck', message })
    const now = performance.now()
    if (asking || (!once && now - askedAt < pingMs)) return
    asking = true
    askedAt = now
    // A database that does not answer is told by the time since it last did.
    ask()
      .catch((error: unknown) => app.log.debug('the database does not answer', { error }))
      .finally(() => {
        asking = false
      })
  }
  // The worker's own timers do not keep the process alive; this one does.
  const timer = setInterval(look, watchMs)
  const stop = (): void => ended.resolve(undefined)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    return await ended.promise
  } finally {
    clearInterval(timer)
    signal.removeEventListener('abort', stop)
  }
}

/** Answers `/livez`, `/readyz` and `/metrics` of the process, and nothing else. */
export function serveHealth(app: App, port: number): Promise<RunningServer> {
  const fetch: App['fetch'] = (request, env) =>
    HEALTH_PATHS.has(new URL(request.url).pathname)
      ? app.fetch(request, env)
      : new Response(null, { status: 404 })
  const { host, shutdownTimeoutMs } = app.settings.server
  return serve({ fetch, log: app.log, stopping: app.stopping }, { host, port, shutdownTimeoutMs })
}

/** How long nobody has answered, in time that this process was awake: neither a jump of the clock nor a pause counts. */
function createSilence(app: App, stallMs: number, watchMs: number) {
  const { worker, settings } = app
  let lookedAt = performance.now()
  let databaseMs = 0
  let pollMs = 0
  let polledAt = worker.lastPollAt()
  return {
    answered: (): void => {
      databaseMs = 0
    },
    /** The line that says who has been silent for too long, or undefined. */
    look(): string | undefined {
      const now = performance.now()
      const passed = Math.min(now - lookedAt, LOOKS_PER_LOOK_MAX * watchMs)
      lookedAt = now
      databaseMs += passed
      // One that is full looks for nothing.
      const polled = worker.lastPollAt() !== polledAt || worker.active() >= settings.workerConcurrency
      pollMs = polled ? 0 : pollMs + passed
      polledAt = worker.lastPollAt()
      if (databaseMs >= stallMs) return `The database has not answered for ${seconds(databaseMs)}.`
      if (pollMs < stallMs) return undefined
      const { engine } = settings.jobQueue
      const who = engine === 'database' ? 'The worker' : `The engine ${engine}`
      return `${who} has not looked for jobs for ${seconds(pollMs)}.`
    },
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}

async function anythingDue({ db, worker }: App): Promise<boolean> {
  const kinds = JSON.stringify(worker.kinds)
  return (await db.system.read((reader) => reader.first(dueJob, { kinds, at: Date.now() }))) !== undefined
}

const dueJob = systemStatement(
  'jobs.any-due',
  'a worker serves every tenant',
  (db, p: SystemBind<{ kinds: string; at: number }>, dialect) =>
    db
      .selectFrom('jobs')
      .select('id')
      .where('state', 'in', ['queued', 'scheduled'])
      .where('notBefore', '<=', p.at)
      .where('kind', 'in', textsOf<string>(dialect, p.kinds))
      .limit(1),
)
