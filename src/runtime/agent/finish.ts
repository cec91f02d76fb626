// How a run ends or lets go: state, event, job, session and capture policy in one transaction.

import type { AppError } from '../../base/errors.ts'
import type { RunId, SessionId } from '../../base/ids.ts'
import { type Json, type JsonObject, withoutNul } from '../../base/json.ts'
import { formatUsd } from '../../base/money.ts'
import type { EpochMs } from '../../base/time.ts'
import { appendRunEvent } from '../../events/append.ts'
import type { ClaimedJob } from '../../queue/job.ts'
import { settleJob } from '../../queue/job-store.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { withdrawApprovals } from '../approvals/request-approval.ts'
import { closeBudgetWaits } from '../budget-waits.ts'
import { applyCapture } from '../capture.ts'
import { firstAnswer } from '../journal/message-store.ts'
import { countEvent, finishRun, lockRun, type RunRow, setAside } from '../journal/run-store.ts'
import { waitingChildren } from '../journal/run-tree-store.ts'
import { interruptSteps, openPaidSteps, putBackStep, waitingSteps } from '../journal/step-store.ts'
import { WAITING_PRECEDENCE } from '../run-state.ts'
import { insertTurn, leaveSession } from '../session-store.ts'
import { closeBelow, closeRun, closingFor } from './close-run.ts'
import type { DriveDeps, DrivenRun, OpenCall, RunContext } from './context.ts'
import { giveBack } from './give-back.ts'
import { accountForRun, accountForTool, openTool } from './run-end.ts'
import { setAsideUnroutable } from './unroutable.ts'

export type RunEndState =
  | { readonly state: 'completed'; readonly output: Json; readonly text: string }
  | { readonly state: 'failed'; readonly error: Pick<AppError, 'code' | 'message'> }
  | { readonly state: 'cancelled' }

/** Ends an agent's run, and its turn of the session. */
export function finish(ctx: RunContext, job: ClaimedJob | undefined, end: RunEndState): Promise<void> {
  const { sessionId } = ctx.run
  putBack(ctx, () => true)
  return finishRunWith(ctx, job, end, {
    open: ctx.turn !== undefined || ctx.heldBack !== undefined,
    also: async (tx, at) => {
      if (sessionId !== null) await speak(ctx, tx, sessionId, end, at)
    },
  })
}

/** Ends a run with all that was gathered, and where something is open, that and what is below it. */
export async function finishRunWith(
  ctx: DrivenRun,
  job: ClaimedJob | undefined,
  end: RunEndState,
  more: {
    readonly open: boolean
    readonly also?: (tx: TenantTransaction, at: EpochMs) => Promise<void>
  },
): Promise<void> {
  const { journal, run, tally, deps } = ctx
  const at = deps.clock()
  const closing = await closingFor(deps, ctx.tenantId, { actor: deps.worker, at })
  let below: readonly RunId[] = []
  journal.event(`run.${end.state}`, {
    ...(end.state === 'failed' ? { code: end.error.code } : {}),
    tool_calls: tally.toolCalls,
    // Of this run and those below it: not to be summed over runs.
    tree: { tokens: tally.tokens, cost_usd: formatUsd(tally.costNanos), unpriced_calls: tally.unpriced },
  })
  journal.add(async (tx) => {
    await tx.run(finishRun, {
      id: run.id,
      fence: run.fence,
      state: end.state,
      output: end.state === 'completed' ? JSON.stringify(end.output) : null,
      errorCode: end.state === 'failed' ? end.error.code : null,
      errorMessage: end.state === 'failed' ? withoutNul(end.error.message) : null,
      at,
    })
    await accountForRun(tx, closing, run, at)
    if (more.open) {
      for (const step of await tx.all(openPaidSteps, { runId: run.id }))
        if (step.kind === 'tool') await accountForTool(tx, closing, run, openTool(step), at)
      await tx.run(interruptSteps, { runId: run.id, at })
      await closeBudgetWaits(tx, run.id)
      await withdrawApprovals(tx, run.id, at)
      below = await closeBelow(tx, run, closing)
    }
    if (job !== undefined) await settleJob(tx, job, 'done', at)
    await more.also?.(tx, at)
    await applyCapture(tx, run.id, ctx.capture)
  })
  await journal.flush()
  for (const id of below) deps.written(id, true)
  deps.observer.runEnded(ctx.observed, {
    state: end.state,
    errorCode: end.state === 'failed' ? end.error.code : undefined,
    ms: at - run.createdAt,
  })
}

/** Leaves the session; a completed run was a turn of it. */
async function speak(
  ctx: RunContext,
  tx: TenantTransaction,
  sessionId: SessionId,
  end: RunEndState,
  at: EpochMs,
): Promise<void> {
  const { run } = ctx
  const turns = end.state === 'completed' ? 1 : 0
  const left = await tx.first(leaveSession, { id: sessionId, runId: run.id, turns, at })
  if (left === undefined || end.state !== 'completed') return
  const turn = { sessionId, seq: left.turnCount, runId: run.id, createdAt: at }
  // What the guardrails let pass, as the model was told it.
  const answer = await tx.first(firstAnswer, { runId: run.id })
  const asked = answer === undefined ? undefined : ctx.messages[answer.seq - 2]
  const input = asked?.role === 'user' ? asked.text : inputText(JSON.parse(run.input) as Json)
  await tx.run(insertTurn, { ...turn, input: withoutNul(input), output: withoutNul(end.text) })
}

/**
 * Lets the run wait for a person. False where it may go on at once: an answer came meanwhile, or a request to cancel it.
 * The check and the change are one transaction, so that nothing can fall between them.
 */
export async function park(ctx: RunContext, job: ClaimedJob | undefined): Promise<boolean> {
  const { journal, run, deps } = ctx
  const open = (ctx.turn ?? []).filter(({ result }) => result === undefined)
  const waitsFor = open.length + (ctx.heldBack === undefined ? 0 : 1)
  await journal.flush()
  const found = await journal.fenced(async (tx, row) => {
    if (row.cancelRequestedAt !== null) return 'cancelled'
    const steps = await tx.all(waitingSteps, { runId: run.id })
    const children = await tx.all(waitingChildren, { rootRunId: run.rootRunId, parentRunId: run.id })
    const reasons = [...steps, ...children].map(({ waitingReason }) => waitingReason)
    // One that waits no more has its answer: the run goes on with it, though others wait still.
    if (reasons.length < waitsFor) return 'answered'
    const reason = WAITING_PRECEDENCE.find((known) => reasons.includes(known)) ?? 'approval'
    const at = deps.clock()
    const counted = await tx.first(countEvent, { id: run.id })
    const event = { type: 'run.waiting', runId: run.id, actor: deps.worker, data: { reason }, at } as const
    if (counted !== undefined) await appendRunEvent(tx, { ...event, runSeq: counted.eventCount })
    await tx.run(setAside, { id: run.id, fence: run.fence, state: 'waiting', waitingReason: reason })
    if (job !== undefined) await settleJob(tx, job, 'parked', at)
    return 'waiting'
  })
  if (found === 'cancelled') ctx.interruption.stop('cancelled')
  if (found !== 'waiting') return false
  const ms = deps.clock() - run.createdAt
  deps.observer.runEnded(ctx.observed, { state: 'waiting', errorCode: undefined, ms })
  return true
}

/** Gives the run back to the queue: another worker goes on from the last step. `unroutable` as for `giveBack`. */
export async function release(
  ctx: RunContext,
  job: ClaimedJob | undefined,
  unroutable?: Pick<AppError, 'code' | 'message'>,
): Promise<void> {
  // Nobody needs to wonder what became of a call that was not made.
  putBack(ctx, (call) => call.effect === 'once')
  await giveBack(ctx, job, unroutable)
}

/** Gathers that these intended calls were not made. */
function putBack({ journal, run, turn = [] }: RunContext, which: (call: OpenCall) => boolean): void {
  const unmade = turn.filter((call) => call.state === 'intended' && !call.made && which(call))
  if (unmade.length === 0) return
  journal.add(async (tx) => {
    for (const { step } of unmade) await tx.run(putBackStep, { runId: run.id, seq: step })
  })
}

/** Sets a run aside that this worker cannot load. False where the lease was lost. */
export async function putAside(
  deps: DriveDeps,
  run: RunRow,
  job: ClaimedJob | undefined,
  reason: Pick<AppError, 'code' | 'message'>,
): Promise<boolean> {
  const facts = { actor: deps.worker, at: deps.clock() }
  const done = await deps.db.tenant(run.tenantId).write(async (tx) => {
    const row = await tx.first(lockRun, { id: run.id })
    if (row?.fence !== run.fence || row.state !== 'running') return false
    await setAsideUnroutable(tx, run, job, reason, facts)
    return true
  })
  if (done) deps.written(run.id, true)
  return done
}

/** Fails a run that cannot be loaded, as rows. False where the lease was lost. */
export async function failUnloaded(
  deps: DriveDeps,
  run: RunRow,
  job: ClaimedJob | undefined,
  error: Pick<AppError, 'code' | 'message'>,
): Promise<boolean> {
  const at = deps.clock()
  const closing = await closingFor(deps, run.tenantId, { actor: deps.worker, at })
  const ended = await deps.db.tenant(run.tenantId).write(async (tx) => {
    const row = await tx.first(lockRun, { id: run.id })
    if (row?.fence !== run.fence || row.state !== 'running') return undefined
    await closeRun(tx, run.id, { state: 'failed', error }, closing)
    if (job !== undefined) await settleJob(tx, job, 'done', at)
    return [run.id, ...(await closeBelow(tx, run, closing))]
  })
  for (const id of ended ?? []) deps.written(id, true)
  return ended !== undefined
}

/** The user's text: the input itself, its only member `text`, or its JSON. */
export function inputText(input: Json): string {
  if (typeof input === 'string') return input
  const { text } = (typeof input === 'object' && input !== null ? input : {}) as JsonObject
  return typeof text === 'string' && Object.keys(input as JsonObject).length === 1
    ? text
    : JSON.stringify(input)
}
