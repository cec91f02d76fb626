// A step is brought from where it is to its end: waited for, begun, performed. Whatever the journal says of it is where it goes on.

import { durationMs } from '../../contract/duration.ts'
import type { WorkflowNode } from '../../contract/workflow.ts'
import { Stopped } from '../agent/interruption.ts'
import { beginApproved, stepBySeq } from '../journal/step-store.ts'
import { type NodeStep, stepOf } from './node-step.ts'
import { beginDue } from './node-store.ts'
import { waitAnew } from './open-step.ts'
import { runUntil } from './opening.ts'
import { perform } from './perform.ts'
import { outputOf } from './read-step.ts'
import type { Scope } from './scope.ts'
import type { WorkflowContext } from './workflow-context.ts'
import { abandon, factsOf, failWaiting, flush, writeDone } from './write-step.ts'

/** Answers the step once it is `done` or `failed`. Throws what stops it; a step that is given up is on record as such. */
export async function progress(
  ctx: WorkflowContext,
  scope: Scope,
  node: WorkflowNode,
  opened: NodeStep,
): Promise<NodeStep> {
  let step = opened
  try {
    for (;;) {
      switch (step.state) {
        case 'done':
          if (step.kind === 'wait' && node.type === 'wait' && node.event !== undefined) ctx.untrusted = true
          await outputOf(ctx, step)
          return step
        case 'failed':
          return step
        case 'interrupted':
        case 'skipped':
          throw new Stopped('cancelled')
        case 'waiting':
          step = await wait(ctx, scope, node, step)
          break
        case 'approved':
          scope.interruption.check()
          begin(ctx, step)
          break
        case 'intended':
          await perform(ctx, scope, node, step)
          break
        default:
          return step.state satisfies never
      }
    }
  } catch (error) {
    // The run goes on without this branch.
    const outside = ctx.interruption.reason() !== undefined || ctx.interruption.resting.aborted
    if (error instanceof Stopped && !outside && step.state !== 'interrupted') await abandon(ctx, step)
    throw error
  }
}

/** A call that a person let go ahead is intended before it is made, like any other. */
function begin(ctx: WorkflowContext, step: NodeStep): void {
  const at = ctx.deps.clock()
  ctx.journal.add((tx) => tx.run(beginApproved, { runId: ctx.run.id, seq: step.seq, at }))
  ctx.journal.event('node.started', factsOf(step))
  step.state = 'intended'
  step.waitingReason = null
  step.startedAt = at
}

async function wait(
  ctx: WorkflowContext,
  scope: Scope,
  node: WorkflowNode,
  step: NodeStep,
): Promise<NodeStep> {
  const { seq, waitingReason, dueAt } = step
  if (waitingReason === null) throw new Error(`Step ${seq} waits for nothing.`)
  // What is in doubt is cleared up whether or not its branch is still wanted.
  const interruption = waitingReason === 'in_doubt' ? ctx.interruption : scope.interruption
  // It is on record that it waits before it does.
  await flush(ctx)
  const why = await ctx.waits.until({ on: 'step', seq, reason: waitingReason, dueAt }, interruption)
  if (why === 'due') {
    if (waitingReason === 'time') {
      if (node.type === 'approval' || (node.type === 'wait' && node.event !== undefined))
        return waitAnew(ctx, scope, node, step)
      return timeIsOver(ctx, node, step)
    }
    const message = `Node "${step.path}" got no answer in time.`
    await failWaiting(ctx, step, { code: 'node.timeout', message })
  }
  const row = await ctx.waits.busy(() =>
    ctx.db.read((reader) => reader.first(stepBySeq, { runId: ctx.run.id, seq })),
  )
  if (row === undefined) throw new Error(`Step ${seq} is gone.`)
  return stepOf(row, false)
}

/** A wait is over; or the pause before another attempt, which now begins. */
function timeIsOver(ctx: WorkflowContext, node: WorkflowNode, step: NodeStep): NodeStep {
  const at = ctx.deps.clock()
  const dueAt = node.type === 'wait' ? null : runUntil(node, at)
  ctx.journal.add((tx) => tx.run(beginDue, { runId: ctx.run.id, seq: step.seq, dueAt, at }))
  step.state = 'intended'
  step.waitingReason = null
  step.dueAt = dueAt
  if (node.type === 'wait') writeDone(ctx, step, null)
  else {
    step.startedAt = at
    ctx.journal.event('node.started', factsOf(step))
  }
  return step
}

/** Pauses up to this long are sat out by the worker; a longer one lets go of the run. */
export const PAUSE_HELD_MS_MAX = durationMs('3s')
