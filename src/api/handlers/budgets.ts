import type { BudgetId } from '../../base/ids.ts'
import type { ApiDeps } from '../api-deps.ts'
import { created, type Handlers, NO_CONTENT, ok } from '../call.ts'
import { idOf } from '../id-of.ts'
import { type InTransaction, type KeyedCall, once } from '../idempotency.ts'
import { page } from '../paging.ts'
import { budgetDetailView, budgetEventView, budgetPeriodView, budgetView } from '../views/budget-view.ts'

type BudgetRoutes = typeof import('../../contract/routes/budgets.ts').budgetRoutes
type Detailed = Parameters<typeof budgetDetailView>[0]

export function budgetHandlers(deps: ApiDeps): Pick<Handlers, keyof BudgetRoutes> {
  const { budgets } = deps.money
  /** A change of one budget, made once for a key: the second time the budget is answered as it is now. */
  const changedOnce = (
    call: KeyedCall,
    change: (context: {
      readonly requestId: string
      readonly inTransaction: InTransaction | undefined
    }) => Promise<Detailed>,
  ) =>
    once(deps.idempotency, call, {
      status: 200,
      make: async (inTransaction) =>
        ok(budgetDetailView(await change({ requestId: call.request.requestId, inTransaction }))),
      again: async (id) => ok(budgetDetailView(await budgets.get(call.principal.tenantId, budgetOf({ id })))),
    })

  return {
    createBudget: (call) => {
      const { principal, body, request } = call
      return once(deps.idempotency, call, {
        status: 201,
        make: async (inTransaction) => {
          const made = await budgets.create(principal, body, { requestId: request.requestId, inTransaction })
          return created(budgetDetailView(made), locationOf(made.budget.id))
        },
        again: async (id) => {
          const made = await budgets.get(principal.tenantId, budgetOf({ id }))
          return created(budgetDetailView(made), locationOf(id))
        },
      })
    },
    async listBudgets({ principal: { tenantId }, query }) {
      const { scopeType, scopeId, state = 'active' } = query
      const list = `budgets ${JSON.stringify([scopeType, scopeId, state])}`
      const find = (asked: { readonly limit: number; readonly cursor?: string | undefined }) =>
        budgets.list(tenantId, { ...asked, scopeType, scopeId, state })
      return ok(await page(list, tenantId, query, find, budgetView))
    },
    async getBudget({ principal: { tenantId }, params }) {
      return ok(budgetDetailView(await budgets.get(tenantId, budgetOf(params))))
    },
    async updateBudget({ principal, params, body, request }) {
      const context = { requestId: request.requestId }
      return ok(budgetDetailView(await budgets.update(principal, budgetOf(params), body, context)))
    },
    topUpBudget: (call) => {
      const id = budgetOf(call.params)
      return changedOnce(call, (context) => budgets.topUp(call.principal, id, call.body, context))
    },
    transferBudget: (call) => {
      const id = budgetOf(call.params)
      return changedOnce(call, (context) => budgets.transfer(call.principal, id, call.body, context))
    },
    async archiveBudget({ principal, params, request }) {
      await budgets.archive(principal, budgetOf(params), { requestId: request.requestId })
      return NO_CONTENT
    },
    async listBudgetHistory({ principal: { tenantId }, params, query }) {
      const id = budgetOf(params)
      const find = (asked: { readonly limit: number; readonly cursor?: string | undefined }) =>
        budgets.history(tenantId, id, asked)
      return ok(await page(`budget-history ${id}`, tenantId, query, find, budgetEventView))
    },
    async listBudgetPeriods({ principal: { tenantId }, params, query }) {
      const id = budgetOf(params)
      const find = (asked: { readonly limit: number; readonly cursor?: string | undefined }) =>
        budgets.periods(tenantId, id, asked)
      return ok(await page(`budget-periods ${id}`, tenantId, query, find, budgetPeriodView))
    },
  }
}

function locationOf(id: string): string {
  return `/api/v1/financial/budgets/${id}`
}

function budgetOf(params: { readonly id: string }): BudgetId {
  return idOf('budget', params.id, 'budget.not-found')
}
