// A database whose writes are measured. It wraps the port, so that no engine can forget it.

import type { Database } from '../storage/database.ts'

export type Written = (outcome: 'done' | 'failed', ms: number) => void

export function measuredDatabase(db: Database, written: Written): Database {
  const measured = async <T>(work: Promise<T>): Promise<T> => {
    const start = performance.now()
    try {
      const value = await work
      written('done', performance.now() - start)
      return value
    } catch (error) {
      written('failed', performance.now() - start)
      throw error
    }
  }
  return {
    dialect: db.dialect,
    tenant(tenantId) {
      const scope = db.tenant(tenantId)
      return { tenantId, read: (work) => scope.read(work), write: (work) => measured(scope.write(work)) }
    },
    system: {
      read: (work) => db.system.read(work),
      write: (work) => measured(db.system.write(work)),
    },
    ping: () => db.ping(),
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  }
}
