// When keys were last used, to about a second, written once a minute and on close, never while a request waits.

import type { ApiKeyId, TenantId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import type { Database } from '../storage/database.ts'
import { markUsed } from './api-key-store.ts'

const WRITE_EVERY_MS = 60_000
/** Uses kept in memory. Where more keys are used within a minute, they are written earlier. */
const PENDING_MAX = 10_000

export interface LastUsed extends AsyncDisposable {
  note(tenantId: TenantId, id: ApiKeyId, at: EpochMs): void
  /** Writes what was noted. A use that could not be written is noted again, for the next time. */
  write(): Promise<void>
}

interface Use {
  readonly tenantId: TenantId
  readonly at: EpochMs
}

export function createLastUsed(db: Database): LastUsed {
  let pending = new Map<ApiKeyId, Use>()
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  const note = (tenantId: TenantId, id: ApiKeyId, at: EpochMs): void => {
    const before = pending.get(id)
    if (before === undefined || before.at < at) pending.set(id, { tenantId, at })
    const delay = pending.size > PENDING_MAX ? 0 : WRITE_EVERY_MS
    if (delay === 0) clearTimer()
    timer ??= setTimeout(() => void write(), delay).unref()
  }

  const clearTimer = (): void => {
    clearTimeout(timer)
    timer = undefined
  }

  const write = (): Promise<void> => {
    clearTimer()
    writing = writing.then(async () => {
      const uses = pending
      pending = new Map()
      for (const [tenantId, ofTenant] of Map.groupBy(uses, ([, use]) => use.tenantId)) {
        try {
          await db.tenant(tenantId).write(async (tx) => {
            for (const [id, { at }] of ofTenant) await tx.run(markUsed, { id, at })
          })
        } catch {
          // It is a convenience for people; the next minute tries again, and a closed database ends it.
          if (pending.size < PENDING_MAX)
            for (const [id, use] of ofTenant) if (!pending.has(id)) pending.set(id, use)
        }
      }
    })
    return writing
  }

  return { note, write, [Symbol.asyncDispose]: () => write().finally(clearTimer) }
}
