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
        write: (work) => around((inner) => scoped.write(inner), work),
      }
    },
    system: {
      read: (work) => db.system.read(work),
      write: (work) => around((inner) => db.system.write(inner), work),
    },
    ping: () => db.ping(),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** The same database; after `failNext`, one write fails with the error. */
export function failingWrites(db: Database, error: Error): { readonly db: Database; failNext(): void } {
  let failing = false
  const flaky = aroundWrites(db, (write, work) => {
    if (!failing) return write(work)
    failing = false
    return Promise.reject(error)
  })
  return {
    db: flaky,
    failNext: () => {
      failing = true
    },
  }
}

/** The same database, and a hook that is called in a tenant's transaction after each statement that changed rows. */
export function afterChanges(db: Database, after: (statement: string) => Promise<void>): Database {
  return {
    ...aroundWrites(db, (write, work) => write(work)),
    tenant: (tenantId): TenantDatabase => {
      const scoped = db.tenant(tenantId)
      return {
        tenantId,
        read: (work) => scoped.read(work),
        write: (work) => scoped.write((tx) => work(hooked(tx, after))),
      }
    },
  }
}

function hooked(tx: TenantTransaction, after: (statement: string) => Promise<void>): TenantTransaction {
  return {
    tenantId: tx.tenantId,
    all: (statement, params) => tx.all(statement, params),
    first: (statement, params) => tx.first(statement, params),
    query: (build) => tx.query(build),
    run: async (statement, params) => {
      const changed = await tx.run(statement, params)
      await after(statement.name)
      return changed
    },
  }
}
