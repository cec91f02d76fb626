// How a run ends or lets go: state, event, job, session and capture policy in one transaction.

import type { AppError } from '../../base/errors.ts'
import { type Json, type JsonObject, withoutNul } from '../../base/json.ts'
import { formatUsd } from '../../base/money.ts'
import { appendRunEvent } from '../../events/append.ts'
import type { ClaimedJob } from '../../queue/job.ts'
import { settleJob } from '../../queue/job-store.ts'
import { applyCapture } from '../capture.ts'
import { advanceRun, finishRun, type RunRow, setAside, waitingChildren } from '../journal/run-store.ts'
import { interruptSteps, waitingSteps } from '../journal/step-store.ts'
import { insertTurn, leaveSession } from '../session-store.ts'
import type { DriveDeps, RunContext } from './context.ts'

export type RunEndState =
  | { readonly state: 'completed'; readonly output: Json; readonly text: string }
  | { readonly state: 'failed'; readonly error: Pick<AppError, 'code' | 'message'> }
  | { readonly state: 'cancelled' }

/** Ends the run with all that was gathered. */
export async function finish(ctx: RunContext, job: ClaimedJob | undefined, end: RunEndState): Promise<void> {
  const { journal, run, tally } = ctx
  const at = ctx.deps.clock()
  const open = ctx.turn !== undefined
  journal.event(`run.${end.state}`, {
    ...(end.state === 'failed' ? { code: end.error.code } : {}),
    tool_calls: tally.toolCalls,
    tokens: tally.tokens,
    cost_usd: formatUsd(tally.costNanos),
    unpriced_calls: tally.unpriced,
  })
  journal.add(async (tx) => {
    await tx.run(finishRun, {
      id: run.id,
      fence: run.fence,
      state: end.state,
      output: end.state === 'completed' ? JSON.stringify(end.output) : null,
      errorCode: end.state === 'failed' ? end.error.code : null,
      errorMessage: end.state === 'failed' ? end.error.message : null,
      at,
    })
    if (open) await tx.run(interruptSteps, { runId: run.id, at })
    if (job !== undefined) await settleJob(tx, job, 'done', at)
    const { sessionId } = run
    if (sessionId !== null) {
      const turns = end.state === 'completed' ? 1 : 0
      const left = await tx.first(leaveSession, { id: sessionId, runId: run.id, turns, at })
      if (left !== undefined && end.state === 'completed') {
        const turn = { sessionId, seq: left.turnCount, runId: run.id, createdAt: at }
        await tx.run(insertTurn, {
          ...turn,
          input: inputText(JSON.parse(run.input) as Json),
          output: withoutNul(end.text),
        })
      }
    }
    await applyCapture(tx, run.id, ctx.capture)
  })
  await journal.flush()
  ctx.deps.observer.runEnded(ctx.observed, {
    state: end.state,
    errorCode: end.state === 'failed' ? end.error.code : undefined,
    ms: at - run.createdAt,
  })
}

/**
 * Lets the run wait for a person. False where an answer came meanwhile: then the run goes on at once.
 * The check and the change are one transaction, so that an answer cannot fall between them.
 */
export async function park(ctx: RunContext, job: ClaimedJob | undefined): Promise<boolean> {
  const { journal, run } = ctx
  const reason = ctx.turn?.some((call) => call.waitingReason === 'in_doubt') ? 'in_doubt' : 'approval'
  let parked = false
  await journal.flush()
  journal.add(async (tx) => {
    const steps = await tx.first(waitingSteps, { runId: run.id })
    const children = await tx.first(waitingChildren, { rootRunId: run.rootRunId, parentRunId: run.id })
    parked = Number(steps?.waiting ?? 0) + Number(children?.waiting ?? 0) > 0
    if (!parked) return
    await tx.run(setAside, { id: run.id, fence: run.fence, state: 'waiting', waitingReason: reason })
    if (job !== undefined) await settleJob(tx, job, 'parked', ctx.deps.clock())
  })
  journal.event('run.waiting', { reason })
  await journal.flush()
  if (parked) {
    ctx.deps.observer.runEnded(ctx.observed, {
      state: 'waiting',
      errorCode: undefined,
      ms: ctx.deps.clock() - run.createdAt,
    })
  }
  return parked
}

/** Gives the run back to the queue: another worker goes on from the last step. */
export async function release(ctx: RunContext, job: ClaimedJob | undefined): Promise<void> {
  const { journal, run } = ctx
  journal.add(async (tx) => {
    await tx.run(setAside, { id: run.id, fence: run.fence, state: 'queued', waitingReason: null })
    if (job !== undefined) await settleJob(tx, job, 'queued', ctx.deps.clock())
  })
  await journal.flush()
}

/** Fails a run whose plan cannot be made: a tool or guardrail that this server does not have. False where the lease was lost. */
export async function failUnloaded(
  deps: DriveDeps,
  run: RunRow,
  job: ClaimedJob | undefined,
  error: AppError,
): Promise<boolean> {
  const at = deps.clock()
  const nothing = {
    steps: 0,
    messages: 0,
    toolCalls: 0,
    inputTokens: 0,
    outputTokens: 0,
    costNanos: 0n,
    unpriced: 0,
  }
  const stored = await deps.db.tenant(run.tenantId).write(async (tx) => {
    const advanced = await tx.first(advanceRun, { id: run.id, fence: run.fence, events: 1, ...nothing })
    if (advanced === undefined) return false
    const end = { output: null, errorCode: error.code, errorMessage: error.message, at }
    await tx.run(finishRun, { id: run.id, fence: run.fence, state: 'failed', ...end })
    if (job !== undefined) await settleJob(tx, job, 'done', at)
    if (run.sessionId !== null)
      await tx.first(leaveSession, { id: run.sessionId, runId: run.id, turns: 0, at })
    const event = { runId: run.id, runSeq: advanced.eventCount, actor: deps.worker, at }
    await appendRunEvent(tx, { ...event, type: 'run.failed', data: { code: error.code } })
    return true
  })
  deps.written(run.id)
  return stored
}

/** The user's text: the input itself, its only member `text`, or its JSON. */
export function inputText(input: Json): string {
  if (typeof input === 'string') return input
  const { text } = (typeof input === 'object' && input !== null ? input : {}) as JsonObject
  return typeof text === 'string' && Object.keys(input as JsonObject).length === 1
    ? text
    : JSON.stringify(input)
}
