// A step begins to wait for a person: the question becomes a row, and answers that came early are used up at once.

import { newId, type RunId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import type { ApprovalPolicy } from '../../contract/approval.ts'
import { durationMs } from '../../contract/duration.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import {
  type ApprovalRow,
  approvalById,
  insertApproval,
  withdrawOfRun,
  withdrawOfStep,
} from './approval-store.ts'
import { argumentsHash } from './arguments-hash.ts'
import { ANY_ARGUMENTS, type EarlyRow, unusedEarly, useEarly } from './early-store.ts'
import { answererOf } from './may-answer.ts'
import { refusalIn, requesterOf } from './requester.ts'
import { appendFact } from './run-fact.ts'
import type { Settled } from './settle-approval.ts'
import { castVote } from './vote.ts'

export interface ApprovalRequest {
  readonly runId: RunId
  /** The step that waits; its row is there already, `waiting` with reason `approval`. */
  readonly step: number
  readonly kind: 'tool' | 'node'
  /** The tool's name, or the node's path. */
  readonly subject: string
  readonly arguments: Json
  readonly policy: ApprovalPolicy | undefined
  /** Who started the run, as the run's row names them: a key counts as its owner. */
  readonly requestedBy: string
  /** Who the events name: the worker. */
  readonly actor: string
  readonly at: EpochMs
}

/** `pending`: the step waits. Else the step has its answer already, and the run goes on without waiting. */
export type Requested = { readonly outcome: 'pending' } | Settled

/**
 * Call it in the transaction that writes the waiting step, after the step: in a journal's gathered write or in a fenced
 * transaction alike, for its events take the run's next places by themselves. Where early answers decide, the step's
 * row is answered here too: `approved` (tool), `done` (node, with `output`) or `failed` (with `error`).
 */
export async function requestApproval(tx: TenantTransaction, request: ApprovalRequest): Promise<Requested> {
  const { runId, step, kind, subject, actor, at } = request
  const policy = request.policy ?? {}
  const id = newId('approval', at)
  await tx.run(insertApproval, {
    id,
    runId,
    step,
    kind,
    subject,
    argumentsHash: argumentsHash(request.arguments),
    arguments: JSON.stringify(request.arguments),
    role: policy.role ?? null,
    escalateRole: policy.escalate?.role ?? null,
    escalateAt: policy.escalate === undefined ? null : at + durationMs(policy.escalate.after),
    quorum: policy.quorum ?? 1,
    excludeRequester: policy.excludeRequester === true ? 1 : 0,
    expiresAt: policy.expiresAfter === undefined ? null : at + durationMs(policy.expiresAfter),
    defaultOutcome: policy.expiresAfter === undefined ? null : (policy.onExpiry ?? 'decline'),
    requestedBy: await requesterOf(tx, runId, request.requestedBy),
    createdAt: at,
  })
  const data = { approval_id: id, step, kind, subject, quorum: policy.quorum ?? 1 }
  await appendFact(tx, { runId, type: 'approval.requested', actor, data, at })
  const approval = await tx.first(approvalById, { id })
  if (approval === undefined) throw new Error(`The approval ${id} was recorded and cannot be read.`)
  for (const early of await tx.all(unusedEarly, { runId, subject })) {
    const settled = fits(early, approval) ? await useUp(tx, early, approval, at) : undefined
    if (settled !== undefined) return settled
  }
  return { outcome: 'pending' }
}

/** A tool call takes only what was said about its very arguments. */
export function fits(early: Pick<EarlyRow, 'argumentsHash'>, approval: ApprovalRow): boolean {
  if (early.argumentsHash === approval.argumentsHash) return true
  return approval.kind === 'node' && early.argumentsHash === ANY_ARGUMENTS
}

/** The early answer becomes a vote, by the same rules as one that comes now. One that may not count stays unused. */
async function useUp(
  tx: TenantTransaction,
  early: EarlyRow,
  approval: ApprovalRow,
  at: EpochMs,
): Promise<Settled | undefined> {
  const { runId, subject, userId } = early
  const answerer = await answererOf(tx, userId)
  if (answerer === undefined || (await refusalIn(tx, approval, answerer)) !== undefined) return undefined
  const voted = await castVote(tx, approval, {
    userId,
    actor: early.actor,
    outcome: early.outcome,
    reason: early.reason,
    via: 'early',
    at,
  })
  if (voted.status === 'again') return undefined
  await tx.run(useEarly, {
    runId,
    subject,
    argumentsHash: early.argumentsHash,
    userId,
    approvalId: approval.id,
  })
  return voted.status === 'settled' ? voted.settled : undefined
}

/** A run ends: nobody needs to answer what it asked. In the transaction that ends it. */
export async function withdrawApprovals(tx: TenantTransaction, runId: RunId, at: EpochMs): Promise<void> {
  await tx.run(withdrawOfRun, { runId, at })
}

/** One waiting step is given up while its run goes on: a branch that lost a race, say. */
export async function withdrawApproval(
  tx: TenantTransaction,
  runId: RunId,
  step: number,
  at: EpochMs,
): Promise<void> {
  await tx.run(withdrawOfStep, { runId, step, at })
}
