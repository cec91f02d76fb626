// The intent of an attempt at a model. First it must fit under the money limits of the run and those above it, if need be
// with a smaller answer. Then budgets set money aside for its worst case, in the transaction that records it. Refused, it is
// on record as failed and nothing is called; where a budget asks, it waits and is tried again as the same step.

import { AppError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import type { Nanos } from '../../base/money.ts'
import type { EpochMs } from '../../base/time.ts'
import { closeBudgetWait } from '../budget-waits.ts'
import type { Reserved } from '../budgets.ts'
import { hashOf, putBody } from '../journal/message-store.ts'
import { insertStep, tryStepAgain } from '../journal/step-store.ts'
import type { RunPrices, TokenBound } from '../metering.ts'
import { BudgetWait, reserveFor, type Spending, unmetEvent } from './admission.ts'
import { giveBackAside, setAside } from './allowance.ts'
import type { RunContext } from './context.ts'
import type { Prompt } from './prompt.ts'
import { isBounded, OUTPUT_TOKENS_BUDGETED, tokenBound, usualTokens } from './prompt-bound.ts'

export interface Intended {
  readonly step: number
  /** What is to be sent: where a budget or a limit applies, with a cap on the output. */
  readonly prompt: Prompt
  readonly held: boolean
  readonly startedAt: EpochMs
}

/** The fewest tokens of an answer that are of use: where a money limit leaves room for less, the model is not asked. */
export const OUTPUT_TOKENS_LEAST = 64

/** Who settles what is set aside of a run's allowance for an attempt; it makes one at a time. */
export function modelOwner({ id }: Pick<RunContext['run'], 'id'>): string {
  return `run:${id}:model`
}

/** Puts the attempt on record, with all that was gathered. Throws what a limit or a budget refuses, or `BudgetWait`. */
export async function intendAttempt(
  ctx: RunContext,
  prices: RunPrices,
  prompt: Prompt,
  model: string,
): Promise<Intended> {
  const startedAt = ctx.deps.clock()
  const size = await sizeWithin(ctx, prices, prompt, model, startedAt)
  try {
    return await intend(ctx, prices, prompt, { model, size, startedAt })
  } catch (error) {
    giveBackAside(ctx.allowance, modelOwner(ctx.run))
    throw error
  }
}

interface Size {
  /** The most that it can cost; undefined where nobody knows. */
  readonly worstNanos: Nanos | undefined
  readonly bound: TokenBound
  readonly outputTokens: number
  /** Whether the output must have a cap: without one no worst case is true. */
  readonly limited: boolean
}

/** How large the attempt may be; that much of the run's allowance is set aside. Throws `limit.money`. */
async function sizeWithin(
  { allowance, interruption, run }: RunContext,
  prices: RunPrices,
  { request }: Prompt,
  model: string,
  at: EpochMs,
): Promise<Size> {
  const { settings } = request
  const wanted = settings.maxOutputTokens ?? OUTPUT_TOKENS_BUDGETED
  const limited = allowance.binding.length > 0
  const sizeOf = (outputTokens: number): Size => {
    const bound = tokenBound({ ...request, model, settings: { ...settings, maxOutputTokens: outputTokens } })
    const worstNanos = isBounded(settings) ? prices.worstCase(model, bound, at) : undefined
    return { worstNanos, bound, outputTokens, limited }
  }
  const whole = sizeOf(wanted)
  if (!limited) return whole
  const least = Math.min(wanted, OUTPUT_TOKENS_LEAST)
  const granted = await setAside(
    allowance,
    {
      owner: modelOwner(run),
      what: `an answer of ${model}`,
      wantedNanos: whole.worstNanos,
      leastNanos: sizeOf(least).worstNanos,
    },
    interruption,
  )
  if (granted.outcome === 'refused') throw granted.error
  return largest(least, whole, sizeOf, ({ worstNanos = 0n }) => worstNanos <= granted.nanos)
}

/** The largest that fits: the whole, or else so many times the least, so that prompts have few heads. */
function largest(
  least: number,
  whole: Size,
  sizeOf: (outputTokens: number) => Size,
  fits: (size: Size) => boolean,
): Size {
  if (fits(whole)) return whole
  let [low, high] = [1, Math.ceil(whole.outputTokens / least)]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (fits(sizeOf(middle * least))) low = middle
    else high = middle
  }
  return sizeOf(low * least)
}

async function intend(
  ctx: RunContext,
  prices: RunPrices,
  prompt: Prompt,
  { model, size, startedAt }: { readonly model: string; readonly size: Size; readonly startedAt: EpochMs },
): Promise<Intended> {
  const { journal, run, deps } = ctx
  const again = ctx.heldBack
  const step = again ?? journal.nextStep()
  const attempt = ctx.attempts
  const spending: Spending = {
    step,
    worstNanos: size.worstNanos,
    estimateNanos: prices.worstCase(model, usualTokens(size.bound), startedAt) ?? 0n,
    at: startedAt,
    lastsMs: prompt.request.timeouts.totalMs,
  }
  let reserved: Reserved = { outcome: 'free' }
  const asLimited = size.limited ? capped(prompt, size.outputTokens) : prompt
  let sent = asLimited
  journal.decide(async (tx) => {
    reserved = await reserveFor(ctx, tx, spending)
    sent = reserved.outcome === 'held' ? capped(prompt, size.outputTokens) : asLimited
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

/** The same prompt with that cap on its output, in the prompt log as well. */
function capped(prompt: Prompt, maxOutputTokens: number): Prompt {
  const { request, head } = prompt
  if (request.settings.maxOutputTokens === maxOutputTokens) return prompt
  const settings = { ...request.settings, maxOutputTokens }
  return { ...prompt, request: { ...request, settings }, head: cappedHead(head, maxOutputTokens) }
}

/** The last one for a plan's head: it is as long as the instructions and tools. */
const heads = new WeakMap<Prompt['head'], { readonly cap: number; readonly head: Prompt['head'] }>()

function cappedHead(head: Prompt['head'], cap: number): Prompt['head'] {
  const known = heads.get(head)
  if (known?.cap === cap) return known.head
  const { settings, ...rest } = JSON.parse(head.content) as JsonObject & { readonly settings: JsonObject }
  const content = JSON.stringify({ ...rest, settings: { ...settings, maxOutputTokens: cap } })
  const made = { hash: hashOf(content), content }
  heads.set(head, { cap, head: made })
  return made
}
