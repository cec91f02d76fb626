// Budgets as the API reads and changes them. What is reserved and settled against them is beside this folder.

import type { BudgetId, TenantId } from '../../../base/ids.ts'
import type { JsonObject } from '../../../base/json.ts'
import type { EpochMs } from '../../../base/time.ts'
import type {
  BudgetState,
  CreateBudget,
  TopUpBudget,
  TransferBudget,
  UpdateBudget,
} from '../../../contract/budget.ts'
import type { BudgetScope } from '../../../contract/money.ts'
import type { Principal } from '../../../contract/principal.ts'
import type { TenantTransaction } from '../../../storage/database.ts'
import type { RowOf } from '../../../storage/schema/tables.ts'
import type { Budget } from '../budget.ts'
import type { BudgetStanding } from '../budget-status.ts'
import type { BudgetWait } from '../budget-store.ts'

/** Active ones of a tenant. */
export const BUDGETS_PER_TENANT_MAX = 10_000
/** Active ones on the same thing: each is asked before each call. */
export const BUDGETS_PER_SCOPE_MAX = 10
/** The runs that are shown of those that wait for a budget. */
export const WAITS_SHOWN_MAX = 100

export type BudgetPeriodRow = RowOf<'budgetPeriods'>

export interface ManagedBudget {
  readonly budget: Budget
  /** What people call the thing that it is on, where it has a name. */
  readonly scopeName: string | undefined
  /** Undefined where it does not count now. */
  readonly now: BudgetStanding | undefined
}

export interface DetailedBudget extends ManagedBudget {
  /** Runs that wait until it has room, the longest waiting first. */
  readonly waiting: readonly BudgetWait[]
}

export interface BudgetFact {
  readonly seq: number
  readonly type: string
  readonly actor: string
  readonly data: JsonObject
  readonly requestId: string | null
  readonly occurredAt: EpochMs
}

export interface ChangeContext {
  readonly requestId: string | undefined
  /** Called in the transaction of the change, with the id of what was made or changed. */
  readonly inTransaction?: ((tx: TenantTransaction, id: string) => Promise<void>) | undefined
}

export interface Asked {
  readonly limit: number
  readonly cursor?: string | undefined
}

export interface Found<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | undefined
}

export interface BudgetFilter {
  readonly scopeType?: BudgetScope | undefined
  /** An id, or the name of what has one. */
  readonly scopeId?: string | undefined
  readonly state?: BudgetState | undefined
}

export interface ManagedBudgets {
  create(principal: Principal, input: CreateBudget, context: ChangeContext): Promise<DetailedBudget>
  get(tenantId: TenantId, id: BudgetId): Promise<DetailedBudget>
  list(tenantId: TenantId, page: Asked & BudgetFilter): Promise<Found<ManagedBudget>>
  update(
    principal: Principal,
    id: BudgetId,
    change: UpdateBudget,
    context: ChangeContext,
  ): Promise<DetailedBudget>
  /** Adds to the present period alone. */
  topUp(
    principal: Principal,
    id: BudgetId,
    input: TopUpBudget,
    context: ChangeContext,
  ): Promise<DetailedBudget>
  /** Moves a part of the limit to another budget; answers the one that gave. */
  transfer(
    principal: Principal,
    id: BudgetId,
    input: TransferBudget,
    context: ChangeContext,
  ): Promise<DetailedBudget>
  /** Does nothing where it is archived already. */
  archive(principal: Principal, id: BudgetId, context: ChangeContext): Promise<void>
  history(tenantId: TenantId, id: BudgetId, page: Asked): Promise<Found<BudgetFact>>
  periods(tenantId: TenantId, id: BudgetId, page: Asked): Promise<Found<BudgetPeriodRow>>
}
