// Tickets by pg-boss, in a schema of its own on our Postgres: sent in the transaction that marks the jobs. It is used as a
// plain queue: no retries, no schedules, no delays of its own.

import type { PgBoss } from 'pg-boss'
import { plainSqlOf } from '../../storage/plain-sql.ts'
import type { EngineFinding, Ticket, Transport } from '../transport.ts'
import { createBell } from './bell.ts'
import { consumeFrom, type MessageSource } from './consume.ts'
import { type EngineOptions, loadPackage, reasonOf, unreachable } from './engine-options.ts'
import { bundle, messageOf } from './ticket-message.ts'

const SCHEMA = 'pgboss'
const QUEUE = 'agent-factory-tickets'
const CHANNEL = 'agent_factory_tickets'
const CONNECTIONS_MAX = 4
const CONNECT_MS_MAX = 10_000
/** How often to look where no notification came. */
const POLL_MS = 1_000
/** What a dead process had fetched counts as failed after so long; its jobs have had other tickets long since. */
const EXPIRE_SECONDS = 900
/** How long a message that nobody fetched, or that failed, is kept. */
const KEEP_SECONDS = 3_600

interface Message {
  readonly id: string
  readonly data: unknown
}

interface PgBossOptions extends EngineOptions {
  readonly databaseUrl: string
}

/** Opens pg-boss, making or migrating its schema. Throws `engine.unavailable`. */
export async function openPgBoss(options: PgBossOptions): Promise<Transport> {
  const boss = await start(options)
  const consumers = new Set<{ stop(): Promise<void> }>()
  const arrived = createBell()
  let listening: Promise<{ close(): Promise<void> } | undefined> | undefined

  const insert = (tickets: readonly Ticket[]): { data: object }[] =>
    bundle(tickets).map((some) => ({ data: messageOf(some) }))
  const notify = `select pg_notify('${CHANNEL}', '')`
  const send = async (tickets: readonly Ticket[]): Promise<void> => {
    if (tickets.length === 0) return
    await boss.insert(QUEUE, insert(tickets))
    await boss.getDb().executeSql(notify)
  }
  /** Only a hint: behind a pooler, or while the connection is down, the poll finds what there is. */
  const listen = async (): Promise<{ close(): Promise<void> } | undefined> =>
    boss
      .getDb()
      .listen?.(CHANNEL, arrived.ring, arrived.ring)
      .catch((error: unknown) => {
        options.onError(error)
        return undefined
      })
  const remove = async (messages: readonly Message[]): Promise<void> => {
    if (messages.length > 0)
      await boss.deleteJob(
        QUEUE,
        messages.map(({ id }) => id),
      )
  }
  const source: MessageSource<Message> = {
    receive: async (most, signal) => {
      const found = await boss.fetch<object>(QUEUE, { batchSize: most })
      if (found.length === 0) await arrived.heard(POLL_MS, signal)
      return found
    },
    bodyOf: ({ data }) => data,
    acknowledge: remove,
    release: async (messages) => {
      if (messages.length === 0) return
      await boss.insert(
        QUEUE,
        messages.map(({ data }) => ({ data: data as object })),
      )
      await remove(messages)
    },
    // It stays in pg-boss's own table as failed for a while, for a person to look at.
    refuse: async ({ id }) => void (await boss.fail(QUEUE, id, { reason: 'no tickets in it' })),
    close: async () => undefined,
  }
  return {
    engine: 'pg-boss',
    send,
    sendIn: async (tx, tickets) => {
      if (tickets.length === 0) return
      const run = plainSqlOf(tx)
      await boss.insert(QUEUE, insert(tickets), { db: { executeSql: run } })
      await run(notify)
    },
    consume: async (handler, { concurrency }) => {
      listening ??= listen()
      await listening
      const consumer = consumeFrom(source, handler, { ...options, concurrency })
      consumers.add(consumer)
      return consumer
    },
    check: () => check(boss),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...consumers].map((consumer) => consumer.stop()))
      await (await listening)?.close().catch(options.onError)
      await boss.stop({ graceful: false, close: true })
    },
  }
}

async function start({ databaseUrl, onError }: PgBossOptions): Promise<PgBoss> {
  const { PgBoss } = await loadPackage('pg-boss', () => import('pg-boss'))
  const boss = new PgBoss({
    connectionString: databaseUrl,
    schema: SCHEMA,
    application_name: 'agent-factory pg-boss',
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    schedule: false,
  })
  boss.on('error', onError)
  try {
    await boss.start()
    await boss.createQueue(QUEUE, {
      retryLimit: 0,
      expireInSeconds: EXPIRE_SECONDS,
      retentionSeconds: KEEP_SECONDS,
      deleteAfterSeconds: KEEP_SECONDS,
    })
  } catch (error) {
    await boss.stop({ graceful: false, close: true }).catch(() => undefined)
    throw unreachable('pg-boss on the Postgres of DATABASE_URL', 'DATABASE_URL', error)
  }
  return boss
}

async function check(boss: PgBoss): Promise<readonly EngineFinding[]> {
  try {
    const version = await boss.schemaVersion()
    const drift = await boss.detectSchemaDrift()
    const name = 'pg-boss schema'
    if (version === null) {
      const message = `The schema "${SCHEMA}" is not there: start the server once, which makes it.`
      return [{ name, status: 'failed', message }]
    }
    return [
      drift.ok
        ? { name, status: 'ok', message: `Version ${version} in the schema "${SCHEMA}".` }
        : {
            name,
            status: 'warning',
            message: `Version ${version} in the schema "${SCHEMA}" differs from what pg-boss expects: see "npx pg-boss doctor".`,
          },
    ]
  } catch (error) {
    return [
      { name: 'pg-boss schema', status: 'failed', message: `pg-boss does not answer: ${reasonOf(error)}.` },
    ]
  }
}
