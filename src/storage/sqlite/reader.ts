// Reads from SQLite: each statement sees what is committed when it runs.

import type { TenantId } from '../../base/ids.ts'
import { checkReads } from '../compile.ts'
import type { SystemReader, TenantReader } from '../database.ts'
import type { Query, Statement, SystemStatement } from '../statement.ts'
import { retryWhileBusy } from './batch.ts'
import type { SqliteConnection } from './connection.ts'
import type { Prepared } from './prepared.ts'
import { isBusy } from './sqlite-errors.ts'

/** How long a read tries again; in WAL mode only another process's recovery after a crash makes it wait. */
const READ_WAIT_MS_MAX = 5_000

/** Where reads go. */
export interface Reads {
  readonly connection: SqliteConnection
  /** In memory reads and writes share a connection: what they have to wait for, so as not to see half a batch. */
  pending(): Promise<void> | undefined
}

export class SqliteTenantReader implements TenantReader {
  readonly tenantId: TenantId
  readonly #reads: Reads

  constructor(reads: Reads, tenantId: TenantId) {
    this.#reads = reads
    this.tenantId = tenantId
  }

  all<P, R>(statement: Statement<P, R>, params: P): Promise<readonly R[]> {
    return read(this.#reads, (connection) => {
      return readable(connection.tenant(statement)).all(params, this.tenantId) as R[]
    })
  }

  first<P, R>(statement: Statement<P, R>, params: P): Promise<R | undefined> {
    return read(this.#reads, (connection) => {
      return readable(connection.tenant(statement)).first(params, this.tenantId) as R | undefined
    })
  }

  query<R>(build: Query<R>): Promise<readonly R[]> {
    return read(this.#reads, (connection) => connection.query(build, this.tenantId, false))
  }
}

export function createSystemReader(reads: Reads): SystemReader {
  return {
    all: <P, R>(statement: SystemStatement<P, R>, params: P) =>
      read(reads, (connection) => readable(connection.system(statement)).all(params, undefined) as R[]),
    first: <P, R>(statement: SystemStatement<P, R>, params: P) =>
      read(
        reads,
        (connection) => readable(connection.system(statement)).first(params, undefined) as R | undefined,
      ),
  }
}

/** Reads at once where nothing stands in the way, and later where something does. */
export function read<T>(reads: Reads, work: (connection: SqliteConnection) => T): Promise<T> {
  try {
    const pending = reads.pending()
    if (pending !== undefined) return pending.then(() => read(reads, work))
    return Promise.resolve(work(reads.connection))
  } catch (error) {
    if (isBusy(error)) return retryWhileBusy(() => work(reads.connection), READ_WAIT_MS_MAX)
    return Promise.reject(error)
  }
}

function readable(prepared: Prepared): Prepared {
  checkReads(prepared.compiled)
  return prepared
}
