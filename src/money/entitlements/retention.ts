// What a plan says is kept so many days is removed after them: what was said in runs, in conversations, in events. Usage,
// costs, the audit log and events of runs stay. Several processes may do it at once: who removes a thing first, counts it.

import { firstIdAt, type RunId, type TenantId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import { appendAudit } from '../../events/append.ts'
import type { MaintenanceTask } from '../../runtime/maintenance.ts'
import {
  CONTENT_AGE_MS_MIN,
  removeRunContent,
  removeSessionContent,
  removeSignals,
  runsWithContent,
  sessionsWithContent,
} from '../../runtime/remove-content.ts'
import type { Database, TenantTransaction } from '../../storage/database.ts'
import { type SystemBind, systemStatement } from '../../storage/statement.ts'
import { planInForce } from './plan-in-force.ts'

const EVERY_MS = 60_000
const DAY_MS = 86_400_000
/** How many tenants are looked up at once. */
const TENANTS_PAGE = 100
/** What one transaction removes at the most. */
export const PORTION = { runs: 20, sessions: 20, signals: 500 } as const
/** How many portions of one tenant a turn does: what is left has its turn again. */
const PORTIONS_MAX = 25
/** And of all tenants. */
const PORTIONS_OF_TURN_MAX = 250

export interface RetentionDeps {
  readonly db: Database
}

export function retentionTask(deps: RetentionDeps): MaintenanceTask {
  // Where the last turn came to the end of what it may do, the next one goes on.
  let after: TenantId | '' = ''
  return {
    name: 'retention',
    everyMs: EVERY_MS,
    run: async (at) => {
      after = await applyRetention(deps, at, after)
    },
  }
}

/** Removes what was kept long enough, of the tenants after the one named. Answers after whom to go on; '' from the start. */
export async function applyRetention(
  { db }: RetentionDeps,
  at: EpochMs,
  after: TenantId | '' = '',
): Promise<TenantId | ''> {
  const asked = await db.system.read((reader) => reader.first(anyRetention, {}))
  if (asked === undefined) return ''
  const failures: unknown[] = []
  let last = after
  let left = PORTIONS_OF_TURN_MAX
  while (left > 0) {
    const page = { after: last, limit: TENANTS_PAGE }
    const tenants = await db.system.read((reader) => reader.all(tenantsWithPlan, page))
    for (const { tenantId } of tenants) {
      if (left <= 0) break
      last = tenantId
      try {
        left -= await ofTenant(db, tenantId, at)
      } catch (error) {
        // One tenant's trouble keeps no other from its turn.
        failures.push(error)
      }
    }
    if (tenants.length < TENANTS_PAGE && left > 0) last = ''
    if (last === '') break
  }
  if (failures.length > 0) throw new AggregateError(failures, 'The retention of some tenants failed.')
  return last
}

/** Answers how many portions there were. */
async function ofTenant(db: Database, tenantId: TenantId, at: EpochMs): Promise<number> {
  const scoped = db.tenant(tenantId)
  const { holds } = await scoped.read(planInForce)
  const days = holds.kind === 'plan' ? holds.plan.limits.retention_days : undefined
  if (days === undefined) return 0
  const before = at - Math.max(days * DAY_MS, CONTENT_AGE_MS_MIN)
  let place: Place | undefined = { finishedAt: 0, id: firstIdAt('run', 0) }
  for (let portions = 1; ; portions++) {
    const from: Place | undefined = place
    const done: Portion = await scoped.write((tx) => portion(tx, { days, before, at }, from))
    if (!done.more || portions === PORTIONS_MAX) return portions
    place = done.place
  }
}

interface Place {
  readonly finishedAt: EpochMs
  readonly id: RunId
}

interface Portion {
  readonly more: boolean
  /** After which run to go on; undefined where there is none. */
  readonly place: Place | undefined
}

interface Kept {
  readonly days: number
  readonly before: EpochMs
  readonly at: EpochMs
}

/** One transaction: some runs, conversations and events, and one audit fact of them. */
async function portion(
  tx: TenantTransaction,
  { days, before, at }: Kept,
  place: Place | undefined,
): Promise<Portion> {
  const removed = { runs: 0, sessions: 0, turns: 0, signals: 0 }
  const found =
    place === undefined
      ? []
      : await tx.all(runsWithContent, {
          before,
          afterAt: place.finishedAt,
          afterId: place.id,
          limit: PORTION.runs,
        })
  for (const { id, topFinishedAt } of found) {
    // What is below a run that goes on may be read by it still.
    if (topFinishedAt === null || topFinishedAt >= before) continue
    if (await removeRunContent(tx, id, { before, at })) removed.runs += 1
  }
  const idle = await tx.all(sessionsWithContent, { before, limit: PORTION.sessions })
  for (const { id } of idle) {
    const turns = await removeSessionContent(tx, id, { before, at })
    if (turns === undefined) continue
    removed.sessions += 1
    removed.turns += turns
  }
  removed.signals = await removeSignals(tx, before, PORTION.signals)
  const nothing = removed.runs + removed.sessions + removed.signals === 0
  if (!nothing)
    await appendAudit(tx, {
      type: 'retention.applied',
      actor: 'system',
      subject: tx.tenantId,
      data: { retention_days: days, before, ...removed },
      at,
    })
  const last = found.length < PORTION.runs ? undefined : found.at(-1)
  const next = last === undefined ? undefined : { finishedAt: last.finishedAt ?? 0, id: last.id }
  const more = next !== undefined || idle.length === PORTION.sessions || removed.signals === PORTION.signals
  return { more, place: next }
}

/** Whether any plan says how long things are kept: most often no other question need be asked. */
const anyRetention = systemStatement(
  'retention.any-plan',
  'plans are the platform\u2019s',
  (db, _: SystemBind<object>) =>
    db.selectFrom('plans').select('id').where('limits', 'like', '%"retention_days"%').limit(1),
)

const tenantsWithPlan = systemStatement(
  'retention.tenants',
  'what is kept too long is removed for every tenant that subscribed to a plan',
  (db, p: SystemBind<{ after: TenantId | ''; limit: number }>) =>
    db
      .selectFrom('billingAccounts')
      .select('tenantId')
      .where('tenantId', '>', p.after as TenantId)
      .orderBy('tenantId')
      .limit(p.limit),
)
