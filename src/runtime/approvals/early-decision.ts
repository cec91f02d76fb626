// An answer that comes before its question: kept, and used once when the question is asked. Where it is asked already,
// the answer is given at once.

import { AppError } from '../../base/errors.ts'
import type { RunId } from '../../base/ids.ts'
import { withoutNul } from '../../base/json.ts'
import { actorOf, type Principal } from '../../contract/principal.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import type { RunRow } from '../journal/run-store.ts'
import { isTerminal } from '../run-state.ts'
import { lockTree } from '../wake-tree.ts'
import { pendingOfRun } from './approval-store.ts'
import type { ChangeContext, EarlyAnswer, EarlyDecision } from './approvals.ts'
import { argumentsHash } from './arguments-hash.ts'
import { answerApproval, answerOf, type DecideDeps } from './decide.ts'
import { ANY_ARGUMENTS, countEarly, earlyOf, keepEarly } from './early-store.ts'
import { fits } from './request-approval.ts'

/** How many answers a run keeps for questions that it has not asked. */
export const EARLY_DECISIONS_MAX = 1_000

/** Throws `run.not-found`, `run.finished`, `approval.decided` where the person said something else before. */
export async function decideEarly(
  deps: DecideDeps,
  principal: Principal,
  runId: RunId,
  decision: EarlyDecision,
  context: ChangeContext,
): Promise<EarlyAnswer> {
  const at = deps.clock()
  const { subject } = decision
  const hash = decision.arguments === undefined ? ANY_ARGUMENTS : argumentsHash(decision.arguments)
  const kept = await deps.db.tenant(principal.tenantId).write(async (tx) => {
    const tree = await lockTree(tx, runId)
    checkRun(tree.at(-1), runId, hash)
    const asked = (await tx.all(pendingOfRun, { runId })).find(
      (approval) => approval.subject === subject && fits({ argumentsHash: hash }, approval),
    )
    if (asked !== undefined)
      await answerApproval(tx, tree, asked, { ...answerOf(principal, decision, context), at })
    else await keep(tx, principal, runId, hash, decision, at)
    return { argumentsHash: hash === ANY_ARGUMENTS ? null : hash, approvalId: asked?.id ?? null }
  })
  deps.written(runId)
  deps.woken()
  return { runId, subject, outcome: decision.outcome, reason: decision.reason || null, ...kept }
}

function checkRun(run: RunRow | undefined, runId: RunId, hash: string): void {
  if (run === undefined) throw new AppError('run.not-found', `There is no run "${runId}".`)
  if (isTerminal(run.state)) throw new AppError('run.finished', `The run "${runId}" has ended: ${run.state}.`)
  if (run.kind !== 'agent' || hash !== ANY_ARGUMENTS) return
  // An agent asks about tool calls only, and those are answered for their very arguments.
  throw new AppError('request.invalid', 'An early answer to a tool call names its arguments.', {
    errors: [{ path: '/arguments', message: 'is needed for the run of an agent' }],
  })
}

async function keep(
  tx: TenantTransaction,
  principal: Principal,
  runId: RunId,
  hash: string,
  { subject, outcome, reason }: EarlyDecision,
  at: number,
): Promise<void> {
  const key = { runId, subject, argumentsHash: hash, userId: principal.userId }
  const row = { ...key, actor: actorOf(principal), outcome, reason: reason ? withoutNul(reason) : null }
  const held = await tx.first(countEarly, { runId })
  if (Number(held?.count ?? 0) >= EARLY_DECISIONS_MAX)
    throw new AppError('request.invalid', `A run keeps ${EARLY_DECISIONS_MAX} early answers at most.`)
  if ((await tx.run(keepEarly, { ...row, createdAt: at })) === 1) return
  const before = await tx.first(earlyOf, key)
  // To say the same again changes nothing.
  if (before?.outcome === outcome) return
  throw new AppError('approval.decided', 'You have answered this already, and the first answer stays.')
}
