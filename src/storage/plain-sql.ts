// A door for another program's SQL in our transaction. A queue engine that lives in the same Postgres adds its messages
// with text of its own; sent on the connection of our transaction, they are there exactly if what we wrote is. Nothing of
// ours goes through here: our own SQL is declared as statements and passes the tenant guard.

import type { SystemTransaction } from './database.ts'

/** Runs one statement in the transaction it was taken from; a failure fails that transaction. Postgres only. */
export type PlainSql = (text: string, values?: readonly unknown[]) => Promise<{ rows: unknown[] }>

const doors = new WeakMap<SystemTransaction, PlainSql>()

/** Called where a transaction is opened. */
export function registerPlainSql(tx: SystemTransaction, run: PlainSql): void {
  doors.set(tx, run)
}

export function plainSqlOf(tx: SystemTransaction): PlainSql {
  const run = doors.get(tx)
  if (run === undefined) throw new Error('Plain SQL runs only in a transaction of the system on Postgres.')
  return run
}
