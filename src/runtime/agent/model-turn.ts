// One turn of the model: attempts, each intended and recorded with its usage and cost, until an answer or the end of patience.

import { AppError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import { formatUsd } from '../../base/money.ts'
import { type AssistantPart, assistantText } from '../../contract/message.ts'
import { ZERO_COUNTS } from '../../contract/usage.ts'
import type { ModelFailure, ModelOutcome, ModelRequest } from '../../models/model.ts'
import { nextAttempt } from '../../models/retry.ts'
import { putBody } from '../journal/message-store.ts'
import { insertModelCall } from '../journal/model-call-store.ts'
import { endStep, insertStep } from '../journal/step-store.ts'
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
    const failure = outcome.status === 'failed' ? outcome.failure : emptiness(outcome.parts)
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
      await pause(next.afterMs, ctx.interruption.signal)
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
  const { deps, journal, run } = ctx
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
  recordAttempt(ctx, { prompt, model, step, attempt: attemptNumber, startedAt, outcome, runId: run.id })
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
        state: 'intended',
        waitingReason: null,
        attempt: ctx.attempts,
        callId: null,
        parentStep: null,
        effect: null,
        idempotencyKey: null,
        input: null,
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

export interface Attempt {
  readonly prompt: Pick<Prompt, 'head' | 'messagesUntil'>
  readonly model: string
  readonly step: number
  readonly attempt: number
  readonly startedAt: number
  readonly outcome: ModelOutcome | 'interrupted'
  readonly runId: RunContext['run']['id']
}

/** Gathers the record of an attempt: the step's end, the prompt log's row, the usage record, the event. All or nothing. */
export function recordAttempt(ctx: RunContext, made: Attempt): void {
  const { deps, journal } = ctx
  const { outcome, step, model, startedAt } = made
  const usage = outcome === 'interrupted' ? ({ state: 'missing', raw: null } as const) : outcome.usage
  const counts = usage.state === 'known' ? usage.counts : ZERO_COUNTS
  const rating = deps.metering.rate(model, usage, startedAt)
  const costNanos = rating.costState === 'priced' ? rating.costNanos : null
  const answered = outcome !== 'interrupted' && outcome.status === 'answered' ? outcome : undefined
  const failed = outcome !== 'interrupted' && outcome.status === 'failed' ? outcome : undefined
  const empty = answered === undefined ? undefined : emptiness(answered.parts)
  const failure = failed?.failure ?? empty
  const inMessages = answered !== undefined && empty === undefined && made.prompt.messagesUntil > 0
  const parts = answered?.parts ?? failed?.partial ?? []
  const at = deps.clock()
  const id = newId('modelCall', at)
  const inputTokens = counts.inputTokens + counts.cachedInputTokens + counts.cacheWriteTokens
  journal.add((tx) =>
    tx.run(endStep, {
      runId: made.runId,
      seq: step,
      state: outcome === 'interrupted' ? 'interrupted' : failure === undefined ? 'done' : 'failed',
      waitingReason: null,
      output: null,
      outputHash: null,
      errorCode: failure === undefined ? null : 'model.failed',
      errorMessage: failure?.message ?? (outcome === 'interrupted' ? INTERRUPTED : null),
      at,
    }),
  )
  journal.add((tx) =>
    tx.run(insertModelCall, {
      id,
      runId: made.runId,
      step,
      attempt: made.attempt,
      model,
      responseModel: answered?.responseModel ?? null,
      responseId: answered?.responseId ?? null,
      status: outcome === 'interrupted' ? 'interrupted' : failure === undefined ? 'answered' : 'failed',
      finishReason: answered?.finishReason ?? null,
      failureKind: failure?.kind ?? null,
      failureMessage: failure?.message ?? (outcome === 'interrupted' ? INTERRUPTED : null),
      httpStatus: failure?.httpStatus ?? null,
      headHash: made.prompt.head.hash,
      messagesUntil: made.prompt.messagesUntil,
      response: inMessages || parts.length === 0 ? null : JSON.stringify(parts),
      usageState: usage.state,
      ...counts,
      costState: rating.costState,
      costNanos,
      startedAt,
      firstTokenMs: outcome === 'interrupted' ? null : (outcome.timing.firstTokenMs ?? null),
      totalMs: outcome === 'interrupted' ? 0 : Math.round(outcome.timing.totalMs),
      capture: 'full',
    }),
  )
  journal.add(
    (tx) =>
      deps.metering.record(tx, {
        modelCallId: id,
        runId: made.runId,
        agentId: ctx.run.definitionId,
        model,
        usage,
        rating,
        at: startedAt,
      }),
    {
      inputTokens,
      outputTokens: counts.outputTokens,
      costNanos: costNanos ?? 0n,
      unpriced: costNanos === null ? 1 : 0,
    },
  )
  journal.event(failure === undefined && answered !== undefined ? 'model.called' : 'model.failed', {
    step,
    attempt: made.attempt,
    model,
    model_call_id: id,
    ...(answered === undefined ? {} : { finish_reason: answered.finishReason }),
    ...(failure === undefined
      ? outcome === 'interrupted'
        ? { failure: 'interrupted' }
        : {}
      : { failure: failure.kind }),
    usage: usage.state,
    input_tokens: inputTokens,
    output_tokens: counts.outputTokens,
    cost_state: rating.costState,
    cost_usd: costNanos === null ? null : formatUsd(costNanos),
  })
  ctx.tally.tokens += inputTokens + counts.outputTokens
  ctx.tally.costNanos += costNanos ?? 0n
  if (costNanos === null) ctx.tally.unpriced += 1
}

const INTERRUPTED = 'The process that made this call died before the answer was recorded.'

/** An answer without text and without calls is no answer. */
function emptiness(parts: readonly AssistantPart[]): ModelFailure | undefined {
  const said = parts.some(
    (part) => part.type === 'tool_call' || (part.type === 'text' && part.text.trim() !== ''),
  )
  return said ? undefined : { kind: 'empty', message: 'The model answered nothing.' }
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
