// A new attempt at a node: what it is given is found out and comes on record, with what it asks of others.

import { AppError } from '../../base/errors.ts'
import { newId, type RunId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import { durationMs } from '../../contract/duration.ts'
import type { WorkflowNode } from '../../contract/workflow.ts'
import { idempotencyKey } from '../agent/open-turn.ts'
import type { ToolBinding } from '../agent/tool-binding.ts'
import { type ApprovalRequest, type Requested, requestApproval } from '../approvals/request-approval.ts'
import { answerStep, type StepRow } from '../journal/step-store.ts'
import { recordedWait } from '../replay/recorded-wait.ts'
import { openSignalWait, type TakenSignal } from '../triggers/signal-waits.ts'
import type { NodeStep } from './node-step.ts'
import { waitForMore } from './node-store.ts'
import { inputOf } from './read-step.ts'
import { evaluate, type Scope } from './scope.ts'
import type { WorkflowContext } from './workflow-context.ts'
import { factsOf, flush, writeNew } from './write-step.ts'

/** An attempt after a failed one: when it may begin, and what it has in common with it. */
export interface Again {
  readonly attempt: number
  readonly beginsAt: EpochMs | null
  readonly idempotencyKey: string
}

type Opening = {
  readonly name: string
  readonly effect?: StepRow['effect']
  readonly input?: Json
  readonly childRunId?: RunId
} & (
  | { readonly state: 'intended'; readonly dueAt?: EpochMs | null }
  | {
      readonly state: 'waiting'
      readonly reason: 'time' | 'event' | 'approval'
      readonly dueAt: EpochMs | null
    }
  | { readonly state: 'done'; readonly output: Json }
)

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
    const step = newStep(ctx, node, path, { name: nameOf(node), state: 'intended' }, again)
    step.state = 'failed'
    step.error = { code: error.code, message: error.message }
    step.finishedAt = ctx.stamp()
    writeNew(ctx, step)
    return step
  }
  const step = newStep(ctx, node, path, opening, again)
  writeNew(ctx, step)
  await ask(ctx, scope, node, step, at)
  return step
}

async function ask(
  ctx: WorkflowContext,
  scope: Scope,
  node: WorkflowNode,
  step: NodeStep,
  at: EpochMs,
): Promise<void> {
  if (step.waitingReason === 'approval') await askPerson(ctx, node, step, at)
  else if (step.waitingReason === 'event') await awaitSignal(ctx, scope, node, step, at)
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

/** A failure that comes before anything of the node runs: of its condition. */
export function writeUnbegun(
  ctx: WorkflowContext,
  node: WorkflowNode,
  path: string,
  error: AppError,
): NodeStep {
  const step = newStep(ctx, node, path, { name: nameOf(node), state: 'intended' }, undefined)
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
    error: undefined,
    stored: { input: { inline: null, hash: null }, output: { inline: null, hash: null } },
    input: opening.input,
    output: done ? opening.output : undefined,
  }
}

function nameOf(node: WorkflowNode): string {
  switch (node.type) {
    case 'tool':
      return node.tool
    case 'agent':
      return node.agent
    case 'workflow':
      return node.workflow
    default:
      return node.id
  }
}

/** Until when an attempt that begins now may run. */
export function runUntil(node: WorkflowNode, at: EpochMs): EpochMs | null {
  const run = node.timeout?.run
  // A tool's time is kept where it is called.
  return run === undefined || node.type === 'tool' ? null : at + durationMs(run)
}

function openingOf(
  ctx: WorkflowContext,
  scope: Scope,
  node: WorkflowNode,
  path: string,
  again: Again | undefined,
): Opening {
  const at = ctx.deps.clock()
  const name = nameOf(node)
  switch (node.type) {
    case 'transform':
      return { name, state: 'done', output: evaluate(scope, path, 'value', node.value) }
    case 'tool': {
      const tool = ctx.tools.get(node.tool)
      if (tool === undefined) throw new AppError('tool.unregistered', `There is no tool "${node.tool}".`)
      const input = evaluate(scope, path, 'input', node.input)
      checkToolInput(tool, path, input)
      const { effect } = tool
      // A repeated attempt is the same effect under the same key: what was asked once is not asked again.
      if (again === undefined && needsApproval(ctx, tool))
        return { name, effect, input, state: 'waiting', reason: 'approval', dueAt: null }
      return { name, effect, input, state: 'intended' }
    }
    case 'agent':
    case 'workflow': {
      const input = evaluate(scope, path, 'input', node.input)
      return { name, input, childRunId: newId('run', at), state: 'intended', dueAt: runUntil(node, at) }
    }
    case 'approval': {
      const input = evaluate(scope, path, 'input', node.input)
      return { name, input, state: 'waiting', reason: 'approval', dueAt: runUntil(node, at) }
    }
    case 'wait':
      return { name, state: 'waiting', ...waitOf(scope, node, path, at) }
    case 'switch':
    case 'parallel':
    case 'race':
    case 'for_each':
    case 'loop':
      return { name, state: 'intended', dueAt: runUntil(node, at) }
    default:
      return node satisfies never
  }
}

type WaitNode = Extract<WorkflowNode, { type: 'wait' }>

function waitOf(
  scope: Scope,
  node: WaitNode,
  path: string,
  at: EpochMs,
): { readonly reason: 'time' | 'event'; readonly dueAt: EpochMs | null } {
  if (node.for !== undefined) return { reason: 'time', dueAt: at + durationMs(node.for) }
  if (node.until !== undefined) {
    const text = evaluate(scope, path, 'until', node.until)
    const dueAt = typeof text === 'string' ? Date.parse(text) : Number.NaN
    if (Number.isNaN(dueAt))
      throw new AppError('expression.failed', `Node "${path}", until: it gives no RFC 3339 time.`)
    return { reason: 'time', dueAt }
  }
  // Looked at before anything is on record.
  if (node.event?.correlation !== undefined)
    evaluate(scope, path, 'event.correlation', node.event.correlation)
  const times = [node.event?.timeout, node.timeout?.run].filter((time) => time !== undefined)
  const dues = times.map((time) => at + durationMs(time))
  return { reason: 'event', dueAt: dues.length === 0 ? null : Math.min(...dues) }
}

function checkToolInput(tool: ToolBinding, path: string, input: Json): void {
  const wrong = tool.checkInput(input)
  if (wrong.length === 0) return
  const list = wrong.slice(0, 5).map((error) => `${error.path || '(whole)'}: ${error.message}`)
  throw new AppError('tool.input-invalid', `Node "${path}": the input is wrong. ${list.join('; ')}`)
}

/** As in an agent's run: where the definition says so, and by default where text from outside may have caused a `once` call. */
function needsApproval(ctx: WorkflowContext, { approval, effect }: ToolBinding): boolean {
  return approval === 'always' || (approval === 'auto' && effect === 'once' && ctx.untrusted)
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
  if (limits.maxCostNanos === undefined) return
  if (tally.unpriced > 0)
    throw new AppError(
      'limit.money',
      'The run has a money limit, and the cost of an earlier model call is not known, so it may not go on.',
    )
  if (tally.costNanos >= limits.maxCostNanos)
    throw new AppError('limit.money', 'The run reached its money limit (limits.max_cost_usd).')
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
