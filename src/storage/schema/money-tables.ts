import type {
  ApiKeyId,
  BudgetId,
  CostId,
  HoldId,
  ModelCallId,
  PriceId,
  ProjectId,
  RerateId,
  RunId,
  TenantId,
  UsageId,
} from '../../base/ids.ts'
import { BUDGET_MODES, BUDGET_PERIODS, BUDGET_SCOPES, COST_TYPES, USAGE_KINDS } from '../../contract/money.ts'
import { integer, integerOrNull, json, money, moneyOrNull, oneOf, table, text, textOrNull } from './table.ts'

/** Who and what a cost belongs to. `agentId` is the agent's own, `workflowId` that of the workflow at the top of the run. */
const dimensions = {
  runId: textOrNull<RunId>(),
  agentId: textOrNull(),
  workflowId: textOrNull(),
  userId: textOrNull(),
  apiKeyId: textOrNull<ApiKeyId>(),
  projectId: textOrNull<ProjectId>(),
}

export const usageRecords = table('usage_records', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    /** Derived from the fact (a model call's is `use_` and the call's body), so that one fact has one record for ever. */
    id: text<UsageId>(),
    kind: oneOf(...USAGE_KINDS),
    ...dimensions,
    modelCallId: textOrNull<ModelCallId>(),
    model: textOrNull(),
    /** How much of its kind: the tokens of a model call, 1 of a run or a tool call, what was told from outside. */
    quantity: integer({ defaultTo: 0 }),
    /** `known`, `missing` (may have cost money, nobody knows how much) or `none` (certainly not billed). */
    usageState: oneOf('known', 'missing', 'none'),
    inputTokens: integer(),
    cachedInputTokens: integer(),
    cacheWriteTokens: integer(),
    outputTokens: integer(),
    reasoningTokens: integer(),
    /** What the provider sent, as it sent it, for re-rating. */
    rawUsage: json(),
    /** `priced`; `unpriced` (no price for this model); `usage_missing`. Only `priced` has an amount. */
    costState: oneOf('priced', 'unpriced', 'usage_missing'),
    costNanos: moneyOrNull(),
    priceId: textOrNull(),
    /** 1: of a replay, which is nobody's usage of a plan. */
    replay: integer({ defaultTo: 0 }),
    occurredAt: integer(),
    /** When it was first written: decides the billing period, whatever `occurredAt` says. */
    acceptedAt: integer({ defaultTo: 0 }),
  },
  primaryKey: ['tenantId', 'id'],
  indexes: [
    { name: 'usage_records_by_run', columns: ['tenantId', 'runId'] },
    { name: 'usage_records_by_time', columns: ['tenantId', 'occurredAt'] },
    // Holds all that an invoice sums, so that it never reads the rows.
    { name: 'usage_records_billed', columns: ['tenantId', 'replay', 'kind', 'acceptedAt', 'quantity'] },
  ],
})

/** Costs that are no model call's: tools with a price, compute, storage, bandwidth, and what is told from outside. */
export const costs = table('costs', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<CostId>(),
    type: oneOf(...COST_TYPES),
    ...dimensions,
    amountNanos: money(),
    /** How much of `unit`, where the cost is so much of something. */
    quantity: integerOrNull(),
    unit: textOrNull(),
    description: text({ personal: true }),
    /** The fact that it stands for: one cost for ever. */
    factKey: text(),
    /** 1: of a replay. */
    replay: integer(),
    createdBy: text(),
    occurredAt: integer(),
    acceptedAt: integer(),
  },
  primaryKey: ['tenantId', 'id'],
  unique: [['tenantId', 'factKey']],
  indexes: [
    { name: 'costs_by_run', columns: ['tenantId', 'runId'] },
    { name: 'costs_by_time', columns: ['tenantId', 'occurredAt'] },
  ],
})

/** A tenant's own prices: of models (`provider/model`), of tools (`tool/<name>`), of `compute/second`, `storage/gb-month`, `bandwidth/gb`. */
export const tenantPrices = table('tenant_prices', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<PriceId>(),
    subject: text(),
    effectiveFrom: integer(),
    effectiveUntil: integerOrNull(),
    /** JSON: texts of whole pico-USD, as the price file has them. */
    amounts: json(),
    note: text(),
    createdBy: text(),
    createdAt: integer(),
    /** Since when it holds for nothing any more; what was rated by it keeps its id. */
    withdrawnAt: integerOrNull(),
  },
  primaryKey: ['tenantId', 'id'],
  indexes: [{ name: 'tenant_prices_by_subject', columns: ['tenantId', 'subject', 'effectiveFrom'] }],
})

/** A re-rating: which records were rated anew, by whom, why, and what it changed. */
export const rerates = table('rerates', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<RerateId>(),
    fromAt: integer(),
    untilAt: integer(),
    model: textOrNull(),
    reason: text(),
    records: integer(),
    changed: integer(),
    beforeNanos: money(),
    afterNanos: money(),
    createdBy: text(),
    createdAt: integer(),
  },
  primaryKey: ['tenantId', 'id'],
})

export const rerateChanges = table('rerate_changes', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    rerateId: text<RerateId>(),
    usageId: text<UsageId>(),
    beforeState: text(),
    beforeNanos: moneyOrNull(),
    beforePriceId: textOrNull(),
    afterState: text(),
    afterNanos: moneyOrNull(),
    afterPriceId: textOrNull(),
  },
  primaryKey: ['tenantId', 'rerateId', 'usageId'],
  foreignKeys: [{ columns: ['tenantId', 'rerateId'], table: 'rerates', references: ['tenantId', 'id'] }],
})

export const budgets = table('budgets', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<BudgetId>(),
    name: text(),
    scopeType: oneOf(...BUDGET_SCOPES),
    /** The id of what it is on; the tenant's own where it is on the tenant. */
    scopeId: text(),
    mode: oneOf(...BUDGET_MODES),
    limitNanos: money(),
    period: oneOf(...BUDGET_PERIODS),
    /** IANA name; calendar periods begin at midnight there. */
    timeZone: text(),
    /** How long a rolling budget looks back. */
    rollingMs: integerOrNull(),
    /** Between which times a budget for once counts; null: always. */
    startsAt: integerOrNull(),
    endsAt: integerOrNull(),
    /** JSON array of percents, rising. */
    thresholds: json(),
    /** What holds when the budget cannot be asked: `closed` refuses, `open` lets pass. */
    onFailure: oneOf('closed', 'open'),
    state: oneOf('active', 'archived'),
    revision: integer(),
    createdBy: text(),
    createdAt: integer(),
    updatedAt: integer(),
  },
  primaryKey: ['tenantId', 'id'],
  indexes: [
    {
      name: 'budgets_by_scope',
      columns: ['tenantId', 'scopeType', 'scopeId'],
      where: "state = 'active'",
    },
    { name: 'budgets_by_name', columns: ['tenantId', 'name'], unique: true, where: "state = 'active'" },
  ],
})

/** What a budget has spent and holds in a period (of a rolling one: in a part of its window). The key says which. */
export const budgetPeriods = table('budget_periods', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    budgetId: text<BudgetId>(),
    periodKey: text(),
    startsAt: integer(),
    endsAt: integer(),
    settledNanos: money(),
    heldNanos: money(),
    /** Topped up for this period alone. */
    extraNanos: money(),
    /** The highest threshold that was told of, in percent. */
    crossed: integer(),
    updatedAt: integer(),
  },
  primaryKey: ['tenantId', 'budgetId', 'periodKey'],
  indexes: [{ name: 'budget_periods_by_start', columns: ['tenantId', 'budgetId', 'startsAt'] }],
  foreignKeys: [{ columns: ['tenantId', 'budgetId'], table: 'budgets', references: ['tenantId', 'id'] }],
})

/** Money set aside before it is spent. Each has an owner and ends: settled by its owner, or charged by the sweeper. */
export const budgetHolds = table('budget_holds', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<HoldId>(),
    /** Who settles it: `run:<id>:<step>`. One hold for an owner. */
    owner: text(),
    runId: textOrNull<RunId>(),
    /** The worst case, set aside in each of its budgets. */
    amountNanos: money(),
    /** What the sweeper charges where nobody settles it in time. */
    estimateNanos: money(),
    /** JSON: `[{"budget_id","period_key"}]`. */
    budgets: json(),
    state: oneOf('held', 'settled', 'released', 'estimated'),
    settledNanos: moneyOrNull(),
    createdAt: integer(),
    expiresAt: integer(),
    settledAt: integerOrNull(),
  },
  primaryKey: ['tenantId', 'id'],
  unique: [['tenantId', 'owner']],
  indexes: [
    { name: 'budget_holds_expiring', columns: ['expiresAt'], where: "state = 'held'" },
    { name: 'budget_holds_by_run', columns: ['tenantId', 'runId'], where: "state = 'held'" },
  ],
})

/** Runs that wait until a budget has room again. */
export const budgetWaits = table('budget_waits', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    runId: text<RunId>(),
    step: integer(),
    budgetId: text<BudgetId>(),
    neededNanos: money(),
    /** When it is worth another try: the budget's next period, or as soon as it has more room. Null: not by itself. */
    againAt: integerOrNull(),
    createdAt: integer(),
  },
  primaryKey: ['tenantId', 'runId', 'step'],
  indexes: [
    { name: 'budget_waits_by_budget', columns: ['tenantId', 'budgetId'] },
    { name: 'budget_waits_due', columns: ['againAt'], where: 'again_at is not null' },
  ],
})
