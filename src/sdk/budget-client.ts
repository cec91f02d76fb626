// The client's methods about budgets: what may be spent, and where that stands.

import type {
  Budget,
  BudgetDetail,
  BudgetEvent,
  BudgetPeriodRecord,
  CreateBudget,
  TopUpBudget,
  TransferBudget,
  UpdateBudget,
} from '../contract/budget.ts'
import { ROUTES, type Routes } from '../contract/routes.ts'
import { BillingClient } from './billing-client.ts'
import { type ListOptions, listRoute } from './list-route.ts'
import type { PageList } from './page-list.ts'
import type { CallOptions, Transport } from './transport.ts'

type Listing<Id extends keyof Routes> = ListOptions<Routes[Id]>

/** What `Client` has of budgets. */
export class BudgetClient extends BillingClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    super(transport)
    this.#transport = transport
  }

  /** What may be spent on the tenant, a project, an agent, a workflow, a user, a key or a run. */
  createBudget(request: CreateBudget, options?: CallOptions): Promise<BudgetDetail> {
    return this.#transport.send(ROUTES.createBudget, { body: request }, options)
  }
  listBudgets(options: Listing<'listBudgets'> = {}): PageList<Budget> {
    return listRoute(this.#transport, ROUTES.listBudgets, {}, options)
  }
  /** With where it stands now, and which runs wait for it. */
  getBudget(id: string, options?: CallOptions): Promise<BudgetDetail> {
    return this.#transport.send(ROUTES.getBudget, { params: { id } }, options)
  }
  updateBudget(id: string, change: UpdateBudget, options?: CallOptions): Promise<BudgetDetail> {
    return this.#transport.send(ROUTES.updateBudget, { params: { id }, body: change }, options)
  }
  /** Adds to the present period alone. */
  topUpBudget(id: string, request: TopUpBudget, options?: CallOptions): Promise<BudgetDetail> {
    return this.#transport.send(ROUTES.topUpBudget, { params: { id }, body: request }, options)
  }
  /** Moves a part of the limit to another budget; answers the one that gave. */
  transferBudget(id: string, request: TransferBudget, options?: CallOptions): Promise<BudgetDetail> {
    return this.#transport.send(ROUTES.transferBudget, { params: { id }, body: request }, options)
  }
  async archiveBudget(id: string, options?: CallOptions): Promise<void> {
    await this.#transport.send(ROUTES.archiveBudget, { params: { id } }, options)
  }
  listBudgetHistory(id: string, options: Listing<'listBudgetHistory'> = {}): PageList<BudgetEvent> {
    return listRoute(this.#transport, ROUTES.listBudgetHistory, { id }, options)
  }
  listBudgetPeriods(id: string, options: Listing<'listBudgetPeriods'> = {}): PageList<BudgetPeriodRecord> {
    return listRoute(this.#transport, ROUTES.listBudgetPeriods, { id }, options)
  }
}
