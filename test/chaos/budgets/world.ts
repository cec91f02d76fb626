// What the chaos of budgets plays on: tenants with budgets of every mode and period, a clock in which a day is a second,
// and a log that each actor keeps of what it spent, in the transaction that settles it.

import { newId, type ProjectId, type TenantId } from '../../../src/base/ids.ts'
import type { Dimensions } from '../../../src/contract/money.ts'
import type { NewBudget } from '../../../src/money/budgets/budget-store.ts'
import type { Database } from '../../../src/storage/database.ts'
import { type Bind, type SystemBind, statement, systemStatement } from '../../../src/storage/statement.ts'
import { addBudget, NOBODY, NOW } from '../../support/budgets.ts'

const DAY_MS = 86_400_000
/** A day of the play is a second of the machine's: periods end all the time. */
const SPEED = DAY_MS / 1_000
/** How wrong an actor's clock is at most, to either side, in the play's time. */
export const SKEW_MS = 3_600_000
/** How long a hold lasts that nobody settles. */
export const HOLD_MS = 2 * DAY_MS
/** Some fifteen reservations at once: limits are met all the time. */
export const LIMIT = 1_500n
export const AGENTS = ['agt_day', 'agt_ask', 'agt_rolling', 'agt_once', 'agt_free'] as const

/** The moment in the play. */
export function playTime(startedAt: number): number {
  return NOW + Math.floor((Date.now() - startedAt) * SPEED)
}

/** The same project in every process. */
export function projectOf(tenantId: TenantId): ProjectId {
  return tenantId.replace('ten_', 'prj_') as ProjectId
}

export async function makeTenants(db: Database, count: number): Promise<readonly TenantId[]> {
  const tenants = Array.from({ length: count }, () => newId('tenant'))
  for (const tenantId of tenants)
    for (const budget of budgetsOf(tenantId)) await addBudget(db, tenantId, budget)
  return tenants
}

function budgetsOf(tenantId: TenantId): readonly Partial<NewBudget>[] {
  const strict = { limitNanos: LIMIT, thresholds: [50, 80, 100] }
  return [
    { mode: 'soft', period: 'quarter', limitNanos: LIMIT, thresholds: [50, 80, 100] },
    {
      ...strict,
      scopeType: 'project',
      scopeId: projectOf(tenantId),
      limitNanos: LIMIT * 50n,
      period: 'month',
    },
    { ...strict, scopeType: 'agent', scopeId: 'agt_day', period: 'day', timeZone: 'America/St_Johns' },
    {
      ...strict,
      scopeType: 'agent',
      scopeId: 'agt_ask',
      mode: 'ask',
      period: 'week',
      timeZone: 'Asia/Kathmandu',
    },
    { ...strict, scopeType: 'agent', scopeId: 'agt_rolling', period: 'rolling', rollingMs: DAY_MS },
    { ...strict, scopeType: 'agent', scopeId: 'agt_once', period: 'once' },
    {
      mode: 'soft',
      scopeType: 'user',
      scopeId: 'usr_charged',
      period: 'day',
      limitNanos: 100n,
      thresholds: [50],
    },
  ]
}

export function dimensions(tenantId: TenantId, agentId: string): Dimensions {
  return { ...NOBODY, runId: newId('run'), agentId, projectId: projectOf(tenantId) }
}

export const CHARGED: Dimensions = { ...NOBODY, userId: 'usr_charged' }

/** An actor's log: a row for an owner, with what it spent. Told again, it stays. */
export const logSpent = statement(
  'budget-chaos.log',
  (db, p: Bind<{ readonly owner: string; readonly spent: number; readonly kind: 'settled' | 'charged' }>) =>
    db
      .insertInto('bodies')
      .values({ tenantId: p.tenantId, hash: p.owner, bytes: p.spent, content: p.kind, createdAt: 1 })
      .onConflict((conflict) => conflict.columns(['tenantId', 'hash']).doNothing()),
)

const ALL = 'a test looks at everything'

/** Periods of strict budgets that hold more than they may. */
export const overdrawn = systemStatement('budget-chaos.overdrawn', ALL, (db) =>
  db
    .selectFrom('budgetPeriods')
    .innerJoin('budgets', (join) =>
      join
        .onRef('budgets.tenantId', '=', 'budgetPeriods.tenantId')
        .onRef('budgets.id', '=', 'budgetPeriods.budgetId'),
    )
    .select(['budgets.id', 'periodKey', 'settledNanos', 'heldNanos', 'limitNanos', 'extraNanos'])
    .where('mode', '!=', 'soft')
    .where('period', '!=', 'rolling')
    .where((eb) =>
      eb(eb('settledNanos', '+', eb.ref('heldNanos')), '>', eb('limitNanos', '+', eb.ref('extraNanos'))),
    )
    .limit(5),
)

/** What rolling budgets hold by the start of their buckets, all of one moment. */
export const buckets = systemStatement(
  'budget-chaos.buckets',
  ALL,
  (db, p: SystemBind<{ readonly from: number }>) =>
    db
      .selectFrom('budgets')
      .innerJoin('budgetPeriods', (join) =>
        join
          .onRef('budgetPeriods.tenantId', '=', 'budgets.tenantId')
          .onRef('budgetPeriods.budgetId', '=', 'budgets.id'),
      )
      .select((eb) => [
        'budgets.id',
        'limitNanos',
        'budgetPeriods.startsAt',
        eb('settledNanos', '+', eb.ref('heldNanos')).as('usedNanos'),
      ])
      .where('period', '=', 'rolling')
      .where('budgetPeriods.startsAt', '>', p.from),
)

/** Below nothing, which nobody ever holds or has spent. */
export const negative = systemStatement('budget-chaos.negative', ALL, (db) =>
  db
    .selectFrom('budgetPeriods')
    .select(['budgetId', 'periodKey', 'settledNanos', 'heldNanos'])
    .where((eb) => eb.or([eb('settledNanos', '<', 0n), eb('heldNanos', '<', 0n)]))
    .limit(5),
)

export const periodSums = systemStatement('budget-chaos.period-sums', ALL, (db) =>
  db
    .selectFrom('budgetPeriods')
    .select((eb) => ['budgetId', 'periodKey', 'settledNanos', 'heldNanos', eb.lit(0).as('unused')]),
)

/** What holds say that each set of periods has spent, by how they ended. */
export const holdSums = systemStatement('budget-chaos.hold-sums', ALL, (db) =>
  db
    .selectFrom('budgetHolds')
    .select((eb) => [
      'budgets',
      'state',
      eb.fn.countAll<number>().as('count'),
      eb.fn.sum<bigint>('settledNanos').as('settledNanos'),
    ])
    .groupBy(['budgets', 'state']),
)

/** Holds that were settled with another amount than their owner's log says, or without a line in it. */
export const unlogged = systemStatement('budget-chaos.unlogged', ALL, (db) =>
  db
    .selectFrom('budgetHolds')
    .leftJoin('bodies', (join) =>
      join
        .onRef('bodies.tenantId', '=', 'budgetHolds.tenantId')
        .onRef('bodies.hash', '=', 'budgetHolds.owner'),
    )
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('state', '=', 'settled')
    .where((eb) => eb.or([eb('bytes', 'is', null), eb('bytes', '!=', eb.ref('settledNanos') as never)])),
)

/** Lines of the logs without a hold that was settled. */
export const unsettled = systemStatement('budget-chaos.unsettled', ALL, (db) =>
  db
    .selectFrom('bodies')
    .leftJoin('budgetHolds', (join) =>
      join
        .onRef('bodies.tenantId', '=', 'budgetHolds.tenantId')
        .onRef('bodies.hash', '=', 'budgetHolds.owner')
        .on('budgetHolds.state', '=', 'settled'),
    )
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('content', '=', 'settled')
    .where('budgetHolds.id', 'is', null),
)

export const logSums = systemStatement('budget-chaos.log-sums', ALL, (db) =>
  db
    .selectFrom('bodies')
    .select((eb) => [
      'content',
      eb.fn.countAll<number>().as('count'),
      eb.fn.sum<bigint>('bytes').as('spentNanos'),
    ])
    .groupBy('content'),
)

export const chargedBudget = systemStatement('budget-chaos.charged', ALL, (db) =>
  db
    .selectFrom('budgetPeriods')
    .innerJoin('budgets', (join) =>
      join
        .onRef('budgets.tenantId', '=', 'budgetPeriods.tenantId')
        .onRef('budgets.id', '=', 'budgetPeriods.budgetId'),
    )
    .select((eb) => eb.fn.sum<bigint>('settledNanos').as('settledNanos'))
    .where('scopeType', '=', 'user'),
)

/** Thresholds of calendar budgets that were told of more than once in a period. */
export const crossings = systemStatement('budget-chaos.crossings', ALL, (db) =>
  db.selectFrom('events').select(['subject', 'data']).where('type', '=', 'budget.crossed'),
)

export const rollingIds = systemStatement('budget-chaos.rolling', ALL, (db) =>
  db.selectFrom('budgets').select('id').where('period', '=', 'rolling'),
)
