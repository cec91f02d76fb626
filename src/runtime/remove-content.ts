// Removes what was said in runs and conversations that were kept long enough. What is known of them beside (state, codes,
// counts, usage, costs, events) stays. Who removes it first has removed it.

import type { RunId, SessionId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import type { TenantTransaction } from '../storage/database.ts'
import { type Bind, statement } from '../storage/statement.ts'
import { applyCapture } from './capture.ts'
import { BODY_AGE_MS } from './journal/message-store.ts'

/** Nothing younger is removed: who started a run reads its answer, and what another run stores meanwhile is not lost. */
export const CONTENT_AGE_MS_MIN = 2 * BODY_AGE_MS

/**
 * Takes away what was said in a run that has ended, its input, output and reasons among it, and the large texts that no
 * other run names. Answers false where that was done before.
 */
export async function removeRunContent(
  tx: TenantTransaction,
  runId: RunId,
  { before, at }: { readonly before: EpochMs; readonly at: EpochMs },
): Promise<boolean> {
  if ((await tx.run(markRun, { runId, before, at })) !== 1) return false
  const hashes = new Set<string>()
  for (const { inputHash, outputHash } of await tx.all(bodiesOfSteps, { runId }))
    for (const hash of [inputHash, outputHash]) if (hash !== null) hashes.add(hash)
  for (const { contentHash } of await tx.all(bodiesOfMessages, { runId }))
    if (contentHash !== null) hashes.add(contentHash)
  const heads = (await tx.all(ownHeads, { runId })).map(({ headHash }) => headHash)
  await applyCapture(tx, runId, 'metadata')
  await tx.run(dropStepReasons, { runId })
  await tx.run(dropCallReasons, { runId })
  await tx.run(dropOwnHeads, { runId })
  await tx.run(dropApprovalReasons, { runId })
  await tx.run(dropVoteReasons, { runId })
  await tx.run(dropEarlyReasons, { runId })
  for (const hash of hashes) await tx.run(dropBody, { hash, before, unlike: '' })
  for (const hash of heads) await tx.run(dropBody, { hash, before, unlike: WITHOUT_MESSAGES })
  return true
}

/** Takes away the turns and the summary of a conversation that nobody has used since. Answers how many turns. */
export async function removeSessionContent(
  tx: TenantTransaction,
  sessionId: SessionId,
  { before, at }: { readonly before: EpochMs; readonly at: EpochMs },
): Promise<number | undefined> {
  if ((await tx.run(markSession, { sessionId, before, at })) !== 1) return undefined
  return tx.run(dropTurns, { sessionId })
}

/** Takes away events that came before and that no step waits to be given. Answers how many. */
export function removeSignals(tx: TenantTransaction, before: EpochMs, limit: number): Promise<number> {
  return tx.run(dropSignals, { before, limit })
}

/** A head without messages is nobody's words, and the same for many runs: processes know that it is there. */
const WITHOUT_MESSAGES = '%"messages":null%'

type OfRun = Bind<{ runId: RunId }>

/** Runs that ended before and whose content is there, after a place, in that order; and when the run at their top ended. */
export const runsWithContent = statement(
  'retention.runs',
  (db, p: Bind<{ before: EpochMs; afterAt: EpochMs; afterId: RunId; limit: number }>) =>
    db
      .selectFrom('runs')
      .innerJoin('runs as top', (join) =>
        join.onRef('top.tenantId', '=', 'runs.tenantId').onRef('top.id', '=', 'runs.rootRunId'),
      )
      .select(['runs.id', 'runs.finishedAt', 'top.finishedAt as topFinishedAt'])
      .where('runs.tenantId', '=', p.tenantId)
      .where('top.tenantId', '=', p.tenantId)
      .where('runs.contentRemovedAt', 'is', null)
      .where('runs.finishedAt', 'is not', null)
      .where('runs.finishedAt', '<', p.before)
      .where('runs.finishedAt', '>=', p.afterAt)
      .where((eb) =>
        eb.or([
          eb('runs.finishedAt', '>', p.afterAt),
          eb.and([eb('runs.finishedAt', '=', p.afterAt), eb('runs.id', '>', p.afterId)]),
        ]),
      )
      .orderBy('runs.finishedAt')
      .orderBy('runs.id')
      .limit(p.limit),
)

/** Conversations that nobody has used since, and whose content is there. */
export const sessionsWithContent = statement(
  'retention.sessions',
  (db, p: Bind<{ before: EpochMs; limit: number }>) =>
    db
      .selectFrom('sessions')
      .select('id')
      .where('tenantId', '=', p.tenantId)
      .where('contentRemovedAt', 'is', null)
      .where('updatedAt', '<', p.before)
      .where('activeRunId', 'is', null)
      .orderBy('updatedAt')
      .limit(p.limit),
)

const markRun = statement(
  'retention.mark-run',
  (db, p: Bind<{ runId: RunId; before: EpochMs; at: EpochMs }>) =>
    db
      .updateTable('runs')
      .set({ contentRemovedAt: p.at, input: 'null', output: null, errorMessage: null })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.runId)
      .where('finishedAt', '<', p.before)
      .where('contentRemovedAt', 'is', null),
)
const markSession = statement(
  'retention.mark-session',
  (db, p: Bind<{ sessionId: SessionId; before: EpochMs; at: EpochMs }>) =>
    db
      .updateTable('sessions')
      .set({ contentRemovedAt: p.at, summary: null })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.sessionId)
      .where('updatedAt', '<', p.before)
      .where('activeRunId', 'is', null)
      .where('contentRemovedAt', 'is', null),
)
const dropTurns = statement('retention.drop-turns', (db, p: Bind<{ sessionId: SessionId }>) =>
  db.deleteFrom('sessionTurns').where('tenantId', '=', p.tenantId).where('sessionId', '=', p.sessionId),
)
const bodiesOfSteps = statement('retention.step-bodies', (db, p: OfRun) =>
  db
    .selectFrom('steps')
    .select(['inputHash', 'outputHash'])
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where((eb) => eb.or([eb('inputHash', 'is not', null), eb('outputHash', 'is not', null)])),
)
const bodiesOfMessages = statement('retention.message-bodies', (db, p: OfRun) =>
  db
    .selectFrom('runMessages')
    .select('contentHash')
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('contentHash', 'is not', null),
)
/** Heads that hold messages: of compactions. Those of agents hold what is defined, and stay. */
const ownHeads = statement('retention.own-heads', (db, p: OfRun) =>
  db
    .selectFrom('modelCalls')
    .select('headHash')
    .distinct()
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('messagesUntil', '=', 0)
    .where('headHash', '<>', ''),
)
const dropOwnHeads = statement('retention.drop-own-heads', (db, p: OfRun) =>
  db
    .updateTable('modelCalls')
    .set({ headHash: '' })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('messagesUntil', '=', 0),
)
const dropStepReasons = statement('retention.drop-step-reasons', (db, p: OfRun) =>
  db
    .updateTable('steps')
    .set({ errorMessage: null })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('errorMessage', 'is not', null),
)
const dropCallReasons = statement('retention.drop-call-reasons', (db, p: OfRun) =>
  db
    .updateTable('modelCalls')
    .set({ failureMessage: null })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('failureMessage', 'is not', null),
)
const dropApprovalReasons = statement('retention.drop-approval-reasons', (db, p: OfRun) =>
  db
    .updateTable('approvals')
    .set({ reason: null })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId),
)
const dropVoteReasons = statement('retention.drop-vote-reasons', (db, p: OfRun) =>
  db
    .updateTable('approvalVotes')
    .set({ reason: null })
    .where('tenantId', '=', p.tenantId)
    .where('approvalId', 'in', (eb) =>
      eb
        .selectFrom('approvals')
        .select('approvals.id')
        .where('approvals.tenantId', '=', p.tenantId)
        .where('approvals.runId', '=', p.runId),
    ),
)
const dropEarlyReasons = statement('retention.drop-early-reasons', (db, p: OfRun) =>
  db
    .updateTable('earlyDecisions')
    .set({ reason: null })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId),
)

/**
 * A large text that nobody names any more. One that is stored again in this moment is young, and stays: on Postgres the
 * condition is looked at again once the other one has written.
 */
export const dropBody = statement(
  'retention.drop-body',
  (db, p: Bind<{ hash: string; before: EpochMs; unlike: string }>) =>
    db
      .deleteFrom('bodies')
      .where('tenantId', '=', p.tenantId)
      .where('hash', '=', p.hash)
      .where('createdAt', '<', p.before)
      .where('content', 'not like', p.unlike)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('steps')
              .select('steps.seq')
              .where('steps.tenantId', '=', p.tenantId)
              .where('steps.inputHash', '=', p.hash),
          ),
        ),
      )
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('steps')
              .select('steps.seq')
              .where('steps.tenantId', '=', p.tenantId)
              .where('steps.outputHash', '=', p.hash),
          ),
        ),
      )
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('runMessages')
              .select('runMessages.seq')
              .where('runMessages.tenantId', '=', p.tenantId)
              .where('runMessages.contentHash', '=', p.hash),
          ),
        ),
      )
      .where(({ not, exists, selectFrom, lit }) =>
        not(
          exists(
            selectFrom('modelCalls')
              .select('modelCalls.id')
              .where('modelCalls.tenantId', '=', p.tenantId)
              .where('modelCalls.headHash', '=', p.hash)
              .where('modelCalls.messagesUntil', '=', lit(0)),
          ),
        ),
      ),
)
export const dropSignals = statement(
  'retention.drop-signals',
  (db, p: Bind<{ before: EpochMs; limit: number }>) =>
    db
      .deleteFrom('signals')
      .where('tenantId', '=', p.tenantId)
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('signals as old')
          .select('old.id')
          .where('old.tenantId', '=', p.tenantId)
          .where('old.createdAt', '<', p.before)
          .where((inner) =>
            inner.not(
              inner.exists(
                inner
                  .selectFrom('signalWaits')
                  .select('signalWaits.step')
                  .where('signalWaits.tenantId', '=', p.tenantId)
                  .where('signalWaits.state', '=', 'claimed')
                  .whereRef('signalWaits.signalId', '=', 'old.id'),
              ),
            ),
          )
          .orderBy('old.createdAt')
          .limit(p.limit),
      ),
)
