// SQLite behind the port: one writer and one reader on a file, or one connection in memory.

import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { AppError } from '../../base/errors.ts'
import { type Admin, registerAdmin } from '../admin.ts'
import { createCompiler } from '../compile.ts'
import type { Database } from '../database.ts'
import { messageOf, stoppingError } from '../storage-errors.ts'
import { type BatchLimits, retryWhileBusy } from './batch.ts'
import { SqliteConnection } from './connection.ts'
import { createSystemReader, type Reads, read, SqliteTenantReader } from './reader.ts'
import { SqliteSystemTransaction, SqliteTenantTransaction } from './unit.ts'
import { createWriter, type Writer } from './writer.ts'

/** How long SQLite itself waits for a lock, with the event loop standing still; the rest of the wait is ours. */
const BUSY_MS = 5
/** How long a unit may take. Its statements take microseconds: one that is still open awaits something else. */
const UNIT_MS_MAX = 2_000
/** How long to try for the write lock while another process holds it. */
const LOCK_WAIT_MS_MAX = 30_000
/** The write-ahead log is cut back to this size when it was once larger. */
const WAL_BYTES_KEPT = 67_108_864

export type SqliteOptions = Partial<BatchLimits>

/** Opens a database file, made where it is missing, or `:memory:`. Throws `settings.invalid` where it cannot. */
export async function openSqlite(path: string, options: SqliteOptions = {}): Promise<Database> {
  const limits = { unitMsMax: UNIT_MS_MAX, lockWaitMsMax: LOCK_WAIT_MS_MAX, ...options }
  const memory = path === ':memory:'
  const compiler = createCompiler('sqlite')
  const connections = new DisposableStack()
  try {
    if (!memory) mkdirSync(dirname(path), { recursive: true })
    const connect = (readOnly: boolean): SqliteConnection =>
      connections.use(new SqliteConnection(path, compiler, { readOnly, busyMs: BUSY_MS }))
    const write = connect(false)
    await retryWhileBusy(() => prepareFile(write), limits.lockWaitMsMax)
    return createDatabase(write, memory ? write : connect(true), connections, limits)
  } catch (error) {
    connections.dispose()
    throw new AppError(
      'settings.invalid',
      `The database file "${path}" cannot be opened: ${messageOf(error)}.`,
      {
        cause: error,
      },
    )
  }
}

function prepareFile(connection: SqliteConnection): void {
  connection.exec(`pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;
    pragma journal_size_limit = ${WAL_BYTES_KEPT}`)
}

function createDatabase(
  write: SqliteConnection,
  reader: SqliteConnection,
  connections: DisposableStack,
  limits: BatchLimits,
): Database {
  const writer = createWriter(write, limits)
  let closing: Promise<void> | undefined
  const pending = (): Promise<void> | undefined => {
    if (closing !== undefined) throw stoppingError()
    return reader === write ? writer.open : undefined
  }
  const reads: Reads = { connection: reader, pending }
  const systemReader = createSystemReader(reads)
  const close = async (): Promise<void> => {
    await writer.finish()
    try {
      write.exec('pragma optimize; pragma wal_checkpoint(truncate)')
    } catch {
      // On a full disk the log stays beside the file; what was committed is in it.
    }
    connections.dispose()
  }
  const db: Database = {
    dialect: 'sqlite',
    tenant: (tenantId) => ({
      tenantId,
      read: async (work) => work(new SqliteTenantReader(reads, tenantId)),
      write: (work) => writer.write((unit) => work(new SqliteTenantTransaction(unit, tenantId))),
    }),
    system: {
      read: async (work) => work(systemReader),
      write: (work) => writer.write((unit) => work(new SqliteSystemTransaction(unit))),
    },
    ping: async () => {
      await read(reads, (connection) => connection.rows('select 1', []))
    },
    [Symbol.asyncDispose]: () => {
      closing ??= close()
      return closing
    },
  }
  registerAdmin(db, createAdmin(write, reader, writer))
  return db
}

/** Migrations change tables under the feet of prepared statements, so these are forgotten afterwards. */
function createAdmin(write: SqliteConnection, reader: SqliteConnection, writer: Writer): Admin {
  const session: Parameters<Parameters<Admin['session']>[0]>[0] = {
    dialect: 'sqlite',
    script: async (sql) => write.exec(sql),
    rows: async (sql, values = []) => write.rows(sql, values),
  }
  return {
    dialect: 'sqlite',
    session: (work) =>
      writer.alone(async () => {
        try {
          return await work(session)
        } finally {
          write.forget()
          reader.forget()
        }
      }),
  }
}
