// Postgres behind the port: a pool of connections. `pg` is loaded only when a Postgres is opened.

import type { Pool } from 'pg'
import { AppError } from '../../base/errors.ts'
import { type Admin, type AdminSession, registerAdmin } from '../admin.ts'
import { createCompiler } from '../compile.ts'
import type { Database } from '../database.ts'
import { stoppingError } from '../storage-errors.ts'
import { createStatements } from './execute.ts'
import { gatheringClient } from './gathering-client.ts'
import { connectionReason } from './postgres-errors.ts'
import {
  createSystemReader,
  createSystemTransaction,
  createTenantReader,
  createTenantTransaction,
  type Unit,
} from './scopes.ts'
import { connect, transact } from './transaction.ts'

const CONNECTIONS_MAX = 10
/** How long to wait for a connection: for a free one in the pool, or for the server. */
const CONNECT_MS_MAX = 10_000
const IDLE_MS_MAX = 30_000
/** How long a statement may take. */
const STATEMENT_MS_MAX = 30_000
/** How long a statement may wait for a lock. */
const LOCK_MS_MAX = 10_000
/** How long a transaction may do nothing: it holds locks. */
const IDLE_IN_TRANSACTION_MS_MAX = 30_000

export interface PostgresOptions {
  readonly connectionsMax?: number
  /** False behind PgBouncer in transaction mode without max_prepared_statements. */
  readonly prepared?: boolean
  readonly applicationName?: string
  readonly statementMsMax?: number
  readonly lockMsMax?: number
  /** Told of connections that broke while nobody used them; the pool replaces them by itself. */
  readonly onIdleError?: (error: Error) => void
}

/** Opens a Postgres by its address. Throws `settings.invalid`, with the reason, where it cannot connect. */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Database> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connectionsMax ?? CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    idleTimeoutMillis: IDLE_MS_MAX,
    application_name: options.applicationName ?? 'agent-factory',
    // Statements are sent without waiting for the answers to those before them, where the caller does not wait.
    pipeline: true,
    Client: gatheringClient(pg.Client),
    // A pooler refuses limits at connecting: there each transaction begins with them.
    ...(options.prepared === false ? {} : timeouts(options)),
  })
  // Without listeners, a connection that the server ends would end the process, idle or in use.
  pool.on('error', (error) => options.onIdleError?.(error))
  pool.on('connect', (client) => void client.on('error', () => undefined))
  try {
    await pool.query('select 1')
  } catch (error) {
    await pool.end()
    const reason = `Postgres at ${addressOf(url)} cannot be used: ${connectionReason(error)}.`
    throw new AppError('settings.invalid', reason, { cause: error })
  }
  return createDatabase(pool, options)
}

function timeouts({ statementMsMax = STATEMENT_MS_MAX, lockMsMax = LOCK_MS_MAX }: PostgresOptions) {
  return {
    statement_timeout: statementMsMax,
    lock_timeout: lockMsMax,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS_MAX,
  }
}

function beginText(options: PostgresOptions): string {
  if (options.prepared !== false) return 'begin'
  const limits = Object.entries(timeouts(options)).map(([name, ms]) => `set local ${name} = ${ms}`)
  return ['begin', ...limits].join('; ')
}

function createDatabase(pool: Pool, options: PostgresOptions): Database {
  const compiler = createCompiler('postgres')
  const statements = createStatements(compiler, options.prepared ?? true)
  const transactions = { pool, compiler, statements, begin: beginText(options) }
  const execution = { compiler, statements, target: pool }
  const systemReader = createSystemReader(execution)
  const open = createGate()
  const write = <T>(work: (unit: Unit) => Promise<T>): Promise<T> =>
    open.pass(() => transact(transactions, work))
  const db: Database = {
    dialect: 'postgres',
    tenant: (tenantId) => ({
      tenantId,
      read: (work) => open.pass(() => work(createTenantReader(execution, tenantId))),
      write: (work) => write((unit) => work(createTenantTransaction(unit, tenantId))),
    }),
    system: {
      read: (work) => open.pass(() => work(systemReader)),
      write: (work) => write((unit) => work(createSystemTransaction(unit))),
    },
    ping: () => open.pass(async () => void (await pool.query('select 1'))),
    [Symbol.asyncDispose]: () => open.close(() => pool.end()),
  }
  registerAdmin(db, createAdmin(pool))
  return db
}

interface Gate {
  /** Runs `work`, unless the database was closed. */
  pass<T>(work: () => Promise<T>): Promise<T>
  /** Lets nobody pass any more, waits for those inside, and closes once. */
  close(end: () => Promise<void>): Promise<void>
}

function createGate(): Gate {
  const inside = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined
  return {
    pass: async (work) => {
      if (closing !== undefined) throw stoppingError()
      const running = work()
      inside.add(running)
      try {
        return await running
      } finally {
        inside.delete(running)
      }
    },
    close: (end) => {
      closing ??= Promise.allSettled(inside).then(end)
      return closing
    },
  }
}

function createAdmin(pool: Pool): Admin {
  return {
    dialect: 'postgres',
    session: async (work) => {
      const client = await connect(pool)
      const session: AdminSession = {
        dialect: 'postgres',
        script: async (sql) => void (await client.query(sql)),
        rows: async (sql, values = []) => (await client.query(sql, [...values])).rows,
      }
      try {
        const result = await work(session)
        client.release()
        return result
      } catch (error) {
        client.release(true)
        throw error
      }
    },
  }
}

/** The address without its secrets. */
function addressOf(url: string): string {
  if (!URL.canParse(url)) return 'an address that is not a URL'
  const { host, pathname } = new URL(url)
  return `${host}${pathname}`
}
