// Budgets as they are read: one, a page of them, and what is on record of one.

import { AppError } from '../../../base/errors.ts'
import type { BudgetId, TenantId } from '../../../base/ids.ts'
import { parseJson } from '../../../base/json.ts'
import type { TenantReader } from '../../../storage/database.ts'
import { type Bind, statement } from '../../../storage/statement.ts'
import { budgetById, listBudgetRows } from '../budget-store.ts'
import { scopeIdOf } from './budget-scope.ts'
import type {
  Asked,
  BudgetFact,
  BudgetFilter,
  BudgetPeriodRow,
  DetailedBudget,
  Found,
  ManagedBudget,
} from './managed-budget.ts'
import { detailOf, type ManageDeps, notFound } from './record.ts'
import { scopeNames } from './scope-names.ts'
import { standingsNow } from './standing-now.ts'

export function getBudget(
  { db, clock }: ManageDeps,
  tenantId: TenantId,
  id: BudgetId,
): Promise<DetailedBudget> {
  return db.tenant(tenantId).read(async (reader) => {
    const budget = await budgetById(reader, id)
    if (budget === undefined) throw notFound(id)
    return detailOf(reader, budget, clock())
  })
}

export function listBudgets(
  { db, clock }: ManageDeps,
  tenantId: TenantId,
  { limit, cursor, scopeType, scopeId, state }: Asked & BudgetFilter,
): Promise<Found<ManagedBudget>> {
  return db.tenant(tenantId).read(async (reader) => {
    const id = scopeId === undefined ? undefined : await scopeIdOf(reader, scopeType, scopeId)
    const before = cursor as BudgetId | undefined
    const rows = await listBudgetRows(reader, { scopeType, scopeId: id, state, before, limit: limit + 1 })
    const shown = rows.slice(0, limit)
    const names = await scopeNames(reader, shown)
    const standings = await standingsNow(reader, shown, clock())
    return {
      items: shown.map((budget) => ({
        budget,
        scopeName: names.get(budget.scopeId),
        now: standings.get(budget.id),
      })),
      nextCursor: rows.length > limit ? shown.at(-1)?.id : undefined,
    }
  })
}

/** The audit facts of a budget, newest first. */
export function budgetHistory(
  { db }: ManageDeps,
  tenantId: TenantId,
  id: BudgetId,
  { limit, cursor }: Asked,
): Promise<Found<BudgetFact>> {
  const before = placeOf(cursor)
  return db.tenant(tenantId).read(async (reader) => {
    await requireThere(reader, id)
    const rows = await reader.all(factsOf, { subject: id, before, limit: limit + 1 })
    const items = rows.slice(0, limit).map((row) => ({ ...row, data: factData(row.data) }))
    const last = items.at(-1)
    return { items, nextCursor: rows.length > limit && last ? String(last.seq) : undefined }
  })
}

/** What it spent in its periods (of a rolling budget: in the parts of its window), newest first. */
export function budgetPeriods(
  { db }: ManageDeps,
  tenantId: TenantId,
  id: BudgetId,
  { limit, cursor }: Asked,
): Promise<Found<BudgetPeriodRow>> {
  const before = placeOf(cursor)
  return db.tenant(tenantId).read(async (reader) => {
    await requireThere(reader, id)
    const rows = await reader.all(periodsOf, { budgetId: id, before, limit: limit + 1 })
    const items = rows.slice(0, limit)
    const last = items.at(-1)
    return { items, nextCursor: rows.length > limit && last ? String(last.startsAt) : undefined }
  })
}

async function requireThere(reader: TenantReader, id: BudgetId): Promise<void> {
  if ((await budgetById(reader, id)) === undefined) throw notFound(id)
}

function placeOf(cursor: string | undefined): number {
  const place = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor)
  if (Number.isSafeInteger(place)) return place
  throw new AppError('cursor.invalid', 'The cursor is not one of this list. Begin again without a cursor.')
}

function factData(json: string): BudgetFact['data'] {
  return parseJson(json) as BudgetFact['data']
}

const factsOf = statement(
  'events.of-budget',
  (db, p: Bind<{ readonly subject: BudgetId; readonly before: number; readonly limit: number }>) =>
    db
      .selectFrom('events')
      .select(['seq', 'type', 'actor', 'data', 'requestId', 'occurredAt'])
      .where('tenantId', '=', p.tenantId)
      .where('audit', '=', 1)
      .where('subject', '=', p.subject)
      .where('seq', '<', p.before)
      .orderBy('seq', 'desc')
      .limit(p.limit),
)

const periodsOf = statement(
  'budget-periods.list',
  (db, p: Bind<{ readonly budgetId: BudgetId; readonly before: number; readonly limit: number }>) =>
    db
      .selectFrom('budgetPeriods')
      .selectAll()
      .where('tenantId', '=', p.tenantId)
      .where('budgetId', '=', p.budgetId)
      .where('startsAt', '<', p.before)
      .orderBy('startsAt', 'desc')
      .limit(p.limit),
)
