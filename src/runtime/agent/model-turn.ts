// One turn of the model: attempts, each intended and recorded with its usage and cost, until an answer or the end of patience.

import { AppError } from '../../base/errors.ts'
import { type AssistantPart, assistantText } from '../../contract/message.ts'
import type { ModelFailure, ModelOutcome, ModelRequest } from '../../models/model.ts'
import { nextAttempt } from '../../models/retry.ts'
import { putBody } from '../journal/message-store.ts'
import { insertStep } from '../journal/step-store.ts'
import { type Attempt, attemptRecord, failureOf } from './attempt-record.ts'
import { cleanOutcome } from './clean-outcome.ts'
import type { RunContext } from './context.ts'
import { pause } from './interruption.ts'

/** What an attempt asks, and how the prompt log refers to it. */
export interface Prompt {
  readonly kind: 'model' | 'compaction'
  readonly request: Omit<ModelRequest, 'model' | 'onDelta'>
  readonly head: { readonly hash: string; readonly content: string }
  /** The run's messages up to here belong to the prompt; 0 where the head holds all. */
  readonly messagesUntil: number
}

export interface Answer {
  readonly parts: readonly AssistantPart[]
  readonly step: number
}

/** Attempts until an answer; throws `model.…` where there is none. The answer is gathered, not yet flushed. */
export async function askModel(ctx: RunContext, prompt: Prompt): Promise<Answer> {
  let modelIndex = 0
  let attemptsOnModel = 0
  for (;;) {
    const model = ctx.plan.models[modelIndex] ?? ctx.plan.definition.model
    attemptsOnModel += 1
    ctx.attempts += 1
    const { step, outcome } = await attempt(ctx, prompt, model)
    const failure = failureOf(outcome)
    if (failure === undefined && outcome.status === 'answered') {
      ctx.attempts = 0
      refuseRefusal(outcome)
      return { parts: outcome.parts, step }
    }
    if (failure === undefined)
      throw new AppError('internal', 'An attempt ended without an answer or a failure.')
    ctx.interruption.check()
    const next = nextAttempt({
      failure,
      attempt: attemptsOnModel,
      modelIndex,
      modelCount: ctx.plan.models.length,
      random: ctx.deps.random,
    })
    if (next.action === 'fail') throw modelError(model, failure)
    await ctx.journal.flush()
    if (next.action === 'retry') {
      await pause(next.afterMs, ctx.interruption.resting)
      ctx.interruption.check()
    } else {
      modelIndex += 1
      attemptsOnModel = 0
    }
  }
}

async function attempt(
  ctx: RunContext,
  prompt: Prompt,
  model: string,
): Promise<{ step: number; outcome: ModelOutcome }> {
  const { deps, journal } = ctx
  const step = journal.nextStep()
  const attemptNumber = ctx.attempts
  const startedAt = deps.clock()
  intend(ctx, prompt, model, step, startedAt)
  await journal.flush()
  deps.bodies.add(ctx.tenantId, prompt.head.hash)
  const outcome = cleanOutcome(await call(ctx, prompt, model, step))
  deps.observer.modelCalled(ctx.observed, {
    step,
    attempt: attemptNumber,
    model,
    outcome: outcome.status === 'answered' ? 'answered' : outcome.failure.kind,
    timing: outcome.timing,
    usage: outcome.usage,
    startedAt,
  })
  const { head, messagesUntil } = prompt
  recordAttempt(ctx, {
    model,
    step,
    attempt: attemptNumber,
    headHash: head.hash,
    messagesUntil,
    startedAt,
    outcome,
  })
  return { step, outcome }
}

function intend(ctx: RunContext, prompt: Prompt, model: string, step: number, startedAt: number): void {
  const { journal, run } = ctx
  const { hash, content } = prompt.head
  if (!ctx.deps.bodies.has(ctx.tenantId, hash)) journal.add((tx) => putBody(tx, hash, content, startedAt))
  journal.add(
    (tx) =>
      tx.run(insertStep, {
        runId: run.id,
        seq: step,
        kind: prompt.kind,
        name: model,
        path: null,
        state: 'intended',
        waitingReason: null,
        dueAt: null,
        attempt: ctx.attempts,
        callId: null,
        parentStep: null,
        effect: null,
        idempotencyKey: null,
        input: null,
        inputHash: null,
        output: null,
        outputHash: null,
        errorCode: null,
        errorMessage: null,
        childRunId: null,
        startedAt,
        finishedAt: null,
      }),
    { steps: 1 },
  )
  journal.event('model.requested', { step, attempt: ctx.attempts, model })
}

async function call(ctx: RunContext, prompt: Prompt, model: string, step: number): Promise<ModelOutcome> {
  const { deps } = ctx
  const attemptNumber = ctx.attempts
  try {
    const provider = await deps.models.provider(model)
    return await provider.call(
      { ...prompt.request, model, onDelta: (delta) => deps.delta(ctx.run.id, step, attemptNumber, delta) },
      ctx.interruption.signal,
    )
  } catch (error) {
    const known = error instanceof AppError
    if (!known) deps.observer.trouble('A model provider threw.', { runId: ctx.run.id, model, error })
    return {
      status: 'failed',
      failure: {
        kind: 'bad_request',
        message: known ? error.message : 'The model provider failed in a way that it does not know.',
      },
      partial: [],
      usage: known ? { state: 'none' } : { state: 'missing', raw: null },
      timing: { firstTokenMs: undefined, totalMs: 0 },
    }
  }
}

/** Gathers the record of an attempt, and counts it. */
export function recordAttempt(ctx: RunContext, made: Omit<Attempt, 'runId' | 'agentId' | 'replay'>): void {
  const { deps, journal, run, tally } = ctx
  const of = { ...made, runId: run.id, agentId: run.definitionId, replay: run.replayOf !== null }
  const { write, event, counts } = attemptRecord(deps.metering, of, deps.clock())
  journal.add(write, counts)
  journal.event(event.type, event.data)
  tally.tokens += counts.inputTokens + counts.outputTokens
  tally.costNanos += counts.costNanos
  tally.unpriced += counts.unpriced
}

function refuseRefusal(outcome: Extract<ModelOutcome, { status: 'answered' }>): void {
  if (outcome.finishReason !== 'refusal' && outcome.finishReason !== 'content_filter') return
  const text = assistantText(outcome.parts).trim().slice(0, 500)
  throw new AppError(
    'model.refused',
    text === '' ? 'The model refused to answer.' : `The model refused to answer: ${text}`,
  )
}

function modelError(model: string, failure: ModelFailure): AppError {
  const code =
    failure.kind === 'timeout' ? 'model.timeout' : failure.kind === 'empty' ? 'model.empty' : 'model.failed'
  return new AppError(code, `${model}: ${failure.message}`)
}
