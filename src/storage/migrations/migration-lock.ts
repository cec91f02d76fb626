// The transaction of one migration, with the lock that keeps a second migrator out.

import type { AdminSession } from '../admin.ts'
import { waitBefore } from '../backoff.ts'
import { isBusy } from '../sqlite/sqlite-errors.ts'
import { lockedError } from '../storage-errors.ts'

/** Any number that no other program's advisory lock has: "agentfac" in ASCII. */
const LOCK_KEY = '7017001857063936355'
/** How long to wait for another migrator, and for those who use the tables. */
const LOCK_WAIT_MS_MAX = 120_000
const BACKOFF = { firstMs: 10, mostMs: 250 }

/** Runs `work` in a transaction that only one migrator at a time can be in; rolls back where it throws. */
export async function inMigration<T>(session: AdminSession, work: () => Promise<T>): Promise<T> {
  return session.dialect === 'sqlite' ? inSqliteMigration(session, work) : inPostgresMigration(session, work)
}

async function inSqliteMigration<T>(session: AdminSession, work: () => Promise<T>): Promise<T> {
  // Tables that are built anew leave their references dangling for a moment. A transaction cannot change this.
  await session.script('pragma foreign_keys = off')
  try {
    await beginAlone(session)
    return await committed(session, async () => {
      const result = await work()
      const broken = await session.rows('pragma foreign_key_check')
      if (broken.length > 0)
        throw new Error(`After the migration rows of "${broken[0]?.table}" refer to rows that are not there.`)
      return result
    })
  } finally {
    await session.script('pragma foreign_keys = on')
  }
}

async function inPostgresMigration<T>(session: AdminSession, work: () => Promise<T>): Promise<T> {
  await session.script(`begin; set local lock_timeout = ${LOCK_WAIT_MS_MAX}; set local statement_timeout = 0`)
  return committed(session, async () => {
    await session.script(`select pg_advisory_xact_lock(${LOCK_KEY})`)
    return work()
  })
}

async function committed<T>(session: AdminSession, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work()
    await session.script('commit')
    return result
  } catch (error) {
    await session.script('rollback').catch(() => undefined)
    throw error
  }
}

async function beginAlone(session: AdminSession): Promise<void> {
  const end = performance.now() + LOCK_WAIT_MS_MAX
  for (let attempt = 1; ; attempt++) {
    try {
      return await session.script('begin immediate')
    } catch (error) {
      if (!isBusy(error)) throw error
      if (performance.now() > end) throw lockedError(error)
    }
    await waitBefore(attempt, BACKOFF)
  }
}
