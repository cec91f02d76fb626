// What budgets have spent and hold in each period, in the database. The caller has locked the budgets' rows.

import { sql } from 'kysely'
import type { BudgetId } from '../../base/ids.ts'
import type { Nanos } from '../../base/money.ts'
import type { EpochMs } from '../../base/time.ts'
import type { TenantReader, TenantTransaction } from '../../storage/database.ts'
import { elementsOf } from '../../storage/dialect.ts'
import type { Dialect } from '../../storage/schema/dialect.ts'
import type { Bind } from '../../storage/statement.ts'
import { statement } from '../../storage/statement.ts'
import type { Balance, Bucket, Budget, InPeriod } from './budget.ts'
import { type Period, windowFrom, windowOf } from './budget-period.ts'

export interface PeriodChange {
  readonly budgetId: BudgetId
  readonly period: Period
  readonly heldNanos?: Nanos
  readonly settledNanos?: Nanos
  readonly extraNanos?: Nanos
}

export type PeriodBalance = Balance & {
  readonly budgetId: BudgetId
  readonly periodKey: string
  readonly endsAt: EpochMs
}

/** Adds to these periods, made where they are missing, all in one statement. The caller has locked the budgets. */
export function addToPeriods(
  tx: TenantTransaction,
  changes: readonly PeriodChange[],
  at: EpochMs,
): Promise<readonly PeriodBalance[]> {
  const rows = changes.map(({ budgetId, period, heldNanos = 0n, settledNanos = 0n, extraNanos = 0n }) => [
    budgetId,
    period.key,
    period.startsAt,
    period.endsAt,
    String(heldNanos),
    String(settledNanos),
    String(extraNanos),
  ])
  return tx.all(upsertPeriods, { periods: JSON.stringify(rows), at })
}

/** Raises the limit of one period (below zero: takes back). The caller has locked the budget. */
export async function addExtra(
  tx: TenantTransaction,
  budgetId: BudgetId,
  period: Period,
  extraNanos: Nanos,
  at: EpochMs,
): Promise<void> {
  await addToPeriods(tx, [{ budgetId, period, extraNanos }], at)
}

/** Adds to each of the periods of a hold, as `keysOf` wrote them. */
export function moveInPeriods(
  tx: TenantTransaction,
  keys: string,
  move: { readonly heldNanos: Nanos; readonly settledNanos: Nanos },
  at: EpochMs,
): Promise<readonly PeriodBalance[]> {
  const read = JSON.parse(keys) as readonly { readonly budget_id: BudgetId; readonly period_key: string }[]
  // The rows are there since the hold was made, and keep their times.
  const changes = read.map(({ budget_id, period_key }) => ({
    budgetId: budget_id,
    period: { key: period_key, startsAt: 0, endsAt: 0 },
    ...move,
  }))
  return addToPeriods(tx, changes, at)
}

export async function markCrossed(
  tx: TenantTransaction,
  mark: { readonly budgetId: BudgetId; readonly periodKey: string; readonly crossed: number },
): Promise<void> {
  await tx.run(setCrossed, mark)
}

/** What each budget has spent and holds: in its period, or where it is rolling in its window at that moment. */
export async function balancesOf(
  reader: TenantReader,
  budgets: readonly InPeriod[],
  at: EpochMs,
): Promise<ReadonlyMap<BudgetId, Balance>> {
  const rolling = budgets.filter(({ budget }) => budget.period === 'rolling').map(({ budget }) => budget)
  const calendar = budgets.filter(({ budget }) => budget.period !== 'rolling')
  const [ofPeriods, ofWindows] = await Promise.all([
    calendar.length === 0 ? [] : reader.all(periodBalances, { keys: keysOf(calendar) }),
    windowBalances(reader, rolling, at),
  ])
  const balances = new Map<BudgetId, Balance>(ofWindows.map((sums) => [sums.budgetId, sums]))
  for (const { budgetId, settledNanos, heldNanos, extraNanos, crossed } of ofPeriods) {
    // No row yet: nothing of it.
    balances.set(budgetId, {
      settledNanos: settledNanos ?? 0n,
      heldNanos: heldNanos ?? 0n,
      extraNanos: extraNanos ?? 0n,
      crossed: crossed ?? 0,
    })
  }
  return balances
}

/** The sums of the windows of rolling budgets. */
export async function windowBalances(
  reader: TenantReader,
  rolling: readonly Budget[],
  at: EpochMs,
): Promise<readonly (Balance & { readonly budgetId: BudgetId })[]> {
  if (rolling.length === 0) return []
  const windows = rolling.map((budget) => [budget.id, windowFrom(windowOf(budget), at)])
  return reader.all(sumWindows, { windows: JSON.stringify(windows) })
}

/** The parts of a rolling budget's window. */
export function bucketsOf(reader: TenantReader, budget: Budget, at: EpochMs): Promise<readonly Bucket[]> {
  return reader.all(selectBuckets, { budgetId: budget.id, from: windowFrom(windowOf(budget), at) })
}

/** As a hold keeps which periods it is in. */
export function keysOf(budgets: readonly InPeriod[]): string {
  return JSON.stringify(
    budgets.map(({ budget, period }) => ({ budget_id: budget.id, period_key: period.key })),
  )
}

interface GivenPeriod {
  budgetId: BudgetId
  periodKey: string
  startsAt: EpochMs
  endsAt: EpochMs
  heldNanos: Nanos
  settledNanos: Nanos
  extraNanos: Nanos
}

/** The table `given` of the periods that are bound as one JSON array of arrays; amounts are texts, which JSON keeps whole. */
function givenPeriods(dialect: Dialect, periods: string) {
  const rows = elementsOf(dialect, periods)
  return sql<GivenPeriod>`(select value->>0 as budget_id, value->>1 as period_key, cast(value->>2 as bigint) as starts_at, cast(value->>3 as bigint) as ends_at, cast(value->>4 as bigint) as held_nanos, cast(value->>5 as bigint) as settled_nanos, cast(value->>6 as bigint) as extra_nanos from ${rows})`.as(
    'given',
  )
}

/** The table `given` of periods by their keys. */
function givenKeys(dialect: Dialect, keys: string) {
  const rows = elementsOf(dialect, keys)
  return sql<
    Pick<GivenPeriod, 'budgetId' | 'periodKey'>
  >`(select value->>'budget_id' as budget_id, value->>'period_key' as period_key from ${rows})`.as('given')
}

/** The table `given` of rolling budgets and the moment after which their buckets count. */
function givenWindows(dialect: Dialect, windows: string) {
  const rows = elementsOf(dialect, windows)
  return sql<{
    budgetId: BudgetId
    from: EpochMs
  }>`(select value->>0 as budget_id, cast(value->>1 as bigint) as "from" from ${rows})`.as('given')
}

export const upsertPeriods = statement(
  'budget-periods.add',
  (db, p: Bind<{ periods: string; at: EpochMs }>, dialect) =>
    db
      .insertInto('budgetPeriods')
      .columns([
        'tenantId',
        'budgetId',
        'periodKey',
        'startsAt',
        'endsAt',
        'heldNanos',
        'settledNanos',
        'extraNanos',
        'crossed',
        'updatedAt',
      ])
      .expression((eb) =>
        eb
          .selectFrom(givenPeriods(dialect, p.periods))
          .select([
            eb.val(p.tenantId).as('tenantId'),
            'given.budgetId',
            'given.periodKey',
            'given.startsAt',
            'given.endsAt',
            'given.heldNanos',
            'given.settledNanos',
            'given.extraNanos',
            eb.lit(0).as('crossed'),
            eb.cast<number>(eb.val(p.at), 'bigint').as('updatedAt'),
          ])
          // SQLite reads an `on` after a table as that of a join, where no condition stands between.
          .where(sql<boolean>`(1 = 1)`),
      )
      .onConflict((conflict) =>
        conflict.columns(['tenantId', 'budgetId', 'periodKey']).doUpdateSet((eb) => ({
          heldNanos: eb('budgetPeriods.heldNanos', '+', eb.ref('excluded.heldNanos')),
          settledNanos: eb('budgetPeriods.settledNanos', '+', eb.ref('excluded.settledNanos')),
          extraNanos: eb('budgetPeriods.extraNanos', '+', eb.ref('excluded.extraNanos')),
          updatedAt: eb.ref('excluded.updatedAt'),
        })),
      )
      .returning(['budgetId', 'periodKey', 'endsAt', 'heldNanos', 'settledNanos', 'extraNanos', 'crossed']),
)

const setCrossed = statement(
  'budget-periods.set-crossed',
  (db, p: Bind<{ budgetId: BudgetId; periodKey: string; crossed: number }>) =>
    db
      .updateTable('budgetPeriods')
      .set({ crossed: p.crossed })
      .where('tenantId', '=', p.tenantId)
      .where('budgetId', '=', p.budgetId)
      .where('periodKey', '=', p.periodKey),
)

/** Each amount is looked up by itself, by the primary key: a join would rather read every period of the tenant. */
export const periodBalances = statement(
  'budget-periods.balances',
  (db, p: Bind<{ keys: string }>, dialect) => {
    const found = (column: 'heldNanos' | 'settledNanos' | 'extraNanos' | 'crossed') =>
      db
        .selectFrom('budgetPeriods')
        .select(column)
        .where('tenantId', '=', p.tenantId)
        .whereRef('budgetId', '=', sql.ref('given.budgetId'))
        .whereRef('periodKey', '=', sql.ref('given.periodKey'))
        .as(column)
    return db
      .selectFrom(givenKeys(dialect, p.keys))
      .select([
        'given.budgetId',
        found('heldNanos'),
        found('settledNanos'),
        found('extraNanos'),
        found('crossed'),
      ])
      .$castTo<{ readonly budgetId: BudgetId } & { readonly [C in keyof Balance]: Balance[C] | null }>()
  },
)

export const sumWindows = statement('budget-periods.windows', (db, p: Bind<{ windows: string }>, dialect) => {
  const inWindow = db
    .selectFrom('budgetPeriods')
    .where('tenantId', '=', p.tenantId)
    .whereRef('budgetId', '=', sql.ref('given.budgetId'))
    .whereRef('startsAt', '>', sql.ref('given.from'))
  const sumOf = (column: 'heldNanos' | 'settledNanos' | 'extraNanos') =>
    inWindow.select((eb) => eb.fn.coalesce(eb.fn.sum<bigint>(column), eb.lit(0)).as('sum')).as(column)
  return db
    .selectFrom(givenWindows(dialect, p.windows))
    .select([
      'given.budgetId',
      sumOf('heldNanos'),
      sumOf('settledNanos'),
      sumOf('extraNanos'),
      inWindow
        .select((eb) => eb.fn.coalesce(eb.fn.max<number>('crossed'), eb.lit(0)).as('most'))
        .as('crossed'),
    ])
    .$castTo<Balance & { readonly budgetId: BudgetId }>()
})

export const selectBuckets = statement(
  'budget-periods.buckets',
  (db, p: Bind<{ budgetId: BudgetId; from: EpochMs }>) =>
    db
      .selectFrom('budgetPeriods')
      .select(['endsAt', 'heldNanos', 'settledNanos', 'extraNanos'])
      .where('tenantId', '=', p.tenantId)
      .where('budgetId', '=', p.budgetId)
      .where('startsAt', '>', p.from)
      .orderBy('startsAt'),
)
