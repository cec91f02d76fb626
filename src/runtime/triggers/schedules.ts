// Schedules tick: every process looks, and a tick is fired by whoever claims its time.

import type { TriggerId } from '../../base/ids.ts'
import { type EpochMs, formatTime } from '../../base/time.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { readSchedule } from './cron.ts'
import { dueTick } from './due-ticks.ts'
import { type FireDeps, fireTick, type TickOutcome } from './fire.ts'
import type { TriggerRow } from './trigger.ts'
import { dueSchedules, insertTick, markFired, moveSchedule, tickOf } from './trigger-store.ts'

export const SCHEDULES_EVERY_MS = 1_000
/** Schedules that are looked at together, and how often in one turn: the rest is done in the next. */
const BATCH_MAX = 100
const ROUNDS_MAX = 20

/** Fires what is due at that moment. A schedule with several ticks due fires one in each round. */
export async function tickSchedules(deps: FireDeps, at: EpochMs): Promise<void> {
  const troubled = new Set<TriggerId>()
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const due = await deps.db.system.read((reader) => reader.all(dueSchedules, { at, limit: BATCH_MAX }))
    let moved = 0
    for (const trigger of due) {
      if (troubled.has(trigger.id)) continue
      try {
        if (await tickSchedule(deps, trigger, at)) moved += 1
      } catch (error) {
        // One that cannot tick keeps no other from it, and is tried again.
        troubled.add(trigger.id)
        deps.observer.trouble('A schedule could not tick.', { trigger: trigger.id, error })
      }
    }
    if (moved === 0) return
  }
}

/** False where another process was first. */
async function tickSchedule(deps: FireDeps, trigger: TriggerRow, at: EpochMs): Promise<boolean> {
  const { nextAt } = trigger
  if (nextAt === null) return false
  const read = readSchedule(trigger.cron ?? '', trigger.timezone ?? '')
  if (!read.ok) return stopSchedule(deps, trigger, nextAt, `${read.field} ${read.message}`)
  const { fire, nextAt: to } = dueTick(read.schedule, nextAt, trigger.missed ?? 'skip', at)
  const move = async (tx: TenantTransaction): Promise<boolean> =>
    (await tx.run(moveSchedule, { id: trigger.id, from: nextAt, to })) === 1
  if (fire === undefined) return deps.db.tenant(trigger.tenantId).write(move)
  const tick = formatTime(fire)
  const claim = async (tx: TenantTransaction, outcome: TickOutcome): Promise<boolean> => {
    // By its time alone: the clock of a process may have been wrong when another fired it.
    if (!(await move(tx))) return false
    return (await tx.run(insertTick, { triggerId: trigger.id, tick, ...outcome, createdAt: at })) === 1
  }
  const fired = await fireTick(deps, trigger, { tick, facts: { scheduled_at: tick }, claim })
  if (fired !== undefined) return true
  // Where this very tick was fired before, the schedule has to go on all the same.
  return deps.db.tenant(trigger.tenantId).write(async (tx) => {
    const known = await tx.first(tickOf, { triggerId: trigger.id, tick })
    return known !== undefined && (await move(tx))
  })
}

/** It was read when it was written: a zone may have left this machine's tables since. Somebody has to write it anew. */
async function stopSchedule(
  deps: FireDeps,
  trigger: TriggerRow,
  from: EpochMs,
  problem: string,
): Promise<boolean> {
  const { id } = trigger
  const error = `The schedule cannot be read: ${problem}.`
  return deps.db.tenant(trigger.tenantId).write(async (tx) => {
    if ((await tx.run(moveSchedule, { id, from, to: null })) !== 1) return false
    await tx.run(markFired, { id, at: deps.clock(), runId: null, error })
    return true
  })
}
