// The other door of a database: plain SQL for migrations and introspection. Nothing else may use it.

import type { Database } from './database.ts'
import type { Dialect } from './schema/dialect.ts'

export type PlainRow = Readonly<Record<string, unknown>>

/** One connection, held alone. Names of result columns stay as the database gives them. */
export interface AdminSession {
  readonly dialect: Dialect
  /** Runs any number of statements. */
  script(sql: string): Promise<void>
  /** One statement with values at `?1`/`$1`, written as the dialect has it. */
  rows(sql: string, values?: readonly (string | number)[]): Promise<readonly PlainRow[]>
}

export interface Admin {
  readonly dialect: Dialect
  /** Runs `work` while nothing else of this process writes (on SQLite), on a connection of its own (on Postgres). */
  session<T>(work: (session: AdminSession) => Promise<T>): Promise<T>
}

const admins = new WeakMap<Database, Admin>()

/** Called by each engine for the database that it opens. */
export function registerAdmin(db: Database, admin: Admin): void {
  admins.set(db, admin)
}

export function adminOf(db: Database): Admin {
  const admin = admins.get(db)
  if (admin === undefined) throw new Error('This database was not opened by openDatabase.')
  return admin
}
