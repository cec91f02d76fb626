// Events: the facts of the log. A type's meaning never changes; a new meaning gets a new name.

import type { RunId } from '../base/ids.ts'
import type { JsonObject } from '../base/json.ts'
import type { EpochMs } from '../base/time.ts'

/** Facts of a run, in the order in which a run can have them. They hold ids, names, counts; never what was said. */
export const RUN_EVENT_TYPES = [
  'run.requested',
  'run.started',
  'model.requested',
  'model.called',
  'model.failed',
  'tool.requested',
  'tool.finished',
  'tool.failed',
  'tool.waiting',
  'guardrail.triggered',
  'session.compacted',
  'node.started',
  'node.finished',
  'node.failed',
  'node.retried',
  'node.skipped',
  'node.waiting',
  'node.compensated',
  'approval.requested',
  'approval.voted',
  'approval.decided',
  'approval.escalated',
  'approval.expired',
  'signal.received',
  /** Money was set aside before a step; given back or spent with it. */
  'budget.reserved',
  'budget.waiting',
  'budget.refused',
  'run.unroutable',
  'run.waiting',
  'run.resumed',
  'run.cancel-requested',
  'step.resolved',
  'run.completed',
  'run.failed',
  'run.cancelled',
] as const

/** Changes and denials that somebody answers for. */
export const AUDIT_EVENT_TYPES = [
  'tenant.created',
  'tenant.updated',
  'user.created',
  'api-key.created',
  'api-key.revoked',
  'access.denied',
  'agent.created',
  'agent.updated',
  'agent.published',
  'agent.rolled-back',
  'agent.archived',
  'tool.created',
  'tool.updated',
  'tool.published',
  'tool.rolled-back',
  'tool.archived',
  'workflow.created',
  'workflow.updated',
  'workflow.published',
  'workflow.rolled-back',
  'workflow.archived',
  'session.created',
  'tool.tested',
  'trigger.created',
  'trigger.updated',
  'trigger.deleted',
  'trigger.fired',
  'trigger.failed',
  'trigger.secret-rotated',
  'signal.sent',
  'job.retried',
  'job.redriven',
  'job.cancelled',
  'approval.link-created',
  'run.replayed',
  'project.created',
  'project.updated',
  'price.set',
  'price.withdrawn',
  'usage.rerated',
  'cost.recorded',
  'budget.created',
  'budget.updated',
  'budget.topped-up',
  'budget.moved',
  'budget.archived',
  'budget.crossed',
  'budget.exceeded',
  'budget.hold-estimated',
  'plan.created',
  'plan.archived',
  'billing.account-updated',
  'billing.standing-changed',
  'subscription.created',
  'subscription.changed',
  'subscription.renewed',
  'subscription.cancelled',
  'subscription.paused',
  'subscription.resumed',
  'invoice.drafted',
  'invoice.finalised',
  'invoice.paid',
  'invoice.voided',
  'invoice.uncollectible',
  'billing-item.created',
  'stripe.event-received',
  'stripe.usage-corrected',
  'retention.applied',
] as const

export type RunEventType = (typeof RUN_EVENT_TYPES)[number]
export type AuditEventType = (typeof AUDIT_EVENT_TYPES)[number]

/** Run events that are audit facts as well: a person intervened. */
export const AUDITED_RUN_EVENTS: ReadonlySet<RunEventType> = new Set<RunEventType>([
  'run.cancel-requested',
  'step.resolved',
  'approval.voted',
  'approval.decided',
  'approval.expired',
])

export const TERMINAL_EVENTS: ReadonlySet<string> = new Set<RunEventType>([
  'run.completed',
  'run.failed',
  'run.cancelled',
])

/** After these a run goes on only when somebody answers or another worker comes, or not at all. */
export const SETTLING_EVENTS: ReadonlySet<string> = new Set<RunEventType>([
  'run.waiting',
  'run.unroutable',
  'run.completed',
  'run.failed',
  'run.cancelled',
])

export interface RunEvent {
  readonly type: RunEventType
  readonly runId: RunId
  /** The place in the run, from 1, without a gap: the SSE id. */
  readonly runSeq: number
  readonly actor: string
  readonly data: JsonObject
  readonly occurredAt: EpochMs
}
