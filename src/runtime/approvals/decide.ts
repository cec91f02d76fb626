// A person answers a question: bound to what was shown, once per person, and the tree goes on in the same transaction.

import { AppError } from '../../base/errors.ts'
import type { ApprovalId, RunId } from '../../base/ids.ts'
import type { Clock } from '../../base/time.ts'
import { actorOf, type Principal } from '../../contract/principal.ts'
import type { Database, TenantTransaction } from '../../storage/database.ts'
import type { RunRow } from '../journal/run-store.ts'
import { lockTree, wakeTree } from '../wake-tree.ts'
import { type ApprovalRow, approvalById } from './approval-store.ts'
import type { ChangeContext, Decision } from './approvals.ts'
import { refusalIn } from './requester.ts'
import { decidedBefore } from './settle-approval.ts'
import { castVote, type Vote } from './vote.ts'

export interface DecideDeps {
  readonly db: Database
  readonly clock: Clock
  readonly woken: () => void
  readonly written: (runId: RunId) => void
}

/** Of two answers that would decide at the same moment one wins; the other is refused with `approval.decided`. */
export async function decide(
  deps: DecideDeps,
  principal: Principal,
  id: ApprovalId,
  decision: Decision,
  context: ChangeContext,
): Promise<void> {
  const at = deps.clock()
  const runId = await deps.db.tenant(principal.tenantId).write(async (tx) => {
    const { approval, tree } = await lockApproval(tx, id)
    checkArguments(approval, decision.argumentsHash)
    await answerApproval(tx, tree, approval, { ...answerOf(principal, decision, context), at })
    await context.inTransaction?.(tx, id)
    return approval.runId
  })
  deps.written(runId)
  deps.woken()
}

/** An answer as a vote of the principal, through the API. */
export function answerOf(
  principal: Principal,
  { outcome, reason }: Pick<Decision, 'outcome' | 'reason'>,
  { requestId }: ChangeContext,
): Omit<Answer, 'at'> {
  const { userId, role } = principal
  return { userId, role, actor: actorOf(principal), outcome, reason: reason || null, via: 'api', requestId }
}

export interface Answer extends Vote {
  readonly role: Principal['role']
}

/** The caller holds the tree. What was asked goes on as soon as the answer decides it. */
export async function answerApproval(
  tx: TenantTransaction,
  tree: readonly RunRow[],
  approval: ApprovalRow,
  answer: Answer,
): Promise<void> {
  const { at } = answer
  if (approval.state !== 'pending') throw decidedBefore(approval)
  if (approval.expiresAt !== null && at >= approval.expiresAt)
    throw new AppError('approval.decided', `The time to answer the approval "${approval.id}" is over.`)
  const refusal = await refusalIn(tx, approval, answer)
  if (refusal !== undefined) throw refusal
  const voted = await castVote(tx, approval, answer)
  if (voted.status === 'again')
    throw new AppError('approval.decided', 'You have answered this already, and the first answer stays.')
  if (voted.status === 'settled') await wakeTree(tx, tree, at)
}

/** The approval as it is once the runs above it are locked. Throws `approval.not-found`. */
export async function lockApproval(
  tx: TenantTransaction,
  id: ApprovalId,
): Promise<{ readonly approval: ApprovalRow; readonly tree: readonly RunRow[] }> {
  const found = await tx.first(approvalById, { id })
  const tree = found === undefined ? [] : await lockTree(tx, found.runId)
  // Read again behind the lock: somebody may have answered meanwhile.
  const approval = found === undefined ? undefined : await tx.first(approvalById, { id })
  if (approval === undefined) throw new AppError('approval.not-found', `There is no approval "${id}".`)
  return { approval, tree }
}

function checkArguments(approval: ApprovalRow, hash: string | undefined): void {
  if (hash === undefined || hash === approval.argumentsHash) return
  throw new AppError(
    'approval.arguments-changed',
    'The arguments are not those that you were shown. Look at the approval again, then answer.',
  )
}
