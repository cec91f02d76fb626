// `agent-factory/sdk`: the typed client. Runs on Node, Deno, Bun, in browsers and at the edge.

export type { ErrorCode, FieldError } from './base/errors.ts'
export type { Json, JsonObject } from './base/json.ts'
export type {
  ApiKey,
  AuditEntry,
  CreateApiKey,
  CreatedApiKey,
  Me,
  Tenant,
  UpdateTenant,
} from './contract/account.ts'
export type { AgentDefinition, AgentLimits, Guardrail } from './contract/agent.ts'
export type {
  Approval,
  ApprovalDetail,
  ApprovalLink,
  CreateApprovalLink,
  DecideApproval,
  DecideEarly,
  EarlyDecision,
} from './contract/approval-resource.ts'
export type {
  Budget,
  BudgetDetail,
  BudgetEvent,
  BudgetPeriodRecord,
  BudgetStatus,
  CreateBudget,
  TopUpBudget,
  TransferBudget,
  UpdateBudget,
} from './contract/budget.ts'
export type {
  CostEntry,
  CostEstimate,
  CostHints,
  CostReport,
  CreateRerate,
  EntityCosts,
  EstimateCost,
  RecordCosts,
  RecordedCosts,
  Rerate,
  RerateDetail,
} from './contract/cost.ts'
export type { FileContent } from './contract/fields.ts'
export type {
  BillingItem,
  BillingSummary,
  CreateAdjustment,
  CreateCredit,
  ExplainedLine,
  ExplainedRecord,
  Invoice,
  InvoiceDetail,
  InvoiceLine,
  InvoiceNote,
} from './contract/invoice.ts'
export type { Job, RedriveJobs, RedrivenJobs, Worker } from './contract/job.ts'
export type { ModelCall, ModelCallDetail } from './contract/model-call.ts'
export type { Permission } from './contract/permission.ts'
export type { ArchivePlan, CreatePlan, PlanResource } from './contract/plan.ts'
export type { ComparePrices, Price, PriceAmounts, PriceDiff, SetPrice } from './contract/price.ts'
export type { CreateProject, Project, UpdateProject } from './contract/project.ts'
export type { VersionDiff } from './contract/resource.ts'
export type { Agent, AgentVersion } from './contract/routes/agents.ts'
export type { ImportedTools, ImportTools, Tool, ToolVersion } from './contract/routes/tools.ts'
export type { Workflow, WorkflowVersion } from './contract/routes/workflows.ts'
export type {
  ModelDeltaResource,
  ReplayRun,
  Run,
  RunEventResource,
  RunResolution,
  StartRun,
  Step,
} from './contract/run.ts'
export type { Session, SessionTurn } from './contract/session.ts'
export type {
  StripeCheckout,
  StripeLink,
  StripePortal,
  StripeReconcile,
  StripeReconciledView,
  StripeStatusView,
} from './contract/stripe.ts'
export type {
  BillingAccountResource,
  CancelSubscription,
  ChangeSubscription,
  CreateSubscription,
  EntitlementsResource,
  IngestedUsage,
  PutBillingAccount,
  SubscriptionResource,
  SubscriptionStep,
  UsageRecordInput,
  UsageSummaryResource,
} from './contract/subscription.ts'
export type { ToolDefinition } from './contract/tool.ts'
export type {
  CreatedTrigger,
  RotatedSecret,
  SendEvent,
  SentEvent,
  Trigger,
  TriggerChange,
  TriggerInput,
  TriggerTarget,
} from './contract/trigger.ts'
export type { WorkflowDefinition } from './contract/workflow.ts'
export { ApiError, ConnectionError, isApiError } from './sdk/api-error.ts'
export type { BillingOptions, ExplainOptions } from './sdk/billing-client.ts'
export type {
  CreateOptions,
  PublishOptions,
  RunOptions,
  UpdateOptions,
  VersionOptions,
} from './sdk/client.ts'
export { Client } from './sdk/client.ts'
export type { Page, PageList } from './sdk/page-list.ts'
export type { RetryOptions } from './sdk/retry.ts'
export type { RunStreamItem, StreamOptions } from './sdk/stream-run.ts'
export type { CallOptions, ClientOptions } from './sdk/transport.ts'
export type { WaitOptions } from './sdk/wait-for-run.ts'
