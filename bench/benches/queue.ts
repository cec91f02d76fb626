// No-op jobs from their enqueueing to their end, with one process and with four: ours on each engine, in turns with the
// bare engine on the same server, and with the writes that SQLite makes at most.

import { join } from 'node:path'
import type { Bench, BenchOptions, Figure } from '../figure.ts'
import type { WritesAnswer, WritesQuestion } from '../programs/sqlite-writes.ts'
import { type JobSide, openJobSide } from '../support/job-side.ts'
import { installPeers } from '../support/peers.ts'
import { profileShares } from '../support/profile.ts'
import { openProgram } from '../support/program.ts'
import { type BenchPostgres, benchPostgres, benchRedis, findServer } from '../support/servers.ts'
import { median } from '../support/statistics.ts'
import { workFolder } from '../support/work-folder.ts'

const UNIT = 'jobs/s'
const GRAPHILE = 'graphile-worker'
const SQLITE_JOBS_PER_SECOND = 4_000
const SHARE_MIN = 0.7
const WRITES_MS = 2_000
const PROCESSES = [1, 4] as const
const OURS = 'programs/our-jobs.ts'

export const queueBench: Bench = async ({ rounds, profile }) => {
  await using opened = new AsyncDisposableStack()
  const figures: Figure[] = [...(await sqliteFigures(rounds, profile))]
  const postgres = await findServer(benchPostgres, opened)
  if (postgres.state === 'missing')
    return [...figures, { metric: 'ours on Postgres', unit: UNIT, reason: postgres.reason }]
  const redis = await findServer(benchRedis, opened)
  const peers = await installPeers()
  if (redis.state === 'missing') figures.push({ metric: 'ours on BullMQ', unit: UNIT, reason: redis.reason })
  if (peers.state === 'missing') figures.push({ metric: GRAPHILE, unit: UNIT, reason: peers.reason })
  for (const processes of PROCESSES) {
    await using folder = await workFolder('queue')
    const groups = [
      ...(peers.state === 'ready' ? [await databaseGroup(postgres.server)] : []),
      await pgBossGroup(postgres.server),
      ...(redis.state === 'ready'
        ? [await bullmqGroup(postgres.server, redis.server.url, processes, folder.path)]
        : []),
    ]
    for (const group of groups) figures.push(...(await groupFigures(group, processes, { rounds, profile })))
  }
  return figures
}

/** Ours on SQLite is one process; beside it the writes that the file takes at most. */
async function sqliteFigures(rounds: number, profile: boolean): Promise<readonly Figure[]> {
  await using folder = await workFolder('queue')
  await using writes = await openProgram<null, WritesQuestion, WritesAnswer>('programs/sqlite-writes.ts', {
    folder: folder.path,
  })
  const databaseUrl = `sqlite:${join(folder.path, 'queue.db')}`
  await using ours = await openJobSide(OURS, { databaseUrl }, 1)
  await ours.warm()
  const limits: number[] = []
  for (let round = 0; round < rounds; round++) {
    limits.push((await writes.ask({ durationMs: WRITES_MS })).perSecond)
    await ours.round()
  }
  const limit = median(limits)
  const value = ours.perSecond()
  const metric = 'ours on SQLite, 1 process'
  const name = 'the write limit of SQLite'
  return [
    { metric, value, unit: UNIT, comparison: { kind: 'at-least', limit: SQLITE_JOBS_PER_SECOND } },
    { metric: `${name}: rows, each in a durable transaction`, value: limit, unit: 'rows/s' },
    {
      metric: `${metric}, beside ${name}`,
      value,
      unit: UNIT,
      comparison: { kind: 'peer', name, value: limit },
    },
    ...(profile ? await profiled(metric, ours) : []),
  ]
}

interface Side {
  readonly name: string
  readonly path: string
  readonly input: object
}

/** What takes turns: ours, and what it is compared with. */
interface Group {
  readonly ours: readonly Side[]
  readonly bare: Side
  /** Ours rides on the bare one: it should be nearly as quick. */
  readonly rides: boolean
}

/** The database itself, beside graphile-worker, which works alike. */
async function databaseGroup(postgres: BenchPostgres): Promise<Group> {
  return {
    ours: [{ name: 'ours on Postgres', path: OURS, input: { databaseUrl: await postgres.database() } }],
    bare: { name: GRAPHILE, path: 'peers/graphile-jobs.mjs', input: { url: await postgres.database() } },
    rides: false,
  }
}

async function pgBossGroup(postgres: BenchPostgres): Promise<Group> {
  const databaseUrl = await postgres.database()
  const input = { databaseUrl, transport: { engine: 'pg-boss', databaseUrl } }
  const url = await postgres.database()
  return {
    ours: [{ name: 'ours on pg-boss', path: OURS, input }],
    bare: { name: 'bare pg-boss', path: 'programs/pg-boss-jobs.ts', input: { url } },
    rides: true,
  }
}

/** Tickets are on Redis and jobs on Postgres; with one process on SQLite as well, as a single host has them. */
async function bullmqGroup(
  postgres: BenchPostgres,
  redisUrl: string,
  processes: number,
  folder: string,
): Promise<Group> {
  const side = (where: string, databaseUrl: string): Side => {
    const transport = { engine: 'bullmq', redisUrl, prefix: `ours-${where}-${processes}` }
    return { name: `ours on BullMQ with jobs on ${where}`, path: OURS, input: { databaseUrl, transport } }
  }
  return {
    ours: [
      side('Postgres', await postgres.database()),
      ...(processes === 1 ? [side('SQLite', `sqlite:${join(folder, 'queue.db')}`)] : []),
    ],
    bare: { name: 'bare BullMQ', path: 'programs/bullmq-jobs.ts', input: { url: redisUrl } },
    rides: true,
  }
}

/** Opens the sides of a group, warms them, and lets them take turns. */
async function groupFigures(
  { ours, bare, rides }: Group,
  processes: number,
  { rounds, profile }: BenchOptions,
): Promise<readonly Figure[]> {
  await using opened = new AsyncDisposableStack()
  const sides: { readonly metric: string; readonly side: JobSide }[] = []
  for (const { name, path, input } of [bare, ...ours]) {
    const metric = `${name}, ${processes} process${processes === 1 ? '' : 'es'}`
    sides.push({ metric, side: opened.use(await openJobSide(path, input, processes)) })
  }
  for (const { side } of sides) await side.warm()
  for (let round = 0; round < rounds; round++) for (const { side } of sides) await side.round()
  const [other, ...mine] = sides.map(({ metric, side }) => ({ metric, value: side.perSecond(), unit: UNIT }))
  if (other === undefined) return []
  const beside = mine.flatMap(({ metric, value }): Figure[] => [
    { metric, value, unit: UNIT, comparison: { kind: 'peer', name: bare.name, value: other.value } },
    ...(rides ? [shareFigure(`${metric}, as a share of ${bare.name}`, value / other.value)] : []),
  ])
  const shares: Figure[] = []
  if (profile && processes === 1)
    for (const { metric, side } of sides.slice(1)) shares.push(...(await profiled(metric, side)))
  return [other, ...beside, ...shares]
}

function shareFigure(metric: string, value: number): Figure {
  return { metric, value, unit: '×', comparison: { kind: 'at-least', limit: SHARE_MIN } }
}

async function profiled(metric: string, side: JobSide): Promise<readonly Figure[]> {
  const [program] = side.programs
  if (program === undefined) return []
  return profileShares(metric.replace(/,.*/, ' jobs'), await program.profile(() => side.round()))
}
