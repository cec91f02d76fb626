// One connection to SQLite with its prepared statements. It is synchronous: a statement is done when it returns.

import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { TenantId } from '../../base/ids.ts'
import { type Compiled, type Compiler, checkReads } from '../compile.ts'
import type { Query, Statement, SystemStatement } from '../statement.ts'
import { Prepared } from './prepared.ts'

/** How many queries built on the spot stay prepared. */
const QUERIES_KEPT_MAX = 100

export interface ConnectionOptions {
  readonly readOnly: boolean
  /** How long SQLite itself waits for a lock, with the event loop standing still. */
  readonly busyMs: number
}

export class SqliteConnection implements Disposable {
  readonly #db: DatabaseSync
  readonly #compiler: Compiler
  readonly #tenant = new Map<object, Prepared>()
  readonly #system = new Map<object, Prepared>()
  readonly #controls = new Map<string, StatementSync>()
  readonly #queries = new Map<string, Prepared>()

  constructor(path: string, compiler: Compiler, options: ConnectionOptions) {
    this.#db = new DatabaseSync(path, { readOnly: options.readOnly, timeout: options.busyMs })
    this.#compiler = compiler
  }

  get inTransaction(): boolean {
    return this.#db.isTransaction
  }

  tenant<P, R>(statement: Statement<P, R>): Prepared {
    const found = this.#tenant.get(statement)
    if (found !== undefined) return found
    const prepared = this.#prepare(this.#compiler.tenant(statement))
    this.#tenant.set(statement, prepared)
    return prepared
  }

  system<P, R>(statement: SystemStatement<P, R>): Prepared {
    const found = this.#system.get(statement)
    if (found !== undefined) return found
    const prepared = this.#prepare(this.#compiler.system(statement))
    this.#system.set(statement, prepared)
    return prepared
  }

  /** A query built on the spot: compiled and checked each time, prepared once per text. */
  query<R>(build: Query<R>, tenantId: TenantId, mayWrite: boolean): R[] {
    const compiled = this.#compiler.query(build, tenantId)
    if (!mayWrite) checkReads(compiled)
    return this.#preparedQuery(compiled).all(undefined, tenantId, compiled) as unknown as R[]
  }

  /** Begins, ends or marks a transaction. */
  control(
    sql: 'begin immediate' | 'commit' | 'rollback' | 'savepoint unit' | 'release unit' | 'rollback to unit',
  ): void {
    const found = this.#controls.get(sql)
    if (found !== undefined) found.run()
    else {
      const statement = this.#db.prepare(sql)
      this.#controls.set(sql, statement)
      statement.run()
    }
  }

  exec(sql: string): void {
    this.#db.exec(sql)
  }

  /** Plain SQL, for migrations: names as the database has them. */
  rows(sql: string, values: readonly (string | number)[]): Record<string, unknown>[] {
    return this.#db
      .prepare(sql)
      .all(...values.map((value) => (typeof value === 'number' ? BigInt(value) : value)))
  }

  /** Forgets what was prepared, after the tables changed. */
  forget(): void {
    for (const prepared of [this.#tenant, this.#system, this.#queries]) prepared.clear()
  }

  [Symbol.dispose](): void {
    this.forget()
    if (this.#db.isOpen) this.#db.close()
  }

  #preparedQuery(compiled: Compiled): Prepared {
    const found = this.#queries.get(compiled.sql)
    const prepared = found ?? this.#prepare(compiled)
    // The one that was used longest ago stands first.
    this.#queries.delete(compiled.sql)
    this.#queries.set(compiled.sql, prepared)
    const [oldest] = this.#queries.keys()
    if (oldest !== undefined && this.#queries.size > QUERIES_KEPT_MAX) this.#queries.delete(oldest)
    return prepared
  }

  #prepare(compiled: Compiled): Prepared {
    return new Prepared(compiled, this.#db.prepare(compiled.sql))
  }
}
