// What ten workers cost that have nothing to do: the processor’s time of all of them together, and what they ask of the
// database meanwhile.

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Bench, Figure } from '../figure.ts'
import type { IdleInput } from '../programs/idle-worker.ts'
import { profileShares } from '../support/profile.ts'
import { openProgram, type Program } from '../support/program.ts'
import { benchPostgres, findServer } from '../support/servers.ts'
import { median } from '../support/statistics.ts'
import { workFolder } from '../support/work-folder.ts'

const WORKERS = 10
/** V8 tidies up for most of a minute after a start, in whole collections; what an idle worker costs is measured after that. */
const SETTLE_MS = 60_000
const ROUND_MS = 20_000
const PERCENT_MAX = 2

type Worker = Program<null, never, never>

export const idleBench: Bench = async ({ rounds, profile }) => {
  await using opened = new AsyncDisposableStack()
  const folder = async () => opened.use(await workFolder('idle')).path
  const figures = [...(await idleFigures('SQLite', { folder: await folder() }, rounds, profile, onSqlite))]
  const postgres = await findServer(benchPostgres, opened)
  if (postgres.state === 'missing')
    return [...figures, { metric: metricOf('Postgres'), unit: '% of a core', reason: postgres.reason }]
  const databaseUrl = await postgres.server.database()
  const input = { folder: await folder(), databaseUrl }
  return [...figures, ...(await idleFigures('Postgres', input, rounds, profile, onPostgres(databaseUrl)))]
}

type Asked = (workers: readonly Worker[]) => Promise<readonly Figure[]>

async function idleFigures(
  name: string,
  input: IdleInput,
  rounds: number,
  profile: boolean,
  asked: Asked,
): Promise<readonly Figure[]> {
  await using opened = new AsyncDisposableStack()
  const workers: Worker[] = []
  for (let n = 0; n < WORKERS; n++)
    workers.push(opened.use(await openProgram('programs/idle-worker.ts', input)))
  await sleep(SETTLE_MS)
  const percents: number[] = []
  for (let round = 0; round < rounds; round++) percents.push(await percentOf(workers))
  const [first] = workers
  return [
    {
      metric: metricOf(name),
      value: median(percents),
      unit: '% of a core',
      comparison: { kind: 'at-most', limit: PERCENT_MAX },
    },
    ...(await asked(workers)),
    ...(profile && first
      ? await profileShares(`idle on ${name}`, await first.profile(() => sleep(ROUND_MS)))
      : []),
  ]
}

function metricOf(name: string): string {
  return `${WORKERS} idle workers on ${name}`
}

async function percentOf(workers: readonly Worker[]): Promise<number> {
  const used = async (): Promise<number> =>
    (await Promise.all(workers.map((worker) => worker.usage()))).reduce((sum, { cpuMs }) => sum + cpuMs, 0)
  const before = await used()
  const startedAt = performance.now()
  await sleep(ROUND_MS)
  return (((await used()) - before) / (performance.now() - startedAt)) * 100
}

/** Counted in each process, apart from the rounds, since counting costs something. */
const onSqlite: Asked = async (workers) => {
  const counted = await Promise.all(workers.map((worker) => worker.count(() => sleep(ROUND_MS))))
  const perSecond = (of: 'statements' | 'commits'): number =>
    (counted.reduce((sum, [, counts]) => sum + counts[of], 0) * 1_000) / ROUND_MS
  const what = `${metricOf('SQLite')}: `
  return [
    { metric: `${what}statements`, value: perSecond('statements'), unit: '/s' },
    { metric: `${what}commits`, value: perSecond('commits'), unit: '/s' },
  ]
}

/** As the server counts: each statement outside of a transaction is one as well. */
function onPostgres(url: string): Asked {
  return async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      const before = await transactions(client)
      await sleep(ROUND_MS)
      const perSecond = (((await transactions(client)) - before) * 1_000) / ROUND_MS
      return [{ metric: `${metricOf('Postgres')}: transactions`, value: perSecond, unit: '/s' }]
    } finally {
      await client.end()
    }
  }
}

async function transactions(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    'select xact_commit + xact_rollback as count from pg_stat_database where datname = current_database()',
  )
  return Number(rows[0]?.count)
}
