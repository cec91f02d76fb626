// A database whose writes a test may hold up, fail or be killed in.

import type {
  Database,
  SystemTransaction,
  TenantDatabase,
  TenantTransaction,
} from '../../src/storage/database.ts'

/** Makes a write: `write(work)` is what would have been done. */
export type Around = <Tx extends TenantTransaction | SystemTransaction, T>(
  write: (work: (tx: Tx) => Promise<T>) => Promise<T>,
  work: (tx: Tx) => Promise<T>,
) => Promise<T>

/** The same database with `around` in the place of each write. Closing it closes nothing. */
export function aroundWrites(db: Database, around: Around): Database {
  return {
    dialect: db.dialect,
    tenant: (tenantId): TenantDatabase => {
      const scoped = db.tenant(tenantId)
      return {
        tenantId,
        read: (work) => scoped.read(work),
        write: (work) => around<TenantTransaction, never>((inner) => scoped.write(inner), work as never),
      }
    },
    system: {
      read: (work) => db.system.read(work),
      write: (work) => around<SystemTransaction, never>((inner) => db.system.write(inner), work as never),
    },
    ping: () => db.ping(),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** The database, and a hook that is called in a transaction after each statement that it made. */
export function afterStatements(
  db: Database,
  after: (name: string, params: Readonly<Record<string, unknown>>) => Promise<void>,
): Database {
  return aroundWrites(db, (write, work) =>
    write((tx) =>
      work({
        ...tx,
        run: async (statement: never, params: never) => {
          const changed = await tx.run(statement, params)
          await after((statement as { name: string }).name, params)
          return changed
        },
      }),
    ),
  )
}
