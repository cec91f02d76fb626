// What happens to questions by the clock: the default outcome once their time is over, and a higher role to answer.
// Any number of processes may sweep at the same time: each row is changed by one of them.

import type { ApprovalId, RunId, TenantId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { Database, TenantTransaction } from '../../storage/database.ts'
import { stepBySeq } from '../journal/step-store.ts'
import { wakeTree } from '../wake-tree.ts'
import {
  type ApprovalRow,
  escalateApproval,
  escalatingApprovals,
  expiringApprovals,
} from './approval-store.ts'
import { lockApproval } from './decide.ts'
import { higherRole } from './may-answer.ts'
import { withdrawApproval } from './request-approval.ts'
import { appendFact } from './run-fact.ts'
import { SYSTEM_ACTOR, settleApproval } from './settle-approval.ts'

/** How many questions one sweep ends, and how many it hands on; the next sweep takes the rest. */
export const SWEEP_BATCH = 100

export interface SweepDeps {
  readonly db: Database
  readonly woken: () => void
  readonly written: (runId: RunId) => void
}

export interface Swept {
  readonly expired: number
  readonly escalated: number
}

interface Due {
  readonly tenantId: TenantId
  readonly id: ApprovalId
  readonly runId: RunId
}

/** Ends what is due at that time, and hands on what is to be handed on. Cheap where nothing is due. */
export async function sweepApprovals(deps: SweepDeps, at: EpochMs): Promise<Swept> {
  const due = { at, limit: SWEEP_BATCH }
  const expiring = await deps.db.system.read((reader) => reader.all(expiringApprovals, due))
  const expired = await each(deps, expiring, (tx, id) => expire(tx, id, at))
  const escalating = await deps.db.system.read((reader) => reader.all(escalatingApprovals, due))
  const escalated = await each(deps, escalating, (tx, id) => escalate(tx, id, at))
  if (expired > 0) deps.woken()
  return { expired, escalated }
}

/** Each in a transaction of its own, so that one that cannot be changed does not hold up the others. */
async function each(
  { db, written }: SweepDeps,
  due: readonly Due[],
  change: (tx: TenantTransaction, id: ApprovalId) => Promise<boolean>,
): Promise<number> {
  let changed = 0
  let failure: { readonly error: unknown } | undefined
  for (const { tenantId, id, runId } of due) {
    try {
      if (!(await db.tenant(tenantId).write((tx) => change(tx, id)))) continue
    } catch (error) {
      failure ??= { error }
      continue
    }
    changed += 1
    written(runId)
  }
  if (failure !== undefined) throw failure.error
  return changed
}

async function expire(tx: TenantTransaction, id: ApprovalId, at: EpochMs): Promise<boolean> {
  const { approval, tree } = await lockApproval(tx, id)
  if (approval.state !== 'pending' || approval.expiresAt === null || approval.expiresAt > at) return false
  if (!(await isWaiting(tx, approval))) {
    await withdrawApproval(tx, approval.runId, approval.step, at)
    return false
  }
  await settleApproval(tx, approval, {
    outcome: approval.defaultOutcome ?? 'decline',
    expired: true,
    by: SYSTEM_ACTOR,
    actor: SYSTEM_ACTOR,
    reason: null,
    at,
  })
  await wakeTree(tx, tree, at)
  return true
}

/** A step that was given up needs no answer. */
async function isWaiting(tx: TenantTransaction, { runId, step }: ApprovalRow): Promise<boolean> {
  const row = await tx.first(stepBySeq, { runId, seq: step })
  return row?.state === 'waiting' && row.waitingReason === 'approval'
}

async function escalate(tx: TenantTransaction, id: ApprovalId, at: EpochMs): Promise<boolean> {
  const { approval } = await lockApproval(tx, id)
  const { runId, step, subject, escalateAt } = approval
  if (approval.state !== 'pending' || escalateAt === null || escalateAt > at) return false
  // Never lower than it was: who may not answer now may not answer by waiting.
  const role = higherRole(approval.role, approval.escalateRole)
  if ((await tx.run(escalateApproval, { id, role, at })) !== 1) return false
  const data = { approval_id: id, step, subject, from: approval.role, to: role }
  await appendFact(tx, { runId, type: 'approval.escalated', actor: SYSTEM_ACTOR, data, at })
  return true
}
