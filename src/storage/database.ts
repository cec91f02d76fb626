// The port to a database. storage/ owns connections, transactions and the tenant guard; it knows no business rule.

import type { TenantId } from '../base/ids.ts'
import type { Dialect } from './schema/dialect.ts'
import type { Query, Statement, SystemStatement } from './statement.ts'

/** Reads within one tenant. A statement on a tenant's table always carries this scope's tenant. */
export interface TenantReader {
  readonly tenantId: TenantId
  all<P, R>(statement: Statement<P, R>, params: P): Promise<readonly R[]>
  first<P, R>(statement: Statement<P, R>, params: P): Promise<R | undefined>
  /** A query whose shape depends on the input (filters, pages); compiled each time. */
  query<R>(build: Query<R>): Promise<readonly R[]>
}

/** A transaction within one tenant. */
export interface TenantTransaction extends TenantReader {
  /** Runs a statement that changes rows; answers how many it changed. */
  run<P>(statement: Statement<P, unknown>, params: P): Promise<number>
}

/** Reads across tenants: for the platform itself (find a key, claim a job), each statement with its reason. */
export interface SystemReader {
  all<P, R>(statement: SystemStatement<P, R>, params: P): Promise<readonly R[]>
  first<P, R>(statement: SystemStatement<P, R>, params: P): Promise<R | undefined>
}

export interface SystemTransaction extends SystemReader {
  run<P>(statement: SystemStatement<P, unknown>, params: P): Promise<number>
  /** The same transaction, narrowed to a tenant. There is no way back. */
  forTenant(tenantId: TenantId): TenantTransaction
}

export interface TenantDatabase {
  readonly tenantId: TenantId
  read<T>(work: (reader: TenantReader) => Promise<T>): Promise<T>
  /**
   * One atomic, durable unit. `work` awaits nothing but the transaction (no fetch, no timer): on SQLite the one
   * writer is held meanwhile, and several units may share one commit. It may be run again after a conflict.
   */
  write<T>(work: (tx: TenantTransaction) => Promise<T>): Promise<T>
}

export interface Database extends AsyncDisposable {
  readonly dialect: Dialect
  tenant(tenantId: TenantId): TenantDatabase
  readonly system: {
    read<T>(work: (reader: SystemReader) => Promise<T>): Promise<T>
    write<T>(work: (tx: SystemTransaction) => Promise<T>): Promise<T>
  }
  /** Answers when a trivial query went through; throws where it did not. */
  ping(): Promise<void>
}
