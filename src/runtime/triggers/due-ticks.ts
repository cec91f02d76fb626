// Which tick of a schedule is to start a run now, and which one comes next. Pure.

import type { EpochMs } from '../../base/time.ts'
import type { Schedule } from './cron.ts'

/** Under `all`, how many missed ticks are made up for: the last ones. */
export const MISSED_TICKS_MAX = 100
/**
 * A tick that is later than this was missed. Longer than the few minutes that a machine's clock may be wrong: a clock that
 * jumps makes ticks late or early, not missed.
 */
export const MISSED_AFTER_MS = 6 * 60_000

export type MissedPolicy = 'skip' | 'last' | 'all'

export interface DueTick {
  /** Undefined where what was missed is let go. */
  readonly fire: EpochMs | undefined
  /** Always after `nextAt`: a schedule never goes back, whatever a clock does. Null where no tick is left. */
  readonly nextAt: EpochMs | null
}

/** `nextAt` is due: it is not after `at`. */
export function dueTick(schedule: Schedule, nextAt: EpochMs, policy: MissedPolicy, at: EpochMs): DueTick {
  const due = schedule.last(MISSED_TICKS_MAX, at).filter((tick) => tick >= nextAt)
  const after = schedule.next(at) ?? null
  const first = due[0]
  const last = due.at(-1)
  // The text or the zone's rules have changed since.
  if (first === undefined || last === undefined) return { fire: undefined, nextAt: after }
  if (policy === 'all' || at - nextAt <= MISSED_AFTER_MS) return { fire: first, nextAt: due[1] ?? after }
  if (policy === 'last' || at - last <= MISSED_AFTER_MS) return { fire: last, nextAt: after }
  return { fire: undefined, nextAt: after }
}
