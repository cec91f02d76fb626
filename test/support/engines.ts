// Every engine of jobs for tests: a fresh database and a real transport, closed by the test that opened them.

import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Clock } from '../../src/base/time.ts'
import { systemClock } from '../../src/base/time.ts'
import { createMemoryTransport } from '../../src/queue/engines/memory.ts'
import { openTransport, type TransportConfig } from '../../src/queue/open-transport.ts'
import type { Ticket, Transport } from '../../src/queue/transport.ts'
import type { Database, SystemTransaction } from '../../src/storage/database.ts'
import { migrate } from '../../src/storage/migrations/migrate.ts'
import { openDatabase } from '../../src/storage/open.ts'
import { createDatabase } from './postgres.ts'
import { flushPrefix, sharedRedis } from './redis.ts'
import { deleteQueue, purgeQueue, sharedSqs } from './sqs.ts'
import { testDatabases } from './test-databases.ts'

export type TestEngineName = 'memory' | 'sqlite' | 'postgres' | 'pg-boss' | 'bullmq' | 'sqs'

export interface TestEngine {
  readonly name: TestEngineName
  open(): Promise<OpenEngine>
}

export interface OpenEngine extends AsyncDisposable {
  readonly db: Database
  /** Undefined: workers ask the database itself. */
  readonly transport: Transport | undefined
  /** The engine forgets every ticket, as after a crash without a disk. */
  flush(): Promise<void>
}

const SQLITE: readonly TestEngineName[] = ['memory', 'sqlite', 'bullmq', 'sqs']
const POSTGRES: readonly TestEngineName[] = ['postgres', 'pg-boss']

/** Registers for each engine. TEST_DATABASES=sqlite leaves out those that live on a Postgres; all others stay. */
export function forEachEngine(register: (engine: TestEngine) => void): void {
  const databases = testDatabases()
  const names: readonly TestEngineName[] = [
    ...(databases.includes('sqlite') ? SQLITE : SQLITE.slice(2)),
    ...(databases.includes('postgres') ? POSTGRES : []),
  ]
  for (const name of names) register({ name, open: () => openEngine(name) })
}

async function openEngine(name: TestEngineName): Promise<OpenEngine> {
  await using opened = new AsyncDisposableStack()
  const database = await openJobDatabase(name)
  opened.defer(database.close)
  const { transport, flush } = await openTicketing(name, database.url, opened)
  // Registered last, so closed before what it stands on.
  if (transport !== undefined) opened.use(transport)
  const stack = opened.move()
  return { db: database.db, transport, flush, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

async function openJobDatabase(name: TestEngineName) {
  const server = process.env.TEST_POSTGRES_URL
  const onPostgres = POSTGRES.includes(name) || (name === 'bullmq' && server !== undefined)
  if (onPostgres && server === undefined)
    throw new Error('TEST_POSTGRES_URL is not set: run the tests with --test-global-setup=test/setup.ts.')
  const created = onPostgres ? await createDatabase(server ?? '') : undefined
  const url = created?.url ?? 'sqlite::memory:'
  const db = await openDatabase(url)
  await migrate(db)
  const close = async (): Promise<void> => {
    await db[Symbol.asyncDispose]()
    await created?.[Symbol.asyncDispose]()
  }
  return { db, url, close }
}

interface Ticketing {
  readonly transport: Transport | undefined
  flush(): Promise<void>
}

async function openTicketing(
  name: TestEngineName,
  databaseUrl: string,
  opened: AsyncDisposableStack,
): Promise<Ticketing> {
  switch (name) {
    case 'sqlite':
    case 'postgres':
      return { transport: undefined, flush: async () => undefined }
    case 'memory': {
      const transport = createMemoryTransport({ clock: systemClock, onError: () => undefined })
      return { transport, flush: async () => transport.flush() }
    }
    case 'pg-boss':
      return {
        transport: await open({ engine: 'pg-boss', databaseUrl }),
        flush: () => execute(databaseUrl, 'delete from pgboss.job'),
      }
    case 'bullmq': {
      const { url } = await sharedRedis()
      const prefix = `test-${randomBytes(6).toString('hex')}`
      opened.defer(() => flushPrefix(url, prefix))
      return {
        transport: await open({ engine: 'bullmq', redisUrl: url, prefix }),
        flush: () => flushPrefix(url, prefix),
      }
    }
    case 'sqs': {
      const server = await sharedSqs()
      const { endpoint, region, credentials } = server
      const { url: queueUrl } = server.createQueue()
      opened.defer(() => deleteQueue(server, queueUrl))
      return {
        transport: await open({ engine: 'sqs', queueUrl, endpoint, region, credentials }),
        flush: () => purgeQueue(server, queueUrl),
      }
    }
    default:
      return name satisfies never
  }
}

function open(config: TransportConfig, clock: Clock = systemClock): Promise<Transport> {
  return openTransport(config, { clock })
}

async function execute(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query(text)
  } finally {
    await client.end().catch(() => undefined)
  }
}

export interface Faults {
  /** How likely a ticket is lost, sent twice, or sent in another place, each from 0 to 1. */
  readonly drop: number
  readonly duplicate: number
  readonly reorder: number
  readonly random: () => number
}

/** The same transport, which loses, doubles and shuffles what is sent. */
export function faultyTransport(transport: Transport, faults: Faults): Transport {
  const { sendIn } = transport
  return {
    engine: transport.engine,
    send: (tickets) => transport.send(spoil(tickets, faults)),
    ...(sendIn !== undefined && {
      sendIn: (tx: SystemTransaction, tickets: readonly Ticket[]) => sendIn(tx, spoil(tickets, faults)),
    }),
    consume: (handler, options) => transport.consume(handler, options),
    check: () => transport.check(),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  }
}

function spoil(tickets: readonly Ticket[], { drop, duplicate, reorder, random }: Faults): Ticket[] {
  const spoilt: Ticket[] = []
  for (const ticket of tickets) {
    if (random() < drop) continue
    const times = random() < duplicate ? 2 : 1
    for (let n = 0; n < times; n++) {
      const place = random() < reorder ? Math.floor(random() * (spoilt.length + 1)) : spoilt.length
      spoilt.splice(place, 0, ticket)
    }
  }
  return spoilt
}
