// The management of budgets, put together: what the API calls. What is reserved and settled is beside it.

import { archiveBudget, changeBudget, topUpBudget } from './manage/change-budget.ts'
import { createBudget } from './manage/create-budget.ts'
import type { ManagedBudgets } from './manage/managed-budget.ts'
import { budgetHistory, budgetPeriods, getBudget, listBudgets } from './manage/read-budgets.ts'
import type { ManageDeps } from './manage/record.ts'
import { transferBudget } from './manage/transfer-budget.ts'

export function createManagedBudgets(deps: ManageDeps): ManagedBudgets {
  return {
    create: (principal, input, context) => createBudget(deps, principal, input, context),
    get: (tenantId, id) => getBudget(deps, tenantId, id),
    list: (tenantId, page) => listBudgets(deps, tenantId, page),
    update: (principal, id, change, context) => changeBudget(deps, principal, id, change, context),
    topUp: (principal, id, input, context) => topUpBudget(deps, principal, id, input, context),
    transfer: (principal, id, input, context) => transferBudget(deps, principal, id, input, context),
    archive: (principal, id, context) => archiveBudget(deps, principal, id, context),
    history: (tenantId, id, page) => budgetHistory(deps, tenantId, id, page),
    periods: (tenantId, id, page) => budgetPeriods(deps, tenantId, id, page),
  }
}
