// What every change of a budget shares: who waits in line, who finds it, and how it is told of in the audit log.

import { AppError } from '../../../base/errors.ts'
import type { BudgetId } from '../../../base/ids.ts'
import type { JsonObject } from '../../../base/json.ts'
import { formatUsd } from '../../../base/money.ts'
import type { Clock, EpochMs } from '../../../base/time.ts'
import type { AuditEventType } from '../../../contract/event.ts'
import { actorOf, type Principal } from '../../../contract/principal.ts'
import { appendAudit } from '../../../events/append.ts'
import type { Database, TenantReader, TenantTransaction } from '../../../storage/database.ts'
import { lockText } from '../../../storage/dialect.ts'
import { type Bind, statement } from '../../../storage/statement.ts'
import type { Budget } from '../budget.ts'
import { lockBudgets, waitersOf } from '../budget-store.ts'
import type { Freed } from '../holds/end-hold.ts'
import { type ChangeContext, type DetailedBudget, WAITS_SHOWN_MAX } from './managed-budget.ts'
import { scopeNames } from './scope-names.ts'
import { standingNow } from './standing-now.ts'

export interface ManageDeps {
  readonly db: Database
  readonly clock: Clock
  /** These budgets have more room, or are gone: who waits for them tries again. */
  readonly freed: Freed
}

/** Who changes what, and when. */
export interface Change {
  readonly principal: Principal
  readonly context: ChangeContext
  readonly at: EpochMs
}

/** Those who add or rename a budget stand in line, so that counts and names are true. */
export async function standInLine(tx: TenantTransaction): Promise<void> {
  await tx.first(lockNames, { key: JSON.stringify(['budgets', tx.tenantId]) })
}

const lockNames = statement('budgets.lock-names', (db, p: Bind<{ readonly key: string }>, dialect) =>
  db.selectNoFrom(lockText(dialect, p.key).as('locked')),
)

export function notFound(id: BudgetId): AppError {
  return new AppError('budget.not-found', `There is no budget "${id}".`)
}

export function nameTaken(name: string): AppError {
  return new AppError('budget.name-taken', `There is a budget "${name}" already; take another name.`)
}

/** The budget, locked until the transaction ends. Throws where it is not there, or archived. */
export async function lockActive(tx: TenantTransaction, id: BudgetId): Promise<Budget> {
  const [budget] = await lockBudgets(tx, [id])
  return requireActive(budget, id)
}

export function requireActive(budget: Budget | undefined, id: BudgetId): Budget {
  if (budget === undefined) throw notFound(id)
  if (budget.state === 'archived')
    throw new AppError('budget.archived', `The budget "${budget.name}" is archived; create another.`)
  return budget
}

export async function detailOf(reader: TenantReader, budget: Budget, at: EpochMs): Promise<DetailedBudget> {
  const now = await standingNow(reader, budget, at)
  const scopeName = (await scopeNames(reader, [budget])).get(budget.scopeId)
  return { budget, scopeName, now, waiting: await waitersOf(reader, [budget.id], WAITS_SHOWN_MAX) }
}

export async function audit(
  tx: TenantTransaction,
  { principal, context, at }: Change,
  fact: { readonly type: AuditEventType; readonly subject: BudgetId; readonly data: JsonObject },
): Promise<void> {
  await appendAudit(tx, { ...fact, actor: actorOf(principal), requestId: context.requestId, at })
}

/** What of a budget may change, as the audit log tells it. */
export function termsOf(budget: Budget): JsonObject {
  const { name, mode, limitNanos, thresholds, onFailure, state } = budget
  return { name, mode, limitUsd: formatUsd(limitNanos), thresholds, onFailure: onFailure, state }
}

/** Only what differs, as `{"before", "after"}`. */
export function differences(before: Budget, after: Budget): JsonObject {
  const [was, is] = [termsOf(before), termsOf(after)]
  const changed = Object.keys(is).filter((key) => JSON.stringify(was[key]) !== JSON.stringify(is[key]))
  const only = (terms: JsonObject): JsonObject =>
    Object.fromEntries(changed.map((key) => [key, terms[key] ?? null]))
  return changed.length === 0 ? {} : { before: only(was), after: only(is) }
}
