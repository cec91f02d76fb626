// Approvals and votes in the database: SQL in, types out. Each change of a state is a compare-and-set on `pending`.

import type { ApprovalId, RunId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { NewRowOf, RowOf } from '../../storage/schema/tables.ts'
import { type Bind, type SystemBind, statement, systemStatement } from '../../storage/statement.ts'

export type ApprovalRow = RowOf<'approvals'>
export type ApprovalState = ApprovalRow['state']

export const insertApproval = statement(
  'approvals.insert',
  (
    db,
    p: Bind<
      Omit<NewRowOf<'approvals'>, 'tenantId' | 'state' | 'escalatedAt' | 'decidedAt' | 'decidedBy' | 'reason'>
    >,
  ) =>
    db.insertInto('approvals').values({
      tenantId: p.tenantId,
      id: p.id,
      runId: p.runId,
      step: p.step,
      kind: p.kind,
      subject: p.subject,
      argumentsHash: p.argumentsHash,
      arguments: p.arguments,
      state: 'pending',
      role: p.role,
      escalateRole: p.escalateRole,
      escalateAt: p.escalateAt,
      escalatedAt: null,
      quorum: p.quorum,
      excludeRequester: p.excludeRequester,
      expiresAt: p.expiresAt,
      defaultOutcome: p.defaultOutcome,
      requestedBy: p.requestedBy,
      createdAt: p.createdAt,
      decidedAt: null,
      decidedBy: null,
      reason: null,
    }),
)

export const approvalById = statement('approvals.get', (db, p: Bind<{ id: ApprovalId }>) =>
  db.selectFrom('approvals').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

export const approvalOfStep = statement('approvals.of-step', (db, p: Bind<{ runId: RunId; step: number }>) =>
  db
    .selectFrom('approvals')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('step', '=', p.step),
)

/** The questions of a run that wait, oldest first. */
export const pendingOfRun = statement('approvals.pending-of-run', (db, p: Bind<{ runId: RunId }>) =>
  db
    .selectFrom('approvals')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('state', '=', 'pending')
    .orderBy('step'),
)

/** Of several that answer at the same moment one changes a row. */
export const endApproval = statement(
  'approvals.end',
  (
    db,
    p: Bind<{
      id: ApprovalId
      state: Exclude<ApprovalState, 'pending'>
      decidedBy: string | null
      reason: string | null
      at: EpochMs
    }>,
  ) =>
    db
      .updateTable('approvals')
      .set({ state: p.state, decidedBy: p.decidedBy, reason: p.reason, decidedAt: p.at })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where('state', '=', 'pending'),
)

export const escalateApproval = statement(
  'approvals.escalate',
  (db, p: Bind<{ id: ApprovalId; role: ApprovalRow['role']; at: EpochMs }>) =>
    db
      .updateTable('approvals')
      .set({ role: p.role, escalatedAt: p.at })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where('state', '=', 'pending')
      .where('escalatedAt', 'is', null),
)

export const withdrawOfRun = statement(
  'approvals.withdraw-run',
  (db, p: Bind<{ runId: RunId; at: EpochMs }>) =>
    db
      .updateTable('approvals')
      .set({ state: 'withdrawn', decidedAt: p.at })
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('state', '=', 'pending'),
)

export const withdrawOfStep = statement(
  'approvals.withdraw-step',
  (db, p: Bind<{ runId: RunId; step: number; at: EpochMs }>) =>
    db
      .updateTable('approvals')
      .set({ state: 'withdrawn', decidedAt: p.at })
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('step', '=', p.step)
      .where('state', '=', 'pending'),
)

/** One vote per person: a second changes no row. */
export const insertVote = statement(
  'approval-votes.insert',
  (db, p: Bind<Omit<NewRowOf<'approvalVotes'>, 'tenantId'>>) =>
    db
      .insertInto('approvalVotes')
      .values({
        tenantId: p.tenantId,
        approvalId: p.approvalId,
        userId: p.userId,
        actor: p.actor,
        outcome: p.outcome,
        reason: p.reason,
        createdAt: p.createdAt,
      })
      .onConflict((on) => on.columns(['tenantId', 'approvalId', 'userId']).doNothing()),
)

export const votesOf = statement('approval-votes.of', (db, p: Bind<{ approvalId: ApprovalId }>) =>
  db
    .selectFrom('approvalVotes')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('approvalId', '=', p.approvalId)
    .orderBy('createdAt')
    .orderBy('userId'),
)

const SWEEP = 'one sweep looks after the approvals of every tenant'

/** The first that are due to expire. */
export const expiringApprovals = systemStatement(
  'approvals.expiring',
  SWEEP,
  (db, p: SystemBind<{ at: EpochMs; limit: number }>) =>
    db
      .selectFrom('approvals')
      .select(['tenantId', 'id', 'runId'])
      .where('state', '=', 'pending')
      .where('expiresAt', 'is not', null)
      .where('expiresAt', '<=', p.at)
      .orderBy('expiresAt')
      .limit(p.limit),
)

/** The first whose time to ask a higher role has come. */
export const escalatingApprovals = systemStatement(
  'approvals.escalating',
  SWEEP,
  (db, p: SystemBind<{ at: EpochMs; limit: number }>) =>
    db
      .selectFrom('approvals')
      .select(['tenantId', 'id', 'runId'])
      .where('state', '=', 'pending')
      .where('escalateAt', 'is not', null)
      .where('escalateAt', '<=', p.at)
      .where('escalatedAt', 'is', null)
      .orderBy('escalateAt')
      .limit(p.limit),
)
