// What approvals give the rest: questions of waiting steps, read and answered, before and after they are asked.

import type { ApprovalId, RunId, TenantId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import type { Principal } from '../../contract/principal.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import type { RowOf } from '../../storage/schema/tables.ts'

type Row = RowOf<'approvals'>

/** A question about one waiting step. */
export interface Approval extends Omit<Row, 'tenantId' | 'arguments' | 'excludeRequester'> {
  readonly arguments: Json
  readonly excludeRequester: boolean
}

export interface ApprovalVote {
  readonly userId: string
  readonly actor: string
  readonly outcome: 'approve' | 'decline'
  readonly reason: string | null
  readonly createdAt: EpochMs
}

export interface ApprovalDetail extends Approval {
  readonly votes: readonly ApprovalVote[]
}

export interface ApprovalFilter {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly state?: Row['state'] | undefined
  readonly runId?: RunId | undefined
}

export interface ApprovalPage {
  readonly items: readonly Approval[]
  readonly nextCursor: string | undefined
}

export interface Decision {
  readonly outcome: 'approve' | 'decline'
  readonly reason?: string | undefined
  /** Of the arguments that were looked at; another is refused with `approval.arguments-changed`. */
  readonly argumentsHash?: string | undefined
}

export interface EarlyDecision {
  /** The tool's name, or the node's path. */
  readonly subject: string
  /** May be left out for a node: then whatever they are. */
  readonly arguments?: Json | undefined
  readonly outcome: 'approve' | 'decline'
  readonly reason?: string | undefined
}

export interface EarlyAnswer {
  readonly runId: RunId
  readonly subject: string
  readonly argumentsHash: string | null
  readonly outcome: 'approve' | 'decline'
  readonly reason: string | null
  /** The question that it answered at once; null where it is kept until the question is asked. */
  readonly approvalId: ApprovalId | null
}

export interface LinkOptions {
  /** In whose name it answers; without it, in the caller's. */
  readonly userId?: string | undefined
  readonly expiresInMs?: number | undefined
}

export interface ApprovalLink {
  readonly approvalId: ApprovalId
  readonly userId: string
  /** Shown once, stored nowhere. */
  readonly token: string
  readonly expiresAt: EpochMs
}

export interface LinkedQuestion {
  readonly approval: Approval
  /** The name of what runs. */
  readonly run: string
  readonly until: EpochMs
}

export interface LinkAnswer {
  readonly outcome: 'approve' | 'decline'
  readonly reason?: string | undefined
}

export interface ChangeContext {
  readonly requestId: string | undefined
  /** Called in the transaction of the change, with the approval's id. */
  readonly inTransaction?: ((tx: TenantTransaction, id: string) => Promise<void>) | undefined
}

export interface Approvals {
  list(tenantId: TenantId, filter: ApprovalFilter): Promise<ApprovalPage>
  get(tenantId: TenantId, id: ApprovalId): Promise<ApprovalDetail>
  /**
   * Answers in the principal's name. Throws `approval.decided` (answered, or answered by this person before),
   * `approval.arguments-changed`, `approval.not-yours`.
   */
  decide(
    principal: Principal,
    id: ApprovalId,
    decision: Decision,
    context: ChangeContext,
  ): Promise<ApprovalDetail>
  /** Answers what the run has not asked yet, or what it asks already. */
  decideEarly(
    principal: Principal,
    runId: RunId,
    decision: EarlyDecision,
    context: ChangeContext,
  ): Promise<EarlyAnswer>
  createLink(
    principal: Principal,
    id: ApprovalId,
    options: LinkOptions,
    context: ChangeContext,
  ): Promise<ApprovalLink>
  /** Looks at a link's question. Throws `approval.link-invalid`. */
  openLink(token: string): Promise<LinkedQuestion>
  /** Answers by a link, which is used up. Throws `approval.link-invalid`. */
  answerLink(token: string, answer: LinkAnswer, context: ChangeContext): Promise<void>
}
