// Denied attempts as audit facts, without letting a flood of them fill the log.
// The first denial of a principal and permission is written before the answer is given; those that follow within a
// minute are counted, and written as one fact with their count when the minute is over, or on close. A crash loses at
// most the count of that minute, never the fact that there were denials.

import type { TenantId } from '../base/ids.ts'
import { type Clock, type EpochMs, formatTime } from '../base/time.ts'
import { actorOf, type Principal } from '../contract/principal.ts'
import { appendAudit } from '../events/append.ts'
import type { Database } from '../storage/database.ts'
import type { RequestContext, Right } from './identity.ts'

const WINDOW_MS = 60_000
/** Windows open at once; where there are more, all are written and begin anew. */
const WINDOWS_MAX = 10_000

export interface Denial {
  readonly tenantId: TenantId
  readonly actor: string
  readonly permission: Right
}

export interface Denials extends AsyncDisposable {
  /** Answers when the denial is written or counted. It does not fail: who is denied is denied, log or no log. */
  record(principal: Principal, permission: Right, context: RequestContext): Promise<void>
}

interface Window extends Denial {
  readonly userId: string
  readonly from: EpochMs
  until: EpochMs
  /** Denials that no fact tells of yet. */
  count: number
}

export interface DenialsDeps {
  readonly db: Database
  readonly clock: Clock
  /** Told of each denial, for metrics. */
  readonly onDenied?: ((denial: Denial) => void) | undefined
}

export function createDenials({ db, clock, onDenied }: DenialsDeps): Denials {
  let windows = new Map<string, Window>()
  let timer: NodeJS.Timeout | undefined

  /** Writes the counts of all windows and closes them. What cannot be written is counted on. */
  const close = async (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    const closed = windows
    windows = new Map()
    for (const [key, window] of closed) {
      if (window.count === 0) continue
      const written = await append(db, window, clock(), { count: window.count }, undefined)
      if (!written && windows.size < WINDOWS_MAX && !windows.has(key)) windows.set(key, window)
    }
    if (windows.size > 0) schedule()
  }

  const schedule = (): void => {
    timer ??= setTimeout(() => void close(), WINDOW_MS).unref()
  }

  return {
    record: async (principal, permission, context) => {
      const now = clock()
      const { tenantId, userId } = principal
      const denial: Denial = { tenantId, actor: actorOf(principal), permission }
      onDenied?.(denial)
      const key = `${tenantId} ${denial.actor} ${permission}`
      const open = windows.get(key)
      if (open !== undefined) {
        open.count += 1
        open.until = now
        return
      }
      if (windows.size >= WINDOWS_MAX) await close()
      const window: Window = { ...denial, userId, from: now, until: now, count: 0 }
      windows.set(key, window)
      schedule()
      if (!(await append(db, window, now, { count: 1 }, context))) window.count += 1
    },
    [Symbol.asyncDispose]: async () => {
      await close()
      clearTimeout(timer)
      timer = undefined
    },
  }
}

async function append(
  db: Database,
  { tenantId, actor, userId, permission, from, until }: Window,
  at: EpochMs,
  { count }: { readonly count: number },
  context: RequestContext | undefined,
): Promise<boolean> {
  try {
    await db.tenant(tenantId).write((tx) =>
      appendAudit(tx, {
        type: 'access.denied',
        actor,
        subject: userId,
        data: {
          permission,
          count,
          from: formatTime(from),
          until: formatTime(until),
          ...(context?.ip === undefined ? {} : { ip: context.ip }),
        },
        requestId: context?.requestId,
        at,
      }),
    )
    return true
  } catch {
    return false
  }
}
