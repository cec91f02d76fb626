// Approvals as they are answered, and what answers them.

import { z } from 'zod'
import { approvalRole } from './approval.ts'
import { duration, durationMs } from './duration.ts'
import { idText, json, time } from './fields.ts'

const REASON_CHARS_MAX = 1_000
const SUBJECT_CHARS_MAX = 1_000
/** How long a link can be used where nothing is said, and at most. */
export const APPROVAL_LINK_MS_DEFAULT = 86_400_000
export const APPROVAL_LINK_MS_MAX = 7 * 86_400_000

export const APPROVAL_STATES = ['pending', 'approved', 'declined', 'expired', 'withdrawn'] as const
export const approvalState = z.enum(APPROVAL_STATES)
const outcome = z.enum(['approve', 'decline'])
const reason = z.string().max(REASON_CHARS_MAX).optional()

export const approval = z.object({
  id: z.string(),
  runId: z.string(),
  /** The step of the run that waits. */
  step: z.int(),
  /** A tool call, or an approval node of a workflow. */
  kind: z.enum(['tool', 'node']),
  /** The tool's name, or the node's path. */
  subject: z.string(),
  /** SHA-256 of the arguments' canonical JSON (RFC 8785), in hexadecimal. */
  argumentsHash: z.string(),
  /** For those who hold READ_PROMPTS or RESOLVE_RUNS. */
  arguments: json.optional(),
  state: approvalState,
  /** The least role that may answer; null: whoever may resolve runs. */
  role: approvalRole.nullable(),
  /** How many different people must approve; one who declines ends it. */
  quorum: z.int(),
  excludeRequester: z.boolean(),
  requestedBy: z.string(),
  expiresAt: time.nullable(),
  /** What happens at `expires_at`. */
  defaultOutcome: outcome.nullable(),
  escalateRole: approvalRole.nullable(),
  escalateAt: time.nullable(),
  escalatedAt: time.nullable(),
  createdAt: time,
  decidedAt: time.nullable(),
  /** The user whose answer decided, or `system` where the time was over. */
  decidedBy: z.string().nullable(),
  reason: z.string().nullable(),
})

export const approvalVote = z.object({
  userId: z.string(),
  /** The key with which they answered, or the user. */
  actor: z.string(),
  outcome,
  reason: z.string().nullable(),
  createdAt: time,
})

export const approvalDetail = approval.extend({ votes: z.array(approvalVote) })

export const decideApproval = z.strictObject({
  outcome,
  reason,
  /** Of the arguments that you looked at: where they are others, the answer is refused. */
  argumentsHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hexadecimal')
    .optional(),
})

export const decideEarly = z.strictObject({
  /** The tool's name, or the node's path. */
  subject: z.string().min(1).max(SUBJECT_CHARS_MAX),
  /** Exactly these; for an approval node they may be left out: then whatever they are. */
  arguments: json.optional(),
  outcome,
  reason,
})

export const earlyDecision = z.object({
  runId: z.string(),
  subject: z.string(),
  argumentsHash: z.string().nullable(),
  outcome,
  reason: z.string().nullable(),
  /** The question that it answered at once; null where it is kept until the question is asked. */
  approvalId: z.string().nullable(),
})

export const createApprovalLink = z.strictObject({
  /** In whose name the link answers; without it, in yours. */
  userId: idText('user').optional(),
  expiresIn: duration
    .refine((text) => durationMs(text) <= APPROVAL_LINK_MS_MAX, 'must be seven days at most')
    .optional(),
})

/** `url` is shown once; it is relative to the server. Whoever opens it may answer, once. */
export const approvalLink = z.object({
  approvalId: z.string(),
  userId: z.string(),
  url: z.string(),
  expiresAt: time,
})

/** What the page of a link sends. */
export const answerLink = z.strictObject({ outcome, reason })

export type Approval = z.infer<typeof approval>
export type ApprovalDetail = z.infer<typeof approvalDetail>
export type DecideApproval = z.infer<typeof decideApproval>
export type DecideEarly = z.infer<typeof decideEarly>
export type EarlyDecision = z.infer<typeof earlyDecision>
export type CreateApprovalLink = z.infer<typeof createApprovalLink>
export type ApprovalLink = z.infer<typeof approvalLink>
