// Words of money that are stored and cross the wire: kinds of usage and cost, scopes, modes and periods of budgets, states.

import type { ApiKeyId, ProjectId, RunId } from '../base/ids.ts'

/** What a usage record counts. `model_call` counts its tokens; `token` is tokens told from outside. */
export const USAGE_KINDS = [
  'model_call',
  'agent_run',
  'workflow_run',
  'tool_call',
  'token',
  'blueprint_install',
  'storage',
] as const
export type UsageKind = (typeof USAGE_KINDS)[number]

/** What a plan charges for. `token` is every token of model calls, and those told from outside. */
export const METRICS = [
  'agent_run',
  'workflow_run',
  'token',
  'tool_call',
  'blueprint_install',
  'storage',
] as const
export type Metric = (typeof METRICS)[number]

export const COST_TYPES = ['LLM_API', 'TOOL_USAGE', 'COMPUTE', 'STORAGE', 'BANDWIDTH'] as const
export type CostType = (typeof COST_TYPES)[number]

/** What a cost can be asked for, or a budget be set on. */
export const BUDGET_SCOPES = ['tenant', 'project', 'agent', 'workflow', 'user', 'key', 'run'] as const
export type BudgetScope = (typeof BUDGET_SCOPES)[number]

/** Who and what a cost belongs to. */
export interface Dimensions {
  readonly runId: RunId | null
  readonly agentId: string | null
  /** The workflow at the top of the run, where one is. */
  readonly workflowId: string | null
  readonly userId: string | null
  readonly apiKeyId: ApiKeyId | null
  readonly projectId: ProjectId | null
}

/** `hard` refuses, `soft` tells, `ask` lets the run wait until somebody tops up. */
export const BUDGET_MODES = ['hard', 'soft', 'ask'] as const

export const BUDGET_PERIODS = ['day', 'week', 'month', 'quarter', 'year', 'rolling', 'once'] as const
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number]

export const SUBSCRIPTION_STATES = ['trialing', 'active', 'past_due', 'paused', 'cancelled'] as const
export type SubscriptionState = (typeof SUBSCRIPTION_STATES)[number]

export const INVOICE_STATES = ['draft', 'open', 'paid', 'void', 'uncollectible'] as const
export type InvoiceState = (typeof INVOICE_STATES)[number]

export const INVOICE_LINE_KINDS = ['base', 'usage', 'proration', 'adjustment', 'credit'] as const
export type InvoiceLineKind = (typeof INVOICE_LINE_KINDS)[number]
