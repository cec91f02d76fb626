// What is on record once it is quiet: what was promised, counted.

import type { Database } from '../../../src/storage/database.ts'
import { systemStatement } from '../../../src/storage/statement.ts'

const ALL = 'a test looks at everything'
const runs = systemStatement('verdict.runs', ALL, (db) =>
  db.selectFrom('runs').select(['id', 'state', 'kind', 'parentRunId', 'errorCode', 'startedAt']),
)
const steps = systemStatement('verdict.steps', ALL, (db) =>
  db.selectFrom('steps').select(['runId', 'seq', 'kind', 'state']),
)
const modelCalls = systemStatement('verdict.model-calls', ALL, (db) =>
  db.selectFrom('modelCalls').select(['id', 'runId', 'step']),
)
const usage = systemStatement('verdict.usage', ALL, (db) =>
  db.selectFrom('usageRecords').select(['modelCallId', 'runId', 'kind']),
)
const holds = systemStatement('verdict.holds', ALL, (db) =>
  db.selectFrom('budgetHolds').select(['owner']).where('state', '=', 'held'),
)
const heldPeriods = systemStatement('verdict.held-periods', ALL, (db) =>
  db.selectFrom('budgetPeriods').select(['budgetId']).where('heldNanos', '!=', 0n),
)
const waits = systemStatement('verdict.budget-waits', ALL, (db) =>
  db.selectFrom('budgetWaits').select(['runId']),
)
const ends = systemStatement('verdict.ends', ALL, (db) =>
  db
    .selectFrom('events')
    .select(['runId'])
    .where('type', 'in', ['run.completed', 'run.failed', 'run.cancelled']),
)
const openJobs = systemStatement('verdict.jobs', ALL, (db) =>
  db.selectFrom('jobs').select(['id', 'state']).where('state', 'not in', ['done', 'cancelled', 'dead']),
)

const RUN_KINDS: ReadonlySet<string> = new Set(['agent_run', 'workflow_run'])
const ENDED = new Set(['completed', 'failed', 'cancelled'])

/** All but `accepted`, `completed` and `asked` must be zero. */
export interface Verdict {
  readonly accepted: number
  readonly completed: number
  /** Accepted, and not on record. */
  readonly lost: number
  /** `once` effects made more often than a person allowed. */
  readonly repeatedEffects: number
  /** Attempts at a model with more than one usage record, and steps with more than one attempt on record. */
  readonly doubleBilled: number
  /** Attempts that have none. */
  readonly unbilled: number
  /** Runs that began and ended with more or less than one record of that. */
  readonly runsMiscounted: number
  /** Money that is set aside for nobody, and runs that have ended and wait for a budget. */
  readonly heldOver: number
  /** Runs that have not ended, steps and jobs left open. */
  readonly stuck: number
  /** Runs with more or less than one final event. */
  readonly endedTwice: number
  /** Runs that failed for a reason inside the platform. */
  readonly internal: number
}

export const MUST_BE_ZERO = [
  'lost',
  'repeatedEffects',
  'doubleBilled',
  'unbilled',
  'runsMiscounted',
  'heldOver',
  'stuck',
  'endedTwice',
  'internal',
] as const satisfies readonly (keyof Verdict)[]

export async function judge(
  db: Database,
  accepted: ReadonlySet<string>,
  effects: readonly string[],
  allowedAgain: ReadonlyMap<string, number>,
): Promise<Verdict> {
  const found = await db.system.read(async (reader) => ({
    runs: await reader.all(runs, {}),
    steps: await reader.all(steps, {}),
    modelCalls: await reader.all(modelCalls, {}),
    usage: await reader.all(usage, {}),
    ends: await reader.all(ends, {}),
    openJobs: await reader.all(openJobs, {}),
    holds: await reader.all(holds, {}),
    heldPeriods: await reader.all(heldPeriods, {}),
    waits: await reader.all(waits, {}),
  }))
  const known = new Set<string>(found.runs.map(({ id }) => id))
  const endings = countBy(found.ends.map(({ runId }) => runId ?? ''))
  const bills = countBy(found.usage.flatMap(({ modelCallId }) => modelCallId ?? []))
  const counted = countBy(
    found.usage.filter(({ kind }) => RUN_KINDS.has(kind)).map(({ runId }) => runId ?? ''),
  )
  const attempts = countBy(found.modelCalls.map(({ runId, step }) => `${runId}:${step}`))
  const open = found.runs.filter(({ state }) => !ENDED.has(state))
  const openSteps = found.steps.filter(({ state }) => ['intended', 'approved', 'waiting'].includes(state))
  const made = countBy(effects)
  return {
    accepted: accepted.size,
    completed: found.runs.filter(({ id, state }) => accepted.has(id) && state === 'completed').length,
    lost: [...accepted].filter((id) => !known.has(id)).length,
    repeatedEffects: [...made].filter(([key, times]) => times > 1 + (allowedAgain.get(key) ?? 0)).length,
    doubleBilled: over(bills) + over(attempts),
    unbilled: found.modelCalls.filter(({ id }) => !bills.has(id)).length,
    runsMiscounted: found.runs.filter(
      ({ id, state, startedAt }) =>
        ENDED.has(state) && (counted.get(id) ?? 0) !== (startedAt === null ? 0 : 1),
    ).length,
    heldOver: found.holds.length + found.heldPeriods.length + found.waits.length,
    stuck: open.length + openSteps.length + found.openJobs.length,
    endedTwice: found.runs.filter(({ id, state }) => ENDED.has(state) && endings.get(id) !== 1).length,
    internal: found.runs.filter(({ errorCode }) => errorCode === 'internal' || errorCode === 'run.lost')
      .length,
  }
}

function countBy(keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}

function over(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].filter((times) => times > 1).length
}
