// Whether one tenant's backlog lets another wait: the same few jobs of a tenant on an idle system, and behind ten
// thousand jobs of another.

import { join } from 'node:path'
import type { Bench, Figure } from '../figure.ts'
import type { TenantAnswer, TenantQuestion } from '../programs/tenant-jobs.ts'
import type { OurQueueInput } from '../support/our-queue.ts'
import { openProgram } from '../support/program.ts'
import { benchPostgres, benchRedis, findServer } from '../support/servers.ts'
import { median, quantilesOf } from '../support/statistics.ts'
import { workFolder } from '../support/work-folder.ts'

const BACKLOG = 10_000
const JOBS = 20
/** How often the few are put in the queue in each round, on each side. */
const TIMES = 5
const GROWTH_MAX = 2

export const fairnessBench: Bench = async ({ rounds }) => {
  await using opened = new AsyncDisposableStack()
  const folder = opened.use(await workFolder('fairness')).path
  const figures = [
    ...(await engineFigures('SQLite', { databaseUrl: `sqlite:${join(folder, 'jobs.db')}` }, rounds)),
  ]
  const postgres = await findServer(benchPostgres, opened)
  if (postgres.state === 'missing') return [...figures, missing('Postgres', postgres.reason)]
  figures.push(
    ...(await engineFigures('Postgres', { databaseUrl: await postgres.server.database() }, rounds)),
  )
  const redis = await findServer(benchRedis, opened)
  if (redis.state === 'missing') return [...figures, missing('BullMQ', redis.reason)]
  const transport = { engine: 'bullmq', redisUrl: redis.server.url } as const
  const input = { databaseUrl: await postgres.server.database(), transport }
  return [...figures, ...(await engineFigures('BullMQ with jobs on Postgres', input, rounds))]
}

async function engineFigures(name: string, input: OurQueueInput, rounds: number): Promise<readonly Figure[]> {
  await using program = await openProgram<null, TenantQuestion, TenantAnswer>(
    'programs/tenant-jobs.ts',
    input,
  )
  const measure = async (): Promise<TenantAnswer> => program.ask({ type: 'measure', jobs: JOBS })
  for (let time = 0; time < TIMES; time++) await measure()
  const idle: number[] = []
  const behind: number[] = []
  for (let round = 0; round < rounds; round++) {
    idle.push(await p95(measure))
    await program.ask({ type: 'fill', jobs: BACKLOG })
    behind.push(
      await p95(async () => {
        const answer = await measure()
        if (answer.left === 0) throw new Error('The backlog was over before the others had their turn.')
        return answer
      }),
    )
    await program.ask({ type: 'empty' })
  }
  const [before, after] = [median(idle), median(behind)]
  const metric = `wait of ${JOBS} jobs on ${name}, p95`
  return [
    {
      metric: `${metric}: behind ${BACKLOG.toLocaleString('en-US')} of another tenant, beside idle`,
      value: after / before,
      unit: '×',
      comparison: { kind: 'at-most', limit: GROWTH_MAX },
    },
    { metric: `${metric}: idle`, value: before, unit: 'ms' },
    {
      metric: `${metric}: behind ${BACKLOG.toLocaleString('en-US')}`,
      value: after,
      unit: 'ms',
      comparison: { kind: 'peer', name: 'idle', value: before },
    },
  ]
}

/** Over the jobs of several times. */
async function p95(measure: () => Promise<TenantAnswer>): Promise<number> {
  const waits: number[] = []
  for (let time = 0; time < TIMES; time++) waits.push(...(await measure()).waitMs)
  return quantilesOf(waits).p95
}

function missing(name: string, reason: string): Figure {
  return { metric: `wait of ${JOBS} jobs on ${name}, p95`, unit: 'ms', reason }
}
