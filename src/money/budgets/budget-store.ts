// Budgets in the database. SQL in, types out; no decision about money. Who changes what a budget has spent or holds
// locks the budget's row first (in the order of ids), then reads its periods (period-store.ts): what it reads is then true.

import { type Kysely, type SqlBool, sql } from 'kysely'
import type { ApiKeyId, BudgetId, ProjectId, RunId } from '../../base/ids.ts'
import type { BudgetScope, Dimensions } from '../../contract/money.ts'
import type { TenantReader, TenantTransaction } from '../../storage/database.ts'
import { forNoKeyUpdate, isOneOf } from '../../storage/dialect.ts'
import type { Dialect } from '../../storage/schema/dialect.ts'
import type { NewRowOf, RowOf } from '../../storage/schema/tables.ts'
import type { Bind, Tables } from '../../storage/statement.ts'
import { statement } from '../../storage/statement.ts'
import { type Budget, budgetOf } from './budget.ts'

export type NewBudget = Omit<NewRowOf<'budgets'>, 'tenantId' | 'thresholds'> & {
  readonly thresholds: readonly number[]
}
/** What a change of a budget may change: never its scope, period, time zone or window, which its periods are counted by. */
export type BudgetChange = Pick<
  NewBudget,
  'id' | 'name' | 'mode' | 'limitNanos' | 'thresholds' | 'onFailure' | 'state' | 'updatedAt'
>

/** Adds the budget. False where an active one has its name. */
export async function insertBudget(tx: TenantTransaction, budget: NewBudget): Promise<boolean> {
  return (await tx.run(insertRow, { ...budget, thresholds: JSON.stringify(budget.thresholds) })) > 0
}

/** Changes the budget, and counts its revision up. The caller has locked it. */
export async function updateBudget(tx: TenantTransaction, change: BudgetChange): Promise<void> {
  await tx.run(updateRow, { ...change, thresholds: JSON.stringify(change.thresholds) })
}

/** Locks these budgets until the transaction ends, and answers them in the order of their ids, whatever their state. */
export async function lockBudgets(
  tx: TenantTransaction,
  ids: readonly BudgetId[],
): Promise<readonly Budget[]> {
  return (await tx.all(lockByIds, { ids: JSON.stringify(ids) })).map(budgetOf)
}

export async function budgetById(reader: TenantReader, id: BudgetId): Promise<Budget | undefined> {
  const row = await reader.first(selectById, { id })
  return row === undefined ? undefined : budgetOf(row)
}

/** The active budget of that name. */
export async function budgetByName(reader: TenantReader, name: string): Promise<Budget | undefined> {
  const row = await reader.first(selectByName, { name })
  return row === undefined ? undefined : budgetOf(row)
}

export interface BudgetFilter {
  readonly scopeType?: BudgetScope | undefined
  readonly scopeId?: string | undefined
  readonly state?: Budget['state'] | undefined
  /** Those older than this one. */
  readonly before?: BudgetId | undefined
  readonly limit: number
}

/** Budgets, the newest first. */
export async function listBudgetRows(
  reader: TenantReader,
  { scopeType, scopeId, state, before, limit }: BudgetFilter,
): Promise<readonly Budget[]> {
  const rows = await reader.query((db, tenantId) => {
    let query = db.selectFrom('budgets').selectAll().where('tenantId', '=', tenantId)
    if (scopeType !== undefined) query = query.where('scopeType', '=', scopeType)
    if (scopeId !== undefined) query = query.where('scopeId', '=', scopeId)
    if (state !== undefined) query = query.where('state', '=', state)
    if (before !== undefined) query = query.where('id', '<', before)
    return query.orderBy('id', 'desc').limit(limit)
  })
  return rows.map(budgetOf)
}

/** The active budgets of what a cost belongs to, locked until the transaction ends, in the order of their ids. */
export async function lockApplicable(
  tx: TenantTransaction,
  of: Dimensions,
  rootRunId: RunId | null,
): Promise<readonly Budget[]> {
  return (await tx.all(lockByScopes, scopesOf(tx, of, rootRunId))).map(budgetOf)
}

/** The same, without a lock. */
export async function applicableBudgets(
  reader: TenantReader,
  of: Dimensions,
  rootRunId: RunId | null,
): Promise<readonly Budget[]> {
  return (await reader.all(selectByScopes, scopesOf(reader, of, rootRunId))).map(budgetOf)
}

export type BudgetWait = Omit<RowOf<'budgetWaits'>, 'tenantId'>
/** How many of those who wait are answered at once. */
export const WAITERS_MAX = 1_000

/** Those who wait for one of these budgets, who came first first. */
export function waitersOf(
  reader: TenantReader,
  budgetIds: readonly BudgetId[],
  limit: number = WAITERS_MAX,
): Promise<readonly BudgetWait[]> {
  return reader.all(selectWaiters, { ids: JSON.stringify(budgetIds), limit })
}

interface Scopes {
  readonly tenantScope: string
  readonly projectId: ProjectId | ''
  readonly agentId: string
  readonly workflowId: string
  readonly userId: string
  readonly apiKeyId: ApiKeyId | ''
  readonly runId: RunId | ''
  readonly rootRunId: RunId | ''
}

/** No scope has an empty id, so that one which is not given finds nothing. */
function scopesOf({ tenantId }: TenantReader, of: Dimensions, rootRunId: RunId | null): Scopes {
  return {
    tenantScope: tenantId,
    projectId: of.projectId ?? '',
    agentId: of.agentId ?? '',
    workflowId: of.workflowId ?? '',
    userId: of.userId ?? '',
    apiKeyId: of.apiKeyId ?? '',
    runId: of.runId ?? '',
    rootRunId: rootRunId ?? '',
  }
}

type NewRow = Omit<NewRowOf<'budgets'>, 'tenantId'>

const insertRow = statement('budgets.insert', (db, p: Bind<NewRow>) =>
  db
    .insertInto('budgets')
    .values({
      tenantId: p.tenantId,
      id: p.id,
      name: p.name,
      scopeType: p.scopeType,
      scopeId: p.scopeId,
      mode: p.mode,
      limitNanos: p.limitNanos,
      period: p.period,
      timeZone: p.timeZone,
      rollingMs: p.rollingMs,
      startsAt: p.startsAt,
      endsAt: p.endsAt,
      thresholds: p.thresholds,
      onFailure: p.onFailure,
      state: p.state,
      revision: p.revision,
      createdBy: p.createdBy,
      createdAt: p.createdAt,
      updatedAt: p.updatedAt,
    })
    .onConflict((conflict) => conflict.doNothing()),
)

const updateRow = statement(
  'budgets.update',
  (
    db,
    p: Bind<
      Pick<NewRow, 'id' | 'name' | 'mode' | 'limitNanos' | 'thresholds' | 'onFailure' | 'state' | 'updatedAt'>
    >,
  ) =>
    db
      .updateTable('budgets')
      .set((eb) => ({
        name: p.name,
        mode: p.mode,
        limitNanos: p.limitNanos,
        thresholds: p.thresholds,
        onFailure: p.onFailure,
        state: p.state,
        revision: eb('revision', '+', 1),
        updatedAt: p.updatedAt,
      }))
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id),
)

export const lockByIds = statement('budgets.lock', (db, p: Bind<{ ids: string }>, dialect) =>
  forNoKeyUpdate(dialect)(
    db
      .selectFrom('budgets')
      .selectAll()
      .where('tenantId', '=', p.tenantId)
      .where((eb) => isOneOf(dialect, eb.ref('id'), p.ids))
      .orderBy('id'),
  ),
)

const selectById = statement('budgets.get', (db, p: Bind<{ id: BudgetId }>) =>
  db.selectFrom('budgets').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

const selectByName = statement('budgets.by-name', (db, p: Bind<{ name: string }>) =>
  db
    .selectFrom('budgets')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('name', '=', p.name)
    .where('state', '=', 'active'),
)

/**
 * The ids of the budgets of each scope, found one by one in the index: in one condition with an "or" the databases would
 * rather read every budget of the tenant.
 */
function idsByScope(db: Kysely<Tables>, p: Bind<Scopes>) {
  const on = (type: BudgetScope, id: string) =>
    db
      .selectFrom('budgets')
      .select('id')
      .where('tenantId', '=', p.tenantId)
      .where('state', '=', 'active')
      .where('scopeType', '=', type)
      .where('scopeId', '=', id)
  return on('tenant', p.tenantScope)
    .unionAll(on('project', p.projectId))
    .unionAll(on('agent', p.agentId))
    .unionAll(on('workflow', p.workflowId))
    .unionAll(on('user', p.userId))
    .unionAll(on('key', p.apiKeyId))
    .unionAll(on('run', p.runId))
    .unionAll(on('run', p.rootRunId))
}

function byScopes(db: Kysely<Tables>, p: Bind<Scopes>, dialect: Dialect) {
  const ids = idsByScope(db, p)
  return db
    .selectFrom('budgets')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where((eb) =>
      dialect === 'sqlite' ? eb('id', 'in', ids) : sql<SqlBool>`(${eb.ref('id')} = any (array(${ids})))`,
    )
    .where('state', '=', 'active')
    .orderBy('id')
}

export const lockByScopes = statement('budgets.lock-applicable', (db, p: Bind<Scopes>, dialect) =>
  forNoKeyUpdate(dialect)(byScopes(db, p, dialect)),
)

export const selectByScopes = statement('budgets.applicable', (db, p: Bind<Scopes>, dialect) =>
  byScopes(db, p, dialect),
)

export const selectWaiters = statement(
  'budget-waits.of-budgets',
  (db, p: Bind<{ ids: string; limit: number }>, dialect) =>
    db
      .selectFrom('budgetWaits')
      .select(['runId', 'step', 'budgetId', 'neededNanos', 'againAt', 'createdAt'])
      .where('tenantId', '=', p.tenantId)
      .where((eb) => isOneOf(dialect, eb.ref('budgetId'), p.ids))
      .orderBy('createdAt')
      .orderBy('runId')
      .limit(p.limit),
)
