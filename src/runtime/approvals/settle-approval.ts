// A question gets its answer: its row, the step that waits for it and the events change together, once.

import { AppError } from '../../base/errors.ts'
import { type Json, withoutNul } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { answerStep } from '../journal/step-store.ts'
import { type ApprovalRow, endApproval, votesOf } from './approval-store.ts'
import { appendFact } from './run-fact.ts'

/** Who the expiry names. */
export const SYSTEM_ACTOR = 'system'

export interface Settlement {
  readonly outcome: 'approve' | 'decline'
  /** The time was over, and the default outcome stands. */
  readonly expired: boolean
  /** The user whose answer decided, or `system`. */
  readonly by: string
  /** Who the events name. */
  readonly actor: string
  readonly reason: string | null
  readonly requestId?: string | undefined
  readonly at: EpochMs
}

/** What the waiting step was given. */
export type Settled =
  | {
      readonly outcome: 'approved'
      readonly by: string
      readonly reason: string | null
      /** Of a node: the output that its step has now. Null for a tool call, which is now to be made. */
      readonly output: Json
    }
  | {
      readonly outcome: 'declined'
      readonly by: string
      readonly reason: string | null
      readonly error: { readonly code: 'tool.declined' | 'approval.declined'; readonly message: string }
    }

/**
 * Ends a pending approval and answers its step. A tool's step becomes `approved` or fails with `tool.declined`, a
 * node's is `done` or fails with `approval.declined`. Throws `approval.decided` where somebody was quicker.
 */
export async function settleApproval(
  tx: TenantTransaction,
  approval: ApprovalRow,
  settlement: Settlement,
): Promise<Settled> {
  const { id, runId, step, kind } = approval
  const { outcome, expired, by, actor, requestId, at } = settlement
  const reason = settlement.reason === null ? null : withoutNul(settlement.reason)
  const said = outcome === 'approve' ? ('approved' as const) : ('declined' as const)
  const ended = await tx.run(endApproval, {
    id,
    state: expired ? 'expired' : said,
    decidedBy: by,
    reason,
    at,
  })
  if (ended !== 1) throw decidedBefore(approval)
  const settled = await settledOf(tx, approval, settlement, reason)
  const done = settled.outcome === 'approved' && kind === 'node'
  const answered = await tx.run(answerStep, {
    runId,
    seq: step,
    state: settled.outcome === 'declined' ? 'failed' : done ? 'done' : 'approved',
    waitingReason: null,
    output: done ? JSON.stringify(settled.output) : null,
    outputHash: null,
    errorCode: settled.outcome === 'declined' ? settled.error.code : null,
    errorMessage: settled.outcome === 'declined' ? settled.error.message : null,
    at,
    expected: 'approval',
  })
  if (answered !== 1) throw decidedBefore(approval)
  const facts = { approval_id: id, step, subject: approval.subject, outcome }
  const fact = { runId, actor, requestId, at }
  await appendFact(tx, { ...fact, type: expired ? 'approval.expired' : 'approval.decided', data: facts })
  const resolved = { step, [kind]: approval.subject, outcome, reason }
  await appendFact(tx, { ...fact, type: 'step.resolved', data: resolved })
  return settled
}

async function settledOf(
  tx: TenantTransaction,
  { id, kind }: ApprovalRow,
  { outcome, expired, by }: Settlement,
  reason: string | null,
): Promise<Settled> {
  if (outcome === 'decline') {
    const who = expired ? 'Nobody answered in time, which declines' : 'A person declined'
    const what = kind === 'tool' ? 'this call' : 'this'
    const message = reason === null || reason === '' ? `${who} ${what}.` : `${who} ${what}: ${reason}`
    const code = kind === 'tool' ? ('tool.declined' as const) : ('approval.declined' as const)
    return { outcome: 'declined', by, reason, error: { code, message } }
  }
  if (kind === 'tool') return { outcome: 'approved', by, reason, output: null }
  const votes = (await tx.all(votesOf, { approvalId: id })).map((vote) => ({
    by: vote.userId,
    outcome: vote.outcome,
    reason: vote.reason,
  }))
  return { outcome: 'approved', by, reason, output: { approved: true, decided_by: by, reason, votes } }
}

export function decidedBefore(approval: Pick<ApprovalRow, 'id'>): AppError {
  return new AppError('approval.decided', `The approval "${approval.id}" has its answer already.`)
}
