// Approvals as the wire has them. Pure.

import { formatTime } from '../../base/time.ts'
import type * as wire from '../../contract/approval-resource.ts'
import type { Approval, ApprovalDetail } from '../../runtime/approvals/approvals.ts'
import { timeOrNull } from './time-view.ts'

/** The arguments are said to those who may read prompts, and to those who may answer. */
export function approvalView(approval: Approval, mayReadArguments: boolean): wire.Approval {
  const { expiresAt, escalateAt, escalatedAt, createdAt, decidedAt } = approval
  return {
    id: approval.id,
    runId: approval.runId,
    step: approval.step,
    kind: approval.kind,
    subject: approval.subject,
    argumentsHash: approval.argumentsHash,
    ...(mayReadArguments ? { arguments: approval.arguments } : {}),
    state: approval.state,
    role: approval.role,
    quorum: approval.quorum,
    excludeRequester: approval.excludeRequester,
    requestedBy: approval.requestedBy,
    expiresAt: timeOrNull(expiresAt),
    defaultOutcome: approval.defaultOutcome,
    escalateRole: approval.escalateRole,
    escalateAt: timeOrNull(escalateAt),
    escalatedAt: timeOrNull(escalatedAt),
    createdAt: formatTime(createdAt),
    decidedAt: timeOrNull(decidedAt),
    decidedBy: approval.decidedBy,
    reason: approval.reason,
  }
}

export function approvalDetailView(approval: ApprovalDetail, mayReadArguments: boolean): wire.ApprovalDetail {
  const votes = approval.votes.map((vote) => ({ ...vote, createdAt: formatTime(vote.createdAt) }))
  return { ...approvalView(approval, mayReadArguments), votes }
}
