// The real servers that an engine needs, and what can befall them.

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from '../../../src/storage/database.ts'
import { openDatabase } from '../../../src/storage/open.ts'
import { createDatabase, startPostgres } from '../../support/postgres.ts'
import { startRedis } from '../../support/redis.ts'
import { purgeQueue, startSqs } from '../../support/sqs.ts'

export const CHAOS_ENGINES = ['memory', 'sqlite', 'postgres', 'pg-boss', 'bullmq', 'sqs'] as const
export type ChaosEngine = (typeof CHAOS_ENGINES)[number]

export interface Services extends AsyncDisposable {
  readonly folder: string
  /** Settings of every process. */
  readonly env: Readonly<Record<string, string>>
  readonly port: number
  /** Workers live in the server's process: there is no other way to hand them tickets. */
  readonly inProcess: boolean
  /** How wrong the clocks of the workers are, to either side. */
  readonly skewMs: number
  openDatabase(): Promise<Database>
  /** Something befalls the database or the engine. False where there is nothing to strike. */
  strike(random: () => number): Promise<boolean>
}

/** Where the database is a server, the clocks of the workers are so wrong, to either side. */
const SKEW_MS = 300_000
/** How likely a ticket is lost, sent twice or sent out of order. */
const TICKET_FAULTS = 0.05
const ON_POSTGRES: ReadonlySet<ChaosEngine> = new Set<ChaosEngine>(['postgres', 'pg-boss', 'bullmq', 'sqs'])

export function isOnPostgres(engine: ChaosEngine): boolean {
  return ON_POSTGRES.has(engine)
}

type Blow = (random: () => number) => Promise<unknown>

export async function openServices(engine: ChaosEngine): Promise<Services> {
  await using opened = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'af-chaos-'))
  opened.defer(() => rmSync(folder, { recursive: true, force: true }))
  const blows: Blow[] = []
  const databaseUrl = isOnPostgres(engine)
    ? await openPostgres(opened, blows)
    : `sqlite:${join(folder, 'test.db')}`
  const env = {
    DATABASE_URL: databaseUrl,
    AGENT_FACTORY_DATA_DIR: join(folder, 'data'),
    ...(await openEngine(engine, opened, blows)),
    CHAOS_FAULTS: String(engine === 'sqlite' || engine === 'postgres' ? 0 : TICKET_FAULTS),
  }
  const stack = opened.move()
  return {
    folder,
    env,
    port: await freePort(),
    inProcess: engine === 'memory',
    skewMs: isOnPostgres(engine) ? SKEW_MS : 0,
    openDatabase: () => openDatabase(databaseUrl),
    async strike(random) {
      const blow = blows[Math.floor(random() * blows.length)]
      await blow?.(random)
      return blow !== undefined
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function openPostgres(opened: AsyncDisposableStack, blows: Blow[]): Promise<string> {
  const server = opened.use(await startPostgres({ durable: true }))
  blows.push(() => server.crash())
  return opened.use(await createDatabase(server.url)).url
}

/** The engine's settings. */
async function openEngine(
  engine: ChaosEngine,
  opened: AsyncDisposableStack,
  blows: Blow[],
): Promise<Readonly<Record<string, string>>> {
  switch (engine) {
    case 'sqlite':
    case 'postgres':
      return {}
    case 'memory':
      return { JOB_QUEUE_URL: 'memory:' }
    case 'pg-boss':
      return { JOB_QUEUE_URL: 'pg-boss:' }
    case 'bullmq': {
      const redis = opened.use(await startRedis())
      blows.push(
        () => redis.restart(),
        () => redis.flush(),
      )
      return { REDIS_URL: redis.url }
    }
    case 'sqs': {
      const server = opened.use(await startSqs())
      const { url } = server.createQueue()
      blows.push(() => purgeQueue(server, url))
      const { accessKeyId, secretAccessKey } = server.credentials
      return {
        JOB_QUEUE_URL: url.replace(/^http/, 'sqs'),
        AWS_REGION: server.region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
      }
    }
    default:
      return engine satisfies never
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('No free port on 127.0.0.1.')
  return address.port
}
