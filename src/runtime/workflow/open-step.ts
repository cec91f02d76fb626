// A new attempt at a node: what it is given is found out and comes on record, with what it asks of others.

import { AppError } from '../../base/errors.ts'
import type { WorkflowNode } from '../../contract/workflow.ts'
import { lostCost } from '../agent/allowance.ts'
import { idempotencyKey } from '../agent/open-turn.ts'
import { recordedWait } from '../replay/recorded-wait.ts'
import { ask } from './ask.ts'
import type { NodeStep } from './node-step.ts'
import { waitForMore } from './node-store.ts'
import { type Again, nameOf, type Opening, openingOf } from './opening.ts'
import { inputOf } from './read-step.ts'
import type { Scope } from './scope.ts'
import type { WorkflowContext } from './workflow-context.ts'
import { factsOf, writeNew } from './write-step.ts'

/** Opens a step. One that cannot begin (an expression fails, the input is wrong) is on record as failed. */
export async function openStep(
  ctx: WorkflowContext,
  scope: Scope,
  node: WorkflowNode,
  path: string,
  again?: Again,
): Promise<NodeStep> {
  checkLimits(ctx)
  const at = ctx.deps.clock()
  let opening: Opening
  try {
    opening = await byRecord(ctx, path, openingOf(ctx, scope, node, path, again))
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return writeUnbegun(ctx, node, path, error, again)
  }
  const step = newStep(ctx, node, path, opening, again)
  writeNew(ctx, step)
  await ask(ctx, scope, node, step, at)
  return step
}

/** The pause before another attempt at a node that waits for a person or an event is over: now it does. */
export async function waitAnew(
  ctx: WorkflowContext,
  scope: Scope,
  node: Extract<WorkflowNode, { type: 'approval' | 'wait' }>,
  step: NodeStep,
): Promise<NodeStep> {
  const at = ctx.deps.clock()
  const opening = openingOf(ctx, scope, node, step.path, undefined)
  if (opening.state !== 'waiting') throw new Error(`Step ${step.seq} does not wait.`)
  const { reason, dueAt } = opening
  const row = { runId: ctx.run.id, seq: step.seq, waitingReason: reason, dueAt, at }
  ctx.journal.add((tx) => tx.run(waitForMore, row))
  step.waitingReason = reason
  step.dueAt = dueAt
  step.startedAt = at
  ctx.journal.event('node.waiting', { ...factsOf(step), reason, due_at: dueAt })
  step.input = await inputOf(ctx, step)
  await ask(ctx, scope, node, step, at)
  return step
}

/** In a replay, what the record says of a wait takes its place. */
async function byRecord(ctx: WorkflowContext, path: string, opening: Opening): Promise<Opening> {
  if (opening.state !== 'waiting' || ctx.run.replayOf === null) return opening
  const recorded = await ctx.waits.busy(() => recordedWait(ctx.db, ctx.run, path, opening.reason))
  if (recorded === undefined) return opening
  const { name, input } = opening
  return { name, ...(input === undefined ? {} : { input }), state: 'done', output: recorded.output }
}

/** A node that does not run: its path is dead, or its condition is not true. */
export function writeSkipped(ctx: WorkflowContext, node: WorkflowNode, path: string): void {
  const step = newStep(ctx, node, path, { name: nameOf(node), state: 'intended' }, undefined)
  step.state = 'skipped'
  step.finishedAt = step.startedAt
  writeNew(ctx, step)
}

/** A failure that comes before anything of the node runs: of its condition, or of what it is given. */
export function writeUnbegun(
  ctx: WorkflowContext,
  node: WorkflowNode,
  path: string,
  error: AppError,
  again?: Again,
): NodeStep {
  const step = newStep(ctx, node, path, { name: nameOf(node), state: 'intended' }, again)
  step.state = 'failed'
  step.error = { code: error.code, message: error.message }
  step.finishedAt = ctx.stamp()
  writeNew(ctx, step)
  return step
}

function newStep(
  ctx: WorkflowContext,
  node: WorkflowNode,
  path: string,
  opening: Opening,
  again: Again | undefined,
): NodeStep {
  const seq = ctx.journal.nextStep()
  const done = opening.state === 'done'
  const pausing = !done && again?.beginsAt != null
  const reason = opening.state === 'waiting' ? opening.reason : null
  return {
    seq,
    path,
    kind: node.type,
    name: opening.name,
    attempt: again?.attempt ?? 1,
    effect: opening.effect ?? null,
    idempotencyKey: again?.idempotencyKey ?? idempotencyKey(ctx.run.id, seq),
    childRunId: opening.childRunId ?? null,
    state: pausing ? 'waiting' : opening.state,
    waitingReason: pausing ? 'time' : reason,
    dueAt: pausing ? (again?.beginsAt ?? null) : done ? null : (opening.dueAt ?? null),
    startedAt: ctx.stamp(),
    finishedAt: done ? ctx.stamp() : null,
    stale: false,
    made: false,
    error: undefined,
    stored: { input: { inline: null, hash: null }, output: { inline: null, hash: null } },
    input: opening.input,
    output: done ? opening.output : undefined,
  }
}

function checkLimits(ctx: WorkflowContext): void {
  const { limits, tally, counts } = ctx
  counts.steps += 1
  if (counts.steps > limits.maxSteps)
    throw new AppError(
      'limit.steps',
      `The run reached its limit of ${limits.maxSteps} steps (limits.max_steps).`,
    )
  if (tally.tokens >= limits.maxTokens)
    throw new AppError(
      'limit.tokens',
      `The run used ${tally.tokens} tokens; its limit is ${limits.maxTokens} (limits.max_tokens).`,
    )
  const lost = lostCost(ctx.allowance)
  if (lost !== undefined) throw lost
}
