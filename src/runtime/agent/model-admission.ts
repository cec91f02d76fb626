// The intent of an attempt at a model: money is set aside for its worst case in the transaction that records it. Refused, it
// is on record as failed and nothing is called; where a budget asks, it waits and is tried again as the same step.

import { AppError } from '../../base/errors.ts'
import type { Json, JsonObject } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import { closeBudgetWait } from '../budget-waits.ts'
import type { Reserved } from '../budgets.ts'
import { hashOf, putBody } from '../journal/message-store.ts'
import { insertStep, tryStepAgain } from '../journal/step-store.ts'
import type { RunPrices } from '../metering.ts'
import { BudgetWait, reserveFor, type Spending, unmetEvent } from './admission.ts'
import type { RunContext } from './context.ts'
import type { Prompt } from './prompt.ts'
import { OUTPUT_TOKENS_BUDGETED, tokenBound, usualTokens } from './prompt-bound.ts'

export interface Intended {
  readonly step: number
  /** What is to be sent: where a budget applies, with a cap on the output. */
  readonly prompt: Prompt
  readonly held: boolean
  readonly startedAt: EpochMs
}

/** Puts the attempt on record, with all that was gathered. Throws what a budget refuses, or `BudgetWait`. */
export async function intendAttempt(
  ctx: RunContext,
  prices: RunPrices,
  prompt: Prompt,
  model: string,
): Promise<Intended> {
  const { journal, run, deps } = ctx
  const again = ctx.heldBack
  const step = again ?? journal.nextStep()
  const startedAt = deps.clock()
  const attempt = ctx.attempts
  const spending = spendingOf(prices, prompt, model, step, startedAt)
  let reserved: Reserved = { outcome: 'free' }
  let sent = prompt
  journal.decide(async (tx) => {
    reserved = await reserveFor(ctx, tx, spending)
    sent = reserved.outcome === 'held' ? capped(prompt) : prompt
  })
  journal.add(
    async (tx) => {
      const { hash, content } = sent.head
      if (isGo(reserved) && !deps.bodies.has(ctx.tenantId, hash)) await putBody(tx, hash, content, startedAt)
      const row = rowOf(ctx, reserved, prompt, model, step, startedAt)
      if (again === undefined) await tx.run(insertStep, row)
      else await tx.run(tryStepAgain, { ...row, at: startedAt })
      if (again !== undefined && reserved.outcome !== 'wait') await closeBudgetWait(tx, run.id, step)
    },
    again === undefined ? { steps: 1 } : {},
  )
  journal.eventOf(() =>
    reserved.outcome === 'refused' || reserved.outcome === 'wait'
      ? unmetEvent(step, reserved)
      : { type: 'model.requested', data: { step, attempt, model } },
  )
  await journal.flush()
  const found = reserved as Reserved
  if (found.outcome === 'wait') {
    ctx.heldBack = step
    throw new BudgetWait(found.message)
  }
  ctx.heldBack = undefined
  if (found.outcome === 'refused') throw new AppError(found.code, found.message)
  deps.bodies.add(ctx.tenantId, sent.head.hash)
  return { step, prompt: sent, held: found.outcome === 'held', startedAt }
}

function isGo({ outcome }: Reserved): boolean {
  return outcome === 'free' || outcome === 'held'
}

function spendingOf(
  prices: RunPrices,
  { request }: Prompt,
  model: string,
  step: number,
  at: EpochMs,
): Spending {
  const bound = tokenBound(request)
  return {
    step,
    worstNanos: prices.worstCase(model, bound, at),
    estimateNanos: prices.worstCase(model, usualTokens(bound), at) ?? 0n,
    at,
    lastsMs: request.timeouts.totalMs,
  }
}

function rowOf(
  ctx: RunContext,
  reserved: Reserved,
  prompt: Prompt,
  model: string,
  step: number,
  startedAt: EpochMs,
) {
  const refused = reserved.outcome === 'refused' ? reserved : undefined
  const waits = reserved.outcome === 'wait'
  return {
    runId: ctx.run.id,
    seq: step,
    kind: prompt.kind,
    name: model,
    path: null,
    state: refused !== undefined ? 'failed' : waits ? 'waiting' : 'intended',
    waitingReason: waits ? 'budget' : null,
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
    errorCode: refused?.code ?? null,
    errorMessage: refused?.message ?? null,
    childRunId: null,
    startedAt,
    finishedAt: refused === undefined ? null : startedAt,
  } as const
}

/** The same prompt with a cap on its output, in the prompt log as well, where the agent names none. */
function capped(prompt: Prompt): Prompt {
  const { request, head } = prompt
  if (request.settings.maxOutputTokens !== undefined) return prompt
  const settings = { ...request.settings, maxOutputTokens: OUTPUT_TOKENS_BUDGETED }
  return { ...prompt, request: { ...request, settings }, head: cappedHead(head) }
}

/** One for a plan's head: it is as long as the instructions and tools. */
const heads = new WeakMap<Prompt['head'], Prompt['head']>()

function cappedHead(head: Prompt['head']): Prompt['head'] {
  const known = heads.get(head)
  if (known !== undefined) return known
  const { settings, ...rest } = JSON.parse(head.content) as JsonObject & { readonly settings: JsonObject }
  const maxOutputTokens: Json = OUTPUT_TOKENS_BUDGETED
  const content = JSON.stringify({ ...rest, settings: { ...settings, maxOutputTokens } })
  const made = { hash: hashOf(content), content }
  heads.set(head, made)
  return made
}
