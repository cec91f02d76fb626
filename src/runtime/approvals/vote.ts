// One person's answer to a pending question: kept as a vote, which decides it or waits for others.

import { withoutNul } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { type ApprovalRow, insertVote, votesOf } from './approval-store.ts'
import { appendFact } from './run-fact.ts'
import { type Settled, settleApproval } from './settle-approval.ts'

export interface Vote {
  readonly userId: string
  /** The key, or the user where there was none. */
  readonly actor: string
  readonly outcome: 'approve' | 'decline'
  readonly reason: string | null
  readonly via: 'api' | 'link' | 'early'
  /** Who made the link, where it came by one. */
  readonly linkBy?: string | undefined
  readonly requestId?: string | undefined
  readonly at: EpochMs
}

export type Voted =
  /** The person had answered before: the first answer stays. */
  | { readonly status: 'again' }
  /** Others must approve as well. */
  | { readonly status: 'counted' }
  | { readonly status: 'settled'; readonly settled: Settled }

/** The caller has checked that the person may answer, and holds the run's row. */
export async function castVote(tx: TenantTransaction, approval: ApprovalRow, vote: Vote): Promise<Voted> {
  const { id, runId, step } = approval
  const { userId, actor, outcome, requestId, at } = vote
  const reason = vote.reason === null ? null : withoutNul(vote.reason)
  const kept = await tx.run(insertVote, { approvalId: id, userId, actor, outcome, reason, createdAt: at })
  if (kept !== 1) return { status: 'again' }
  const data = { approval_id: id, step, user_id: userId, outcome, via: vote.via, ...linkFact(vote) }
  await appendFact(tx, { runId, type: 'approval.voted', actor, requestId, data, at })
  if (outcome === 'approve' && (await countApproving(tx, approval)) < approval.quorum)
    return { status: 'counted' }
  const settlement = { outcome, expired: false, by: userId, actor, reason, requestId, at }
  return { status: 'settled', settled: await settleApproval(tx, approval, settlement) }
}

function linkFact({ linkBy }: Vote): { link_by?: string } {
  return linkBy === undefined ? {} : { link_by: linkBy }
}

async function countApproving(tx: TenantTransaction, approval: ApprovalRow): Promise<number> {
  const votes = await tx.all(votesOf, { approvalId: approval.id })
  return votes.filter(({ outcome }) => outcome === 'approve').length
}
