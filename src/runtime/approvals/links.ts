// A link answers one question, once, in the name of one user, for a short time. Whoever holds it needs no key; a token
// is shown when it is made and stored nowhere. Every reason why a link is good for nothing is told in the same words.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { AppError } from '../../base/errors.ts'
import { type ApprovalId, isId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import { APPROVAL_LINK_MS_DEFAULT } from '../../contract/approval-resource.ts'
import { actorOf, type Principal } from '../../contract/principal.ts'
import { appendAudit } from '../../events/append.ts'
import { selectKey } from '../../identity/api-key-store.ts'
import type { TenantReader } from '../../storage/database.ts'
import type { RowOf } from '../../storage/schema/tables.ts'
import { runById } from '../journal/run-store.ts'
import { type ApprovalRow, approvalById, votesOf } from './approval-store.ts'
import type { ApprovalLink, ChangeContext, LinkAnswer, LinkedQuestion, LinkOptions } from './approvals.ts'
import { answerApproval, type DecideDeps, lockApproval } from './decide.ts'
import { insertLink, linkByHash, useLink } from './link-store.ts'
import { type Answerer, answererOf } from './may-answer.ts'
import { approvalView } from './read-approvals.ts'
import { refusalIn } from './requester.ts'
import { decidedBefore } from './settle-approval.ts'

const TOKEN_BYTES = 32
/** Masked wherever a log line would show it, like a key. */
const TOKEN_PREFIX = 'af_link_'

type LinkRow = RowOf<'approvalLinks'>

/** Throws `approval.not-found`, `approval.decided`, `approval.not-yours`. */
export async function createLink(
  deps: Pick<DecideDeps, 'db' | 'clock'>,
  principal: Principal,
  id: ApprovalId,
  options: LinkOptions,
  { requestId }: ChangeContext,
): Promise<ApprovalLink> {
  const at = deps.clock()
  const token = TOKEN_PREFIX + randomBytes(TOKEN_BYTES).toString('base64url')
  const userId = options.userId ?? principal.userId
  const expiresAt = await deps.db.tenant(principal.tenantId).write(async (tx) => {
    const approval = await tx.first(approvalById, { id })
    if (approval === undefined) throw new AppError('approval.not-found', `There is no approval "${id}".`)
    if (!isOpen(approval, at)) throw decidedBefore(approval)
    await checkName(tx, approval, principal, userId)
    const until = at + (options.expiresInMs ?? APPROVAL_LINK_MS_DEFAULT)
    const end = Math.min(until, approval.expiresAt ?? until)
    const createdBy = actorOf(principal)
    await tx.run(insertLink, {
      hash: hashOf(token),
      approvalId: id,
      userId,
      createdBy,
      createdAt: at,
      expiresAt: end,
    })
    const data = { run_id: approval.runId, step: approval.step, user_id: userId, expires_at: end }
    await appendAudit(tx, {
      type: 'approval.link-created',
      actor: createdBy,
      subject: id,
      data,
      requestId,
      at,
    })
    return end
  })
  return { approvalId: id, userId, token, expiresAt }
}

/**
 * In one's own name, whoever may answer. In another's, only what one could answer alone: with a link one could answer
 * oneself, and neither a role nor a number of people is to be got around by that.
 */
async function checkName(
  reader: TenantReader,
  approval: ApprovalRow,
  principal: Principal,
  userId: string,
): Promise<void> {
  const own = await refusalIn(reader, approval, principal)
  if (own !== undefined) throw own
  if (userId === principal.userId) return
  if (approval.quorum > 1)
    throw new AppError(
      'approval.not-yours',
      'Several people must answer this: each makes a link for themselves.',
    )
  const named = await answererOf(reader, userId)
  if (named === undefined)
    throw new AppError('request.invalid', 'There is no such user in the tenant.', {
      errors: [{ path: '/user_id', message: 'is no user of the tenant' }],
    })
  const refusal = await refusalIn(reader, approval, named)
  if (refusal !== undefined) throw refusal
}

/** What the link asks. It changes nothing, whoever opens it. Throws `approval.link-invalid`. */
export async function openLink(
  { db, clock }: Pick<DecideDeps, 'db' | 'clock'>,
  token: string,
): Promise<LinkedQuestion> {
  const at = clock()
  const link = await db.system.read((reader) => reader.first(linkByHash, { hash: hashOf(token) }))
  if (!isUsable(link, token, at)) throw invalid()
  return db.tenant(link.tenantId).read(async (reader) => {
    const approval = await reader.first(approvalById, { id: link.approvalId })
    if (approval === undefined || (await namedBy(reader, link, approval, at)) === undefined) throw invalid()
    const run = await reader.first(runById, { id: approval.runId })
    if (run === undefined) throw invalid()
    return { approval: approvalView(approval), run: run.definitionName, until: link.expiresAt }
  })
}

/** Answers, and uses the link up, in one transaction. Throws `approval.link-invalid`. */
export async function answerLink(
  deps: DecideDeps,
  token: string,
  { outcome, reason }: LinkAnswer,
  { requestId }: ChangeContext,
): Promise<void> {
  const at = deps.clock()
  const hash = hashOf(token)
  // Looked at before anything is locked: whoever guesses tokens holds up nobody who writes.
  const known = await deps.db.system.read((reader) => reader.first(linkByHash, { hash }))
  if (!isUsable(known, token, at)) throw invalid()
  const runId = await deps.db.system.write(async (system) => {
    const link = await system.first(linkByHash, { hash })
    if (!isUsable(link, token, at)) throw invalid()
    const tx = system.forTenant(link.tenantId)
    const { approval, tree } = await lockApproval(tx, link.approvalId)
    const answerer = await namedBy(tx, link, approval, at)
    if (answerer === undefined || (await tx.run(useLink, { hash, at })) !== 1) throw invalid()
    await answerApproval(tx, tree, approval, {
      ...answerer,
      actor: answerer.userId,
      outcome,
      reason: reason || null,
      via: 'link',
      linkBy: link.createdBy,
      requestId,
      at,
    })
    return approval.runId
  })
  deps.written(runId)
  deps.woken()
}

/** The user in whose name the link answers, as long as they may and have not, and who made it may as well. */
async function namedBy(
  reader: TenantReader,
  { userId, createdBy }: LinkRow,
  approval: ApprovalRow,
  at: EpochMs,
): Promise<Answerer | undefined> {
  if (!(await mayStill(reader, createdBy, approval))) return undefined
  const answerer = await answererOf(reader, userId)
  if (answerer === undefined || !isOpen(approval, at)) return undefined
  if ((await refusalIn(reader, approval, answerer)) !== undefined) return undefined
  const votes = await reader.all(votesOf, { approvalId: approval.id })
  return votes.some((vote) => vote.userId === userId) ? undefined : answerer
}

/** A link goes with the key that made it, and with the right of its maker to answer. */
async function mayStill(reader: TenantReader, createdBy: string, approval: ApprovalRow): Promise<boolean> {
  const key = isId('apiKey', createdBy) ? await reader.first(selectKey, { id: createdBy }) : undefined
  if (key !== undefined && key.revokedAt !== null) return false
  const maker = await answererOf(reader, key?.ownerId ?? createdBy)
  return maker !== undefined && (await refusalIn(reader, approval, maker)) === undefined
}

function isOpen({ state, expiresAt }: ApprovalRow, at: EpochMs): boolean {
  return state === 'pending' && (expiresAt === null || at < expiresAt)
}

/** The index has found the hash already; to compare in constant time costs nothing. */
function isUsable(link: LinkRow | undefined, token: string, at: EpochMs): link is LinkRow {
  if (link === undefined || link.usedAt !== null || at >= link.expiresAt) return false
  return timingSafeEqual(Buffer.from(link.hash), Buffer.from(hashOf(token)))
}

function hashOf(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex')
}

function invalid(): AppError {
  return new AppError(
    'approval.link-invalid',
    'This link is not valid, or not any more: it was used, its time is over, or the question has its answer.',
  )
}
