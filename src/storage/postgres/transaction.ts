// One transaction on one client of the pool, run again when it lost against another one.

import type { Pool, PoolClient } from 'pg'
import { waitBefore } from '../backoff.ts'
import type { Compiler } from '../compile.ts'
import type { Statements } from './execute.ts'
import { isConflict, postgresError } from './postgres-errors.ts'
import type { Unit } from './scopes.ts'

/** How often a transaction is tried that loses against others. */
const ATTEMPTS_MAX = 8
const BACKOFF = { firstMs: 5, mostMs: 500 }
const OVER = new Error(
  'The transaction is over: its statements are awaited inside the work that was given to write.',
)

export interface Transactions {
  readonly pool: Pool
  readonly compiler: Compiler
  readonly statements: Statements
  /** What begins a transaction: with its limits, where a pooler takes none for the connection. */
  readonly begin: string
}

/** Runs `work` in a transaction; settles when it is committed, or rolled back. */
export async function transact<T>(transactions: Transactions, work: (unit: Unit) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryOnce(transactions, work)
    } catch (error) {
      if (attempt >= ATTEMPTS_MAX || !isConflict(error)) throw error
    }
    await waitBefore(attempt, BACKOFF)
  }
}

async function tryOnce<T>(transactions: Transactions, work: (unit: Unit) => Promise<T>): Promise<T> {
  const { pool, compiler, statements, begin } = transactions
  const client = await connect(pool)
  const unit: Unit = { compiler, statements, target: client, refusal: undefined }
  let broken = false
  try {
    // Sent with the first statement: one round trip less. It fails only with its connection, and with it all that follows.
    const begun = control(client, begin)
    begun.catch(() => undefined)
    const result = await work(unit)
    await begun
    if (unit.refusal !== undefined) throw unit.refusal
    const ended = await control(client, 'commit')
    // Postgres answers a commit after a failed statement (one that nobody awaited) with a rollback.
    if (ended !== 'COMMIT')
      throw unit.refusal ?? new Error('The transaction was rolled back: one of its statements failed.')
    return result
  } catch (error) {
    // A client that cannot roll back is thrown away, and its transaction with it.
    broken = await control(client, 'rollback').then(
      () => false,
      () => true,
    )
    // The conflict itself, whatever `work` made of it, so that it is tried again.
    throw isConflict(unit.refusal) ? unit.refusal : error
  } finally {
    unit.refusal = OVER
    client.release(broken)
  }
}

export async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect()
  } catch (error) {
    throw postgresError('connect', error)
  }
}

/** Answers what Postgres says that it did. */
async function control(client: PoolClient, text: string): Promise<string> {
  try {
    return (await client.query(text)).command
  } catch (error) {
    throw postgresError(text, error)
  }
}
