// Budgets for tests: made with few words, read back whole, with the audit facts that tell of them.

import { type BudgetId, newId, type RunId, type TenantId } from '../../src/base/ids.ts'
import { parseJson } from '../../src/base/json.ts'
import type { Dimensions } from '../../src/contract/money.ts'
import type { Balance, Budget } from '../../src/money/budgets/budget.ts'
import { insertBudget, type NewBudget } from '../../src/money/budgets/budget-store.ts'
import type { Reservation } from '../../src/runtime/budgets.ts'
import type { Database } from '../../src/storage/database.ts'
import { systemStatement } from '../../src/storage/statement.ts'

/** 2026-11-22 19:30 UTC. */
export const NOW = Date.UTC(2026, 10, 22, 19, 30)
export const NOBODY: Dimensions = {
  runId: null,
  agentId: null,
  workflowId: null,
  userId: null,
  apiKeyId: null,
  projectId: null,
}

/** A hard budget of 100 nano-USD a month on the tenant, but for what is given. */
export async function addBudget(
  db: Database,
  tenantId: TenantId,
  given: Partial<NewBudget> = {},
): Promise<BudgetId> {
  const id = given.id ?? newId('budget')
  const budget: NewBudget = {
    id,
    name: id,
    scopeType: 'tenant',
    scopeId: tenantId,
    mode: 'hard',
    limitNanos: 100n,
    period: 'month',
    timeZone: 'UTC',
    rollingMs: null,
    startsAt: null,
    endsAt: null,
    thresholds: [],
    onFailure: 'closed',
    state: 'active',
    revision: 1,
    createdBy: 'test',
    createdAt: NOW,
    updatedAt: NOW,
    ...given,
  }
  await db.tenant(tenantId).write((tx) => insertBudget(tx, budget))
  return id
}

/** A reservation of a run of its own, that may cost so much. */
export function reservation(worstNanos: bigint | undefined, given: Partial<Reservation> = {}): Reservation {
  const runId = given.of?.runId ?? newId('run')
  return {
    owner: `run:${runId}:1`,
    of: { ...NOBODY, runId },
    rootRunId: runId as RunId,
    worstNanos,
    estimateNanos: worstNanos ?? 0n,
    at: NOW,
    expiresAt: NOW + 60_000,
    ...given,
  }
}

export type StoredPeriod = Balance &
  Pick<Budget, 'startsAt' | 'endsAt'> & {
    readonly budgetId: BudgetId
    readonly periodKey: string
  }

export async function periodsOf(db: Database, tenantId: TenantId): Promise<readonly StoredPeriod[]> {
  return db.system.read((reader) => reader.all(selectPeriods, { tenantId }))
}

export async function holdsOf(db: Database, tenantId: TenantId) {
  return db.system.read((reader) => reader.all(selectHolds, { tenantId }))
}

/** What was told of budgets: type, the budget or hold, and its data. */
export async function toldOf(db: Database, tenantId: TenantId) {
  const rows = await db.system.read((reader) => reader.all(selectTold, { tenantId }))
  return rows.map(({ type, subject, data }) => ({ type, subject, data: parseJson(data) }))
}

const ALL = 'a test looks at everything'

const selectPeriods = systemStatement('test.budget-periods', ALL, (db, p: { readonly tenantId: TenantId }) =>
  db
    .selectFrom('budgetPeriods')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .orderBy('budgetId')
    .orderBy('startsAt'),
)
const selectHolds = systemStatement('test.budget-holds', ALL, (db, p: { readonly tenantId: TenantId }) =>
  db.selectFrom('budgetHolds').selectAll().where('tenantId', '=', p.tenantId).orderBy('id'),
)
const selectTold = systemStatement('test.budget-events', ALL, (db, p: { readonly tenantId: TenantId }) =>
  db
    .selectFrom('events')
    .select(['type', 'subject', 'data'])
    .where('tenantId', '=', p.tenantId)
    .where('type', 'like', 'budget.%')
    .orderBy('seq'),
)
