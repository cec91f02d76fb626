// What an open step asks of others: an answer of a person, an event. Either may have come before.

import type { EpochMs } from '../../base/time.ts'
import type { WorkflowNode } from '../../contract/workflow.ts'
import { type ApprovalRequest, type Requested, requestApproval } from '../approvals/request-approval.ts'
import { answerStep } from '../journal/step-store.ts'
import { openSignalWait, type TakenSignal } from '../triggers/signal-waits.ts'
import type { NodeStep } from './node-step.ts'
import { evaluate, type Scope } from './scope.ts'
import type { WorkflowContext } from './workflow-context.ts'
import { flush } from './write-step.ts'

/** Asks for what the step waits for. The step says afterwards what became of it. */
export async function ask(
  ctx: WorkflowContext,
  scope: Scope,
  node: WorkflowNode,
  step: NodeStep,
  at: EpochMs,
): Promise<void> {
  if (step.waitingReason === 'approval') await askPerson(ctx, node, step, at)
  else if (step.waitingReason === 'event') await awaitSignal(ctx, scope, node, step, at)
}

async function askPerson(
  ctx: WorkflowContext,
  node: WorkflowNode,
  step: NodeStep,
  at: EpochMs,
): Promise<void> {
  const isNode = node.type === 'approval'
  const request: ApprovalRequest = {
    runId: ctx.run.id,
    step: step.seq,
    kind: isNode ? 'node' : 'tool',
    subject: isNode ? step.path : step.name,
    arguments: step.input ?? null,
    policy: isNode ? node.approval : undefined,
    requestedBy: ctx.run.createdBy,
    actor: ctx.deps.worker,
    at,
  }
  let answer: Requested = { outcome: 'pending' }
  ctx.journal.add(async (tx) => {
    answer = await requestApproval(tx, request)
  })
  await flush(ctx)
  takeAnswer(ctx, step, answer)
}

function takeAnswer(ctx: WorkflowContext, step: NodeStep, answer: Requested): void {
  if (answer.outcome === 'pending') return
  step.waitingReason = null
  if (answer.outcome === 'declined') {
    step.state = 'failed'
    step.error = answer.error
  } else if (step.kind === 'tool') step.state = 'approved'
  else {
    step.state = 'done'
    step.output = answer.output
  }
  step.finishedAt = step.state === 'approved' ? null : ctx.stamp()
}

async function awaitSignal(
  ctx: WorkflowContext,
  scope: Scope,
  node: WorkflowNode,
  step: NodeStep,
  at: EpochMs,
): Promise<void> {
  if (node.type !== 'wait' || node.event === undefined) return
  const { name, correlation } = node.event
  const text = correlation === undefined ? '' : evaluate(scope, step.path, 'event.correlation', correlation)
  const runId = ctx.run.id
  const wait = {
    runId,
    step: step.seq,
    name,
    correlation: typeof text === 'string' ? text : JSON.stringify(text),
    since: ctx.run.createdAt,
    at,
  }
  let taken: TakenSignal | undefined
  ctx.journal.add(async (tx) => {
    taken = await openSignalWait(tx, wait)
    if (taken === undefined) return
    await tx.run(answerStep, {
      runId,
      seq: step.seq,
      state: 'done',
      waitingReason: null,
      output: JSON.stringify(taken.data),
      outputHash: null,
      errorCode: null,
      errorMessage: null,
      at: ctx.deps.clock(),
      expected: 'event',
    })
  })
  await flush(ctx)
  const found = taken as TakenSignal | undefined
  if (found === undefined) return
  step.state = 'done'
  step.waitingReason = null
  step.output = found.data
  step.finishedAt = ctx.stamp()
}
