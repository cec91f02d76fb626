// The doctor of workers: what they need (the database, the engine), and what they and the queue are like now. It reads and
// tries; it changes no job. Never throws for what it finds. Called by the command `worker doctor`.

import { isAppError } from '../base/errors.ts'
import { createQueueDepth, type QueueDepth } from '../operations/queue-depth.ts'
import { checkJobDatabase } from '../queue/engines/database-checks.ts'
import { listWorkers, type RegisteredWorker } from '../queue/registry.ts'
import type { EngineFinding } from '../queue/transport.ts'
import { openDatabase } from '../storage/open.ts'
import { openEngine } from './compose/queue-engine.ts'
import { databaseUrl } from './database-url.ts'
import { type DoctorCheck, failed, ok, warning } from './diagnosis.ts'
import { databaseChecks, tryRead } from './doctor.ts'
import type { Environment } from './settings/environment.ts'
import type { Settings } from './settings.ts'

export interface WorkerDiagnosis {
  /** No check failed. */
  readonly ok: boolean
  readonly checks: readonly DoctorCheck[]
}

/** A job that is due for longer than this waits for a worker that is not there, or not enough of them. */
const OLDEST_MS_MAX = 60_000
const CHECK = { ok, warning, failed } as const

export async function diagnoseWorkers(
  environment: Environment,
  folder: string = process.cwd(),
): Promise<WorkerDiagnosis> {
  const read = tryRead(environment, folder)
  const checks = 'settings' in read ? await checksOf(read.settings) : read.problems
  return { ok: checks.every(({ status }) => status !== 'failed'), checks }
}

async function checksOf(settings: Settings): Promise<readonly DoctorCheck[]> {
  const database = await databaseChecks(settings)
  const usable = database.every(({ status, detail }) => status === 'ok' && !MADE_LATER.test(detail))
  return [...database, ...(await engineChecks(settings)), ...(usable ? await databaseFacts(settings) : [])]
}

/** What `databaseChecks` says of a database or tables that the first start makes. */
const MADE_LATER = /\((made|applied) at the /

async function engineChecks(settings: Settings): Promise<readonly DoctorCheck[]> {
  const { engine } = settings.jobQueue
  if (engine === 'database') return [ok('engine', 'none: workers ask the database')]
  try {
    await using transport = await openEngine(settings, { clock: Date.now, log: { warn: () => undefined } })
    const findings = (await transport?.check()) ?? []
    return [ok('engine', `${engine} answers`), ...findings.map(checkOf)]
  } catch (error) {
    const reason = isAppError(error)
      ? error.message
      : `${engine} cannot be used: check its address and that it runs.`
    return [failed('engine', reason)]
  }
}

async function databaseFacts(settings: Settings): Promise<readonly DoctorCheck[]> {
  await using db = await openDatabase(databaseUrl(settings.database))
  const { database } = settings
  const sqlitePath = database.engine === 'sqlite' ? database.path : undefined
  const findings = await checkJobDatabase(db, { clock: Date.now, sqlitePath })
  const workers = await db.system.read((reader) => listWorkers(reader, Date.now()))
  const depth = await createQueueDepth(db, Date.now)()
  return [...findings.map(checkOf), ...workerChecks(workers, settings), ...queueChecks(depth)]
}

function checkOf({ name, status, message }: EngineFinding): DoctorCheck {
  return CHECK[status](name, message)
}

/** What the workers that are there say of themselves. */
export function workerChecks(
  workers: readonly RegisteredWorker[],
  { jobQueue }: Pick<Settings, 'jobQueue'>,
): readonly DoctorCheck[] {
  const live = workers.filter(({ state }) => state !== 'lost')
  if (live.length === 0)
    return [warning('workers', 'No worker lives: start one with "agent-factory worker start" or "serve".')]
  const busy = live.reduce((sum, { active }) => sum + active, 0)
  const slots = live.reduce((sum, { concurrency }) => sum + concurrency, 0)
  return [
    ok('workers', `${live.length} live, ${busy} of ${slots} places taken`),
    sameCheck(live, 'version', 'worker versions', 'finish the update, or jobs of new definitions may wait'),
    sameCheck(live, 'engine', 'worker engines', 'give all of them the same REDIS_URL and JOB_QUEUE_URL'),
    ...(jobQueue.engine === 'memory' && live.length > 1
      ? [
          warning(
            'engine memory',
            'Tickets in memory reach one process, and there are several: use another engine.',
          ),
        ]
      : []),
  ]
}

function sameCheck(
  workers: readonly RegisteredWorker[],
  field: 'version' | 'engine',
  name: string,
  advice: string,
): DoctorCheck {
  const found = [...new Set(workers.map((worker) => worker[field]))].toSorted()
  return found.length === 1
    ? ok(name, found.join())
    : warning(name, `They differ (${found.join(', ')}): ${advice}.`)
}

export function queueChecks({ jobs, oldestQueuedMs }: QueueDepth): readonly DoctorCheck[] {
  const { queued, leased, scheduled, unroutable, dead } = jobs
  const text = `${queued} queued, ${leased} taken, ${scheduled} scheduled`
  const waits = `the oldest waits for ${Math.round(oldestQueuedMs / 1_000)} s`
  return [
    oldestQueuedMs > OLDEST_MS_MAX
      ? warning('queue', `${text}; ${waits}: start more workers, or look at the caps of tenants.`)
      : ok('queue', queued === 0 ? text : `${text}; ${waits}`),
    unroutable === 0
      ? ok('unroutable jobs', 'none')
      : warning(
          'unroutable jobs',
          `${unroutable}: "agent-factory jobs list --state unroutable" says what they lack.`,
        ),
    dead === 0
      ? ok('dead jobs', 'none')
      : warning(
          'dead jobs',
          `${dead}: look with "agent-factory jobs list --state dead", then "jobs redrive".`,
        ),
  ]
}
