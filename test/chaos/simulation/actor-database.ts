// The database as one actor of a simulation has it: a point before each access and one after it, so that a crash falls
// before the change, or after it and before the actor knows of it.

import type { Database, TenantDatabase } from '../../../src/storage/database.ts'
import type { Scheduler } from './scheduler.ts'

export function actorDatabase(db: Database, scheduler: Scheduler, actor: string): Database {
  const around = async <T>(access: () => Promise<T>): Promise<T> => {
    await scheduler.point(actor)
    const result = await access().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    await scheduler.point(actor)
    if ('error' in result) throw result.error
    return result.value
  }
  return {
    dialect: db.dialect,
    tenant: (tenantId): TenantDatabase => {
      const scoped = db.tenant(tenantId)
      return {
        tenantId,
        read: (work) => around(() => scoped.read(work)),
        write: (work) => around(() => scoped.write(work)),
      }
    },
    system: {
      read: (work) => around(() => db.system.read(work)),
      write: (work) => around(() => db.system.write(work)),
    },
    ping: () => db.ping(),
    [Symbol.asyncDispose]: async () => undefined,
  }
}
