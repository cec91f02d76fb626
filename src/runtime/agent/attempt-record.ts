// What is on record of one attempt at a model: the step's end, the prompt log's row, the usage record, the event.

import { newId, type RunId } from '../../base/ids.ts'
import type { JsonObject } from '../../base/json.ts'
import { formatUsd } from '../../base/money.ts'
import type { EpochMs } from '../../base/time.ts'
import type { RunEventType } from '../../contract/event.ts'
import type { AssistantPart } from '../../contract/message.ts'
import type { Dimensions } from '../../contract/money.ts'
import { ZERO_COUNTS } from '../../contract/usage.ts'
import type { ModelFailure, ModelOutcome } from '../../models/model.ts'
import { type Budgets, holdOwner } from '../budgets.ts'
import type { Counts, Write } from '../journal/journal.ts'
import { insertModelCall } from '../journal/model-call-store.ts'
import { endStep } from '../journal/step-store.ts'
import type { Metering, RunPrices } from '../metering.ts'

export interface Attempt {
  readonly runId: RunId
  readonly of: Dimensions
  /** The run replays another: nobody's usage of a plan. */
  readonly replay: boolean
  readonly model: string
  readonly step: number
  readonly attempt: number
  /** How the prompt log refers to the prompt; '' where that is not known any more. */
  readonly headHash: string
  readonly messagesUntil: number
  readonly startedAt: EpochMs
  /** Money may be set aside for it. */
  readonly held: boolean
  /** `interrupted`: the process died before the answer was recorded. */
  readonly outcome: ModelOutcome | 'interrupted'
}

/** All of it is written in one transaction, or nothing. */
export interface AttemptRecord {
  readonly write: Write
  readonly event: { readonly type: RunEventType; readonly data: JsonObject }
  readonly counts: Required<Pick<Counts, 'inputTokens' | 'outputTokens' | 'costNanos' | 'unpriced'>>
}

export interface RecordDeps {
  readonly metering: Metering
  readonly budgets: Budgets
  readonly prices: RunPrices
}

export function attemptRecord(deps: RecordDeps, made: Attempt, at: EpochMs): AttemptRecord {
  const { outcome, step, model, startedAt, runId } = made
  const usage = outcome === 'interrupted' ? ({ state: 'missing', raw: null } as const) : outcome.usage
  const tokens = usage.state === 'known' ? usage.counts : ZERO_COUNTS
  const rating = deps.prices.rate(model, usage, startedAt)
  const costNanos = rating.costState === 'priced' ? rating.costNanos : null
  const answered = outcome !== 'interrupted' && outcome.status === 'answered' ? outcome : undefined
  const failed = outcome !== 'interrupted' && outcome.status === 'failed' ? outcome : undefined
  const failure = outcome === 'interrupted' ? undefined : failureOf(outcome)
  const isAnswer = answered !== undefined && failure === undefined
  const parts = answered?.parts ?? failed?.partial ?? []
  const id = newId('modelCall', at)
  const inputTokens = tokens.inputTokens + tokens.cachedInputTokens + tokens.cacheWriteTokens
  const message = failure?.message ?? (outcome === 'interrupted' ? INTERRUPTED : null)
  return {
    write: async (tx) => {
      await tx.run(endStep, {
        runId,
        seq: step,
        state: outcome === 'interrupted' ? 'interrupted' : isAnswer ? 'done' : 'failed',
        waitingReason: null,
        output: null,
        outputHash: null,
        errorCode: failure === undefined ? null : 'model.failed',
        errorMessage: message,
        at,
      })
      await tx.run(insertModelCall, {
        id,
        runId,
        step,
        attempt: made.attempt,
        model,
        responseModel: answered?.responseModel ?? null,
        responseId: answered?.responseId ?? null,
        status: outcome === 'interrupted' ? 'interrupted' : isAnswer ? 'answered' : 'failed',
        finishReason: answered?.finishReason ?? null,
        failureKind: failure?.kind ?? null,
        failureMessage: message,
        httpStatus: failure?.httpStatus ?? null,
        headHash: made.headHash,
        messagesUntil: made.messagesUntil,
        // An answer that becomes the run's next message is read from there.
        response: (isAnswer && made.messagesUntil > 0) || parts.length === 0 ? null : JSON.stringify(parts),
        usageState: usage.state,
        ...tokens,
        costState: rating.costState,
        costNanos,
        startedAt,
        firstTokenMs: outcome === 'interrupted' ? null : (outcome.timing.firstTokenMs ?? null),
        totalMs: outcome === 'interrupted' ? 0 : Math.round(outcome.timing.totalMs),
        capture: 'full',
      })
      const { of, replay } = made
      const fact = { modelCallId: id, of, model, usage, rating, replay, at: startedAt, acceptedAt: at }
      await deps.metering.record(tx, fact)
      if (made.held) await deps.budgets.settle(tx, holdOwner(runId, step), costNanos ?? undefined, at)
    },
    event: {
      type: isAnswer ? 'model.called' : 'model.failed',
      data: {
        step,
        attempt: made.attempt,
        model,
        model_call_id: id,
        ...(answered === undefined ? {} : { finish_reason: answered.finishReason }),
        ...(isAnswer ? {} : { failure: failure?.kind ?? 'interrupted' }),
        usage: usage.state,
        input_tokens: inputTokens,
        output_tokens: tokens.outputTokens,
        cost_state: rating.costState,
        cost_usd: costNanos === null ? null : formatUsd(costNanos),
      },
    },
    counts: {
      inputTokens,
      outputTokens: tokens.outputTokens,
      costNanos: costNanos ?? 0n,
      unpriced: costNanos === null ? 1 : 0,
    },
  }
}

const INTERRUPTED = 'The process that made this call died before the answer was recorded.'

/** Why an attempt has no answer. An answer without text and without calls is none. */
export function failureOf(outcome: ModelOutcome): ModelFailure | undefined {
  if (outcome.status === 'failed') return outcome.failure
  return outcome.parts.some(says) ? undefined : { kind: 'empty', message: 'The model answered nothing.' }
}

function says(part: AssistantPart): boolean {
  return part.type === 'tool_call' || (part.type === 'text' && part.text.trim() !== '')
}
