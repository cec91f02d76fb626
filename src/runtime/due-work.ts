// What the maintenance loop has to do now, asked in one read for all of its tasks: most often it is nothing, in every
// process of many.

import type { EpochMs } from '../base/time.ts'
import type { Database } from '../storage/database.ts'
import { type SystemBind, systemStatement } from '../storage/statement.ts'

/** Tasks that look within this time look together. */
const SHARED_MS = 100

export interface DueWork {
  readonly schedules: boolean
  readonly deliveries: boolean
  readonly approvals: boolean
  readonly budgetWaits: boolean
}

const NOTHING: DueWork = { schedules: false, deliveries: false, approvals: false, budgetWaits: false }

/**
 * Answers what is due; those who ask at the same time get the same answer. Where `isTurn` says that another process
 * looks now, nothing is.
 */
export function createDueWork(
  db: Database,
  isTurn: (at: EpochMs) => boolean,
): (at: EpochMs) => Promise<DueWork> {
  let asked: { readonly at: EpochMs; readonly answer: Promise<DueWork> } | undefined
  return (at) => {
    if (asked === undefined || Math.abs(at - asked.at) >= SHARED_MS)
      asked = { at, answer: isTurn(at) ? lookFor(db, at) : Promise.resolve(NOTHING) }
    return asked.answer
  }
}

async function lookFor(db: Database, at: EpochMs): Promise<DueWork> {
  const row = await db.system.read((reader) => reader.first(dueWork, { at }))
  const is = (id: unknown): boolean => id !== null && id !== undefined
  return {
    schedules: is(row?.schedule),
    deliveries: is(row?.wait) || is(row?.tick),
    approvals: is(row?.expiring) || is(row?.escalating),
    budgetWaits: is(row?.freed),
  }
}

/** The first of each part, in the order of the index of what waits: no planner takes another way. */
export const dueWork = systemStatement(
  'maintenance.due',
  'schedules, events, questions and waits for budgets of any tenant are seen to by whichever process comes first',
  (db, p: SystemBind<{ at: EpochMs }>) =>
    db.selectNoFrom((eb) => [
      eb
        .selectFrom('triggers')
        .select('id')
        .where('state', '=', 'active')
        .where('nextAt', 'is not', null)
        .where('nextAt', '<=', p.at)
        .orderBy('nextAt')
        .limit(1)
        .as('schedule'),
      eb
        .selectFrom('signalWaits')
        .select('runId')
        .where('state', '=', 'claimed')
        .orderBy('createdAt')
        .limit(1)
        .as('wait'),
      eb
        .selectFrom('triggerTicks')
        .select('tick')
        .where('state', '=', 'pending')
        .orderBy('createdAt')
        .limit(1)
        .as('tick'),
      eb
        .selectFrom('approvals')
        .select('id')
        .where('state', '=', 'pending')
        .where('expiresAt', 'is not', null)
        .where('expiresAt', '<=', p.at)
        .orderBy('expiresAt')
        .limit(1)
        .as('expiring'),
      eb
        .selectFrom('approvals')
        .select('id')
        .where('state', '=', 'pending')
        .where('escalateAt', 'is not', null)
        .where('escalateAt', '<=', p.at)
        .where('escalatedAt', 'is', null)
        .orderBy('escalateAt')
        .limit(1)
        .as('escalating'),
      eb
        .selectFrom('budgetWaits')
        .select('runId')
        .where('againAt', 'is not', null)
        .where('againAt', '<=', p.at)
        .orderBy('againAt')
        .limit(1)
        .as('freed'),
    ]),
)
