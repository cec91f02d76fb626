// How a node's step comes on record: opened, ended, given up. Gathered with what else is to be written.

import type { RunId } from '../../base/ids.ts'
import { type Json, withoutNul } from '../../base/json.ts'
import { settle } from '../agent/allowance.ts'
import { closeRun, closingFor, openBelow } from '../agent/close-run.ts'
import { keep } from '../agent/message-log.ts'
import { accountForTool } from '../agent/run-end.ts'
import { addUsageOf } from '../agent/usage-below.ts'
import { withdrawApproval } from '../approvals/request-approval.ts'
import { appendFact } from '../approvals/run-fact.ts'
import { closeBudgetWait } from '../budget-waits.ts'
import { runById } from '../journal/run-store.ts'
import { answerStep, endStep, insertStep } from '../journal/step-store.ts'
import { toolFact } from '../metering.ts'
import { isTerminal } from '../run-state.ts'
import { closeSignalWait } from '../triggers/signal-waits.ts'
import type { NodeStep } from './node-step.ts'
import { interruptStep } from './node-store.ts'
import type { WorkflowContext } from './workflow-context.ts'

/** Results that may be gathered before they are written: a crash computes them again. */
const UNFLUSHED_MAX = 100

const NOWHERE = { inline: null, hash: null }

/** Gathers the row of a new step, as the step says it is. */
export function writeNew(ctx: WorkflowContext, step: NodeStep): void {
  step.stored.input = step.input === undefined ? NOWHERE : keep(ctx, JSON.stringify(step.input))
  step.stored.output = step.output === undefined ? NOWHERE : keep(ctx, JSON.stringify(step.output))
  const { input, output } = step.stored
  const row = {
    runId: ctx.run.id,
    seq: step.seq,
    kind: step.kind,
    name: step.name,
    path: step.path,
    state: step.state,
    waitingReason: step.waitingReason,
    dueAt: step.dueAt,
    attempt: step.attempt,
    callId: null,
    parentStep: null,
    effect: step.effect,
    idempotencyKey: step.idempotencyKey,
    input: input.inline,
    inputHash: input.hash,
    output: output.inline,
    outputHash: output.hash,
    errorCode: step.error?.code ?? null,
    errorMessage: step.error === undefined ? null : withoutNul(step.error.message),
    childRunId: step.childRunId,
    startedAt: step.startedAt,
    finishedAt: step.finishedAt,
  }
  ctx.journal.add((tx) => tx.run(insertStep, row), { steps: 1, toolCalls: step.kind === 'tool' ? 1 : 0 })
  ctx.counts.unflushed += 1
  const facts = factsOf(step)
  if (step.state === 'skipped') ctx.journal.event('node.skipped', facts)
  else if (step.state === 'failed')
    ctx.journal.event('node.failed', { ...facts, code: step.error?.code ?? '' })
  else if (step.state === 'done') ctx.journal.event('node.finished', facts)
  else if (step.state === 'waiting')
    ctx.journal.event('node.waiting', { ...facts, reason: step.waitingReason, due_at: step.dueAt })
  else
    ctx.journal.event('node.started', {
      ...facts,
      ...(step.childRunId === null ? {} : { child_run_id: step.childRunId }),
    })
}

export function factsOf(step: NodeStep) {
  const { seq, path, kind, name, attempt } = step
  return { step: seq, node: path, kind, name, ...(attempt > 1 ? { attempt } : {}) }
}

/** Gathers the end of an intended step. */
export function writeDone(ctx: WorkflowContext, step: NodeStep, output: Json): void {
  step.state = 'done'
  step.output = output
  step.stored.output = keep(ctx, JSON.stringify(output))
  end(ctx, step)
  ctx.journal.event('node.finished', factsOf(step))
}

export function writeFailed(
  ctx: WorkflowContext,
  step: NodeStep,
  error: { readonly code: string; readonly message: string },
): void {
  step.state = 'failed'
  step.error = error
  end(ctx, step)
  ctx.journal.event('node.failed', { ...factsOf(step), code: error.code })
}

/** Nobody knows what became of the call: a person must say. */
export function writeDoubt(ctx: WorkflowContext, step: NodeStep): void {
  step.state = 'waiting'
  step.waitingReason = 'in_doubt'
  end(ctx, step)
  ctx.journal.event('node.waiting', { ...factsOf(step), reason: 'in_doubt' })
}

function end(ctx: WorkflowContext, step: NodeStep): void {
  step.finishedAt = step.state === 'waiting' ? null : ctx.stamp()
  const row = {
    runId: ctx.run.id,
    seq: step.seq,
    state: step.state,
    waitingReason: step.waitingReason,
    output: step.stored.output.inline,
    outputHash: step.stored.output.hash,
    errorCode: step.error?.code ?? null,
    errorMessage: step.error === undefined ? null : withoutNul(step.error.message),
    at: step.finishedAt,
  }
  ctx.journal.add((tx) => tx.run(endStep, row))
  ctx.counts.unflushed += 1
}

/** Ends a waiting step as failed, unless an answer was quicker. */
export async function failWaiting(
  ctx: WorkflowContext,
  step: NodeStep,
  error: { readonly code: string; readonly message: string },
): Promise<void> {
  const at = ctx.stamp()
  const runId = ctx.run.id
  const { seq, waitingReason } = step
  if (waitingReason === null) return
  ctx.journal.add(async (tx) => {
    const changed = await tx.run(answerStep, {
      runId,
      seq,
      state: 'failed',
      waitingReason: null,
      output: null,
      outputHash: null,
      errorCode: error.code,
      errorMessage: error.message,
      at,
      expected: waitingReason,
    })
    if (changed !== 1) return
    await letGo(ctx, step)(tx)
    const data = { ...factsOf(step), code: error.code }
    await appendFact(tx, { runId, type: 'node.failed', actor: ctx.deps.worker, data, at })
  })
  await flush(ctx)
}

/** Takes back what a step asked for. */
function letGo(ctx: WorkflowContext, step: NodeStep) {
  const runId = ctx.run.id
  return async (tx: Parameters<typeof closeSignalWait>[0]): Promise<void> => {
    if (step.waitingReason === 'event') await closeSignalWait(tx, { runId, step: step.seq })
    if (step.waitingReason === 'budget') await closeBudgetWait(tx, runId, step.seq)
    if (step.waitingReason === 'approval') await withdrawApproval(tx, runId, step.seq, ctx.deps.clock())
  }
}

/** Gives a step up while its run goes on: what it asked for is taken back, a run below it is cancelled. */
export async function abandon(ctx: WorkflowContext, step: NodeStep): Promise<void> {
  const { metering, budgets } = ctx.deps
  const prices = await ctx.waits.busy(() => metering.prices(ctx.tenantId))
  const at = ctx.stamp()
  const fact = toolFact(step.idempotencyKey, step.attempt)
  const call = { step: step.seq, fact, tool: step.name, made: step.state === 'intended' && step.made }
  ctx.journal.add(async (tx) => {
    if (step.kind === 'tool') await accountForTool(tx, { metering, budgets, prices }, ctx.run, call, at)
    await tx.run(interruptStep, { runId: ctx.run.id, seq: step.seq, at })
    await letGo(ctx, step)(tx)
  })
  await cancelCalled(ctx, step)
}

/** Cancels the run that a step has called, where it is still open, and writes what is gathered. */
export async function cancelCalled(ctx: WorkflowContext, { childRunId }: NodeStep): Promise<void> {
  if (childRunId === null) return flush(ctx)
  const { deps, run, journal, tally } = ctx
  const at = ctx.stamp()
  const facts = { actor: deps.worker, at }
  const closing = await ctx.waits.busy(() => closingFor(deps, ctx.tenantId, facts))
  const below: RunId[] = []
  journal.add(async (tx) => {
    below.length = 0
    const child = await tx.first(runById, { id: childRunId })
    if (child === undefined || isTerminal(child.state)) return
    for (const id of [child.id, ...(await openBelow(tx, child))]) {
      await closeRun(tx, id, { state: 'cancelled' }, closing)
      below.push(id)
    }
  })
  await flush(ctx)
  if (below.length === 0) return
  // Nobody drove it to its end, so nobody has counted what it used.
  const { unpriced } = tally
  await ctx.waits.busy(() => ctx.db.read((reader) => addUsageOf(reader, run.rootRunId, [childRunId], tally)))
  if (tally.unpriced > unpriced) settle(ctx.allowance, childRunId, undefined)
  for (const id of below) deps.written(id, true)
}

export async function flush(ctx: WorkflowContext): Promise<void> {
  ctx.counts.unflushed = 0
  await ctx.journal.flush()
}

/** Writes what is gathered once it is much. */
export async function flushSome(ctx: WorkflowContext): Promise<void> {
  if (ctx.counts.unflushed >= UNFLUSHED_MAX) await flush(ctx)
}
