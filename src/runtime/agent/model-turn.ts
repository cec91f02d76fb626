// One turn of the model: attempts, each intended and recorded with its usage and cost, until an answer or the end of patience.

import { AppError } from '../../base/errors.ts'
import { type AssistantPart, assistantText } from '../../contract/message.ts'
import type { ModelFailure, ModelOutcome } from '../../models/model.ts'
import { nextAttempt } from '../../models/retry.ts'
import { dimensionsOf } from '../dimensions.ts'
import type { RunPrices } from '../metering.ts'
import { BudgetWait } from './admission.ts'
import { settle } from './allowance.ts'
import { type Attempt, attemptRecord, failureOf } from './attempt-record.ts'
import { cleanOutcome } from './clean-outcome.ts'
import type { RunContext } from './context.ts'
import { pause } from './interruption.ts'
import { type Intended, intendAttempt, modelOwner } from './model-admission.ts'
import type { Prompt } from './prompt.ts'

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
  const { deps } = ctx
  const prices = await deps.metering.prices(ctx.tenantId)
  const { step, held, startedAt, prompt: sent } = await intended(ctx, prices, prompt, model)
  const attemptNumber = ctx.attempts
  const outcome = cleanOutcome(await call(ctx, sent, model, step))
  deps.observer.modelCalled(ctx.observed, {
    step,
    attempt: attemptNumber,
    model,
    outcome: outcome.status === 'answered' ? 'answered' : outcome.failure.kind,
    timing: outcome.timing,
    usage: outcome.usage,
    startedAt,
  })
  const { head, messagesUntil } = sent
  recordAttempt(ctx, prices, {
    model,
    step,
    attempt: attemptNumber,
    headHash: head.hash,
    messagesUntil,
    startedAt,
    held,
    outcome,
  })
  return { step, outcome }
}

/** An attempt that has to wait for a budget is none yet. */
async function intended(
  ctx: RunContext,
  prices: RunPrices,
  prompt: Prompt,
  model: string,
): Promise<Intended> {
  try {
    return await intendAttempt(ctx, prices, prompt, model)
  } catch (error) {
    if (error instanceof BudgetWait) {
      ctx.attempts -= 1
      if (prompt.kind === 'model') ctx.tally.modelTurns -= 1
    }
    throw error
  }
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
export function recordAttempt(
  ctx: RunContext,
  prices: RunPrices,
  made: Omit<Attempt, 'runId' | 'of' | 'replay'>,
): void {
  const { deps, journal, run, tally } = ctx
  const { metering, budgets } = deps
  const whole = { ...made, runId: run.id, of: dimensionsOf(run), replay: run.replayOf !== null }
  const { write, event, counts } = attemptRecord({ metering, budgets, prices }, whole, deps.clock())
  journal.add(write, counts)
  journal.event(event.type, event.data)
  tally.tokens += counts.inputTokens + counts.outputTokens
  tally.costNanos += counts.costNanos
  tally.unpriced += counts.unpriced
  settle(ctx.allowance, modelOwner(run), counts.unpriced > 0 ? undefined : counts.costNanos)
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
