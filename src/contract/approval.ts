// What a definition says of its approvals: who may answer, by when, and what happens otherwise.

import { z } from 'zod'
import { duration } from './duration.ts'

export const APPROVAL_QUORUM_MAX = 20

export const approvalRole = z.enum(['USER', 'CREATOR', 'ADMIN'])

export const approvalPolicy = z.strictObject({
  /** The least role that may answer; without it, whoever may resolve runs. */
  role: approvalRole.optional(),
  /** How many different people must approve; one who declines ends it. */
  quorum: z.int().min(1).max(APPROVAL_QUORUM_MAX).optional(),
  /** Who started the run may not answer. */
  excludeRequester: z.boolean().optional(),
  /** After this time the default outcome stands. */
  expiresAfter: duration.optional(),
  /** `decline` where it is not given. */
  onExpiry: z.enum(['approve', 'decline']).optional(),
  /** After this time a higher role is asked instead. */
  escalate: z.strictObject({ after: duration, role: approvalRole }).optional(),
})

export type ApprovalPolicy = z.infer<typeof approvalPolicy>
