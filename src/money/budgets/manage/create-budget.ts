// A budget is set. What it is on has to be there; what it says is checked field by field.

import { AppError } from '../../../base/errors.ts'
import { newId } from '../../../base/ids.ts'
import { formatTime } from '../../../base/time.ts'
import type { CreateBudget } from '../../../contract/budget.ts'
import { durationMs } from '../../../contract/duration.ts'
import type { BudgetScope } from '../../../contract/money.ts'
import { actorOf, type Principal } from '../../../contract/principal.ts'
import type { TenantTransaction } from '../../../storage/database.ts'
import { type Bind, statement } from '../../../storage/statement.ts'
import type { Budget } from '../budget.ts'
import { insertBudget } from '../budget-store.ts'
import { findScope } from './budget-scope.ts'
import { createErrors, nanosOf, THRESHOLDS_DEFAULT, throwAll, timeOrNull } from './budget-terms.ts'
import {
  BUDGETS_PER_SCOPE_MAX,
  BUDGETS_PER_TENANT_MAX,
  type ChangeContext,
  type DetailedBudget,
} from './managed-budget.ts'
import { audit, detailOf, type ManageDeps, nameTaken, standInLine, termsOf } from './record.ts'

export async function createBudget(
  { db, clock }: ManageDeps,
  principal: Principal,
  input: CreateBudget,
  context: ChangeContext,
): Promise<DetailedBudget> {
  const at = clock()
  const errors = createErrors(input, at)
  const limitNanos = nanosOf(input.limitUsd, '/limit_usd')
  return db.tenant(principal.tenantId).write(async (tx) => {
    await standInLine(tx)
    const scope = await findScope(tx, input.scope)
    throwAll(scope.ok ? errors : [scope.error, ...errors])
    const scopeId = scope.ok ? scope.id : ''
    await checkCounts(tx, input.scope.type, scopeId)
    const budget: Budget = {
      id: newId('budget', at),
      name: input.name,
      scopeType: input.scope.type,
      scopeId,
      mode: input.mode ?? 'hard',
      limitNanos,
      period: input.period,
      timeZone: input.timeZone ?? 'UTC',
      rollingMs: input.window === undefined ? null : durationMs(input.window),
      startsAt: timeOrNull(input.startsAt),
      endsAt: timeOrNull(input.endsAt),
      thresholds: input.thresholds ?? THRESHOLDS_DEFAULT,
      onFailure: input.onFailure ?? 'closed',
      state: 'active',
      revision: 1,
      createdBy: actorOf(principal),
      createdAt: at,
      updatedAt: at,
    }
    if (!(await insertBudget(tx, budget))) throw nameTaken(budget.name)
    const change = { principal, context, at }
    await audit(tx, change, { type: 'budget.created', subject: budget.id, data: { after: whole(budget) } })
    await context.inTransaction?.(tx, budget.id)
    return detailOf(tx, budget, at)
  })
}

/** With what never changes. */
function whole(budget: Budget) {
  const { scopeType, scopeId, period, timeZone, rollingMs, startsAt, endsAt } = budget
  return {
    ...termsOf(budget),
    scope: { type: scopeType, id: scopeId },
    period,
    timeZone,
    rollingMs,
    startsAt: startsAt === null ? null : formatTime(startsAt),
    endsAt: endsAt === null ? null : formatTime(endsAt),
  }
}

async function checkCounts(tx: TenantTransaction, scopeType: BudgetScope, scopeId: string): Promise<void> {
  const ofTenant = Number((await tx.first(countActive, {}))?.count ?? 0)
  if (ofTenant >= BUDGETS_PER_TENANT_MAX) throw tooMany(`The tenant has ${ofTenant} budgets`)
  const ofScope = Number((await tx.first(countOfScope, { scopeType, scopeId }))?.count ?? 0)
  if (ofScope >= BUDGETS_PER_SCOPE_MAX) throw tooMany(`There are ${ofScope} budgets on this ${scopeType}`)
}

function tooMany(which: string): AppError {
  return new AppError('request.invalid', `${which} already, which is the most; archive some.`)
}

const countActive = statement('budgets.count', (db, p: Bind<object>) =>
  db
    .selectFrom('budgets')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('tenantId', '=', p.tenantId)
    .where('state', '=', 'active'),
)

const countOfScope = statement(
  'budgets.count-of-scope',
  (db, p: Bind<{ readonly scopeType: BudgetScope; readonly scopeId: string }>) =>
    db
      .selectFrom('budgets')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('tenantId', '=', p.tenantId)
      .where('scopeType', '=', p.scopeType)
      .where('scopeId', '=', p.scopeId)
      .where('state', '=', 'active'),
)
