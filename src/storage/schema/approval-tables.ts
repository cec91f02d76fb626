// Approvals: what a person is asked, what was answered, also before it was asked, and links to answer by.

import type { ApprovalId, RunId, TenantId } from '../../base/ids.ts'
import { integer, integerOrNull, json, oneOf, oneOfOrNull, table, text, textOrNull } from './table.ts'

/** One question about one waiting step, bound to the exact arguments that were shown. */
export const approvals = table('approvals', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<ApprovalId>(),
    runId: text<RunId>(),
    step: integer(),
    /** A tool call of an agent or workflow, or an approval node. */
    kind: oneOf('tool', 'node'),
    /** The tool's name, or the node's path. */
    subject: text(),
    /** SHA-256 of the canonical JSON of the arguments: an answer that names another is refused. */
    argumentsHash: text(),
    arguments: json({ personal: true }),
    state: oneOf('pending', 'approved', 'declined', 'expired', 'withdrawn'),
    /** Who may answer: a role or above; null: everybody who may resolve runs. */
    role: oneOfOrNull('USER', 'CREATOR', 'ADMIN'),
    escalateRole: oneOfOrNull('USER', 'CREATOR', 'ADMIN'),
    escalateAt: integerOrNull(),
    escalatedAt: integerOrNull(),
    /** How many must approve. One who declines ends it. */
    quorum: integer(),
    /** 1: who started the run may not answer. */
    excludeRequester: integer(),
    expiresAt: integerOrNull(),
    /** What happens at `expiresAt`. */
    defaultOutcome: oneOfOrNull('approve', 'decline'),
    requestedBy: text(),
    createdAt: integer(),
    decidedAt: integerOrNull(),
    decidedBy: textOrNull(),
    reason: textOrNull({ personal: true }),
  },
  primaryKey: ['tenantId', 'id'],
  unique: [['tenantId', 'runId', 'step']],
  indexes: [
    { name: 'approvals_pending', columns: ['tenantId', 'id'], where: "state = 'pending'" },
    {
      name: 'approvals_expiring',
      columns: ['expiresAt'],
      where: "state = 'pending' and expires_at is not null",
    },
    {
      name: 'approvals_escalating',
      columns: ['escalateAt'],
      where: "state = 'pending' and escalate_at is not null and escalated_at is null",
    },
  ],
  foreignKeys: [{ columns: ['tenantId', 'runId'], table: 'runs', references: ['tenantId', 'id'] }],
})

/** One answer of one person; the first stays. */
export const approvalVotes = table('approval_votes', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    approvalId: text<ApprovalId>(),
    /** The user, whichever key or link was used. */
    userId: text(),
    actor: text(),
    outcome: oneOf('approve', 'decline'),
    reason: textOrNull({ personal: true }),
    createdAt: integer(),
  },
  primaryKey: ['tenantId', 'approvalId', 'userId'],
  foreignKeys: [{ columns: ['tenantId', 'approvalId'], table: 'approvals', references: ['tenantId', 'id'] }],
})

/** Answers that came before their question: kept, and used once when the question is asked. */
export const earlyDecisions = table('early_decisions', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    runId: text<RunId>(),
    subject: text(),
    /** Empty: whatever the arguments are (approval nodes only). */
    argumentsHash: text(),
    userId: text(),
    actor: text(),
    outcome: oneOf('approve', 'decline'),
    reason: textOrNull({ personal: true }),
    createdAt: integer(),
    /** The question that used it. */
    approvalId: textOrNull<ApprovalId>(),
  },
  primaryKey: ['tenantId', 'runId', 'subject', 'argumentsHash', 'userId'],
  foreignKeys: [{ columns: ['tenantId', 'runId'], table: 'runs', references: ['tenantId', 'id'] }],
})

/** Links by which somebody may answer without a key. The token itself is stored nowhere. */
export const approvalLinks = table('approval_links', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    /** SHA-256 of the token, in hexadecimal. */
    hash: text(),
    approvalId: text<ApprovalId>(),
    /** In whose name the link answers. */
    userId: text(),
    createdBy: text(),
    createdAt: integer(),
    expiresAt: integer(),
    usedAt: integerOrNull(),
  },
  primaryKey: ['tenantId', 'hash'],
  unique: [['hash']],
  foreignKeys: [{ columns: ['tenantId', 'approvalId'], table: 'approvals', references: ['tenantId', 'id'] }],
  retained: 'expiresAt',
})
