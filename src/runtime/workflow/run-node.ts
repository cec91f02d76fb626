// One node of a block: whether it runs, its attempts, and what becomes of its failure.

import { AppError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import { durationMs } from '../../contract/duration.ts'
import type { RetryPolicy, WorkflowNode } from '../../contract/workflow.ts'
import { innerBlocks } from '../../contract/workflow-graph.ts'
import { interruptBelow, pause, Stopped } from '../agent/interruption.ts'
import { runBlocks } from './blocks.ts'
import { NodeFailed } from './node-failed.ts'
import type { NodeStep } from './node-step.ts'
import { openStep, writeSkipped, writeUnbegun } from './open-step.ts'
import { endAttempt } from './past-attempts.ts'
import { PAUSE_HELD_MS_MAX, progress } from './progress.ts'
import { evaluate, type Scope, scopeWith } from './scope.ts'
import type { WorkflowContext } from './workflow-context.ts'
import { factsOf, writeFailed } from './write-step.ts'

const BACKOFF_MS_DEFAULT = 1_000
const BACKOFF_MS_MAX_DEFAULT = 300_000
const FACTOR_DEFAULT = 2

/** `went`: it failed, and another node takes over. */
export type NodeEnd =
  | { readonly status: 'ran'; readonly result: Json }
  | { readonly status: 'skipped' }
  | { readonly status: 'went'; readonly to: string }

/** Throws `NodeFailed` where the failure is its block's as well, and what stops it. */
export async function runNode(ctx: WorkflowContext, scope: Scope, node: WorkflowNode): Promise<NodeEnd> {
  const path = `${scope.prefix}${node.id}`
  const known = take(ctx, path)
  if (known?.state === 'skipped') return { status: 'skipped' }
  // What has its result needs not be run again; but what can be undone inside it must be known.
  if (known === undefined) scope.interruption.check()
  const wanted = known === undefined ? isWanted(ctx, scope, node, path) : true
  if (wanted === false) {
    writeSkipped(ctx, node, path)
    return { status: 'skipped' }
  }
  const first = wanted === true ? (known ?? (await openStep(ctx, scope, node, path))) : wanted
  if (known !== undefined && ctx.plan.undone.has(node)) await retraceAll(ctx, scope, node, known)
  return endOf(ctx, scope, node, await attempts(ctx, scope, node, first))
}

export function skipNode(ctx: WorkflowContext, scope: Scope, node: WorkflowNode): void {
  const path = `${scope.prefix}${node.id}`
  if (take(ctx, path) === undefined) writeSkipped(ctx, node, path)
}

function take(ctx: WorkflowContext, path: string): NodeStep | undefined {
  const step = ctx.records.get(path)
  ctx.records.delete(path)
  return step
}

/** A condition that fails is a failure of its node. */
function isWanted(ctx: WorkflowContext, scope: Scope, node: WorkflowNode, path: string): boolean | NodeStep {
  if (node.when === undefined) return true
  try {
    return evaluate(scope, path, 'when', node.when) === true
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return writeUnbegun(ctx, node, path, error)
  }
}

/** What an earlier drive did in the blocks of a node, in each attempt that has ended, can be undone. */
async function retraceAll(
  ctx: WorkflowContext,
  scope: Scope,
  node: WorkflowNode,
  known: NodeStep,
): Promise<void> {
  for (const { step, ...recorded } of ctx.past.get(known.path) ?? [])
    await retrace({ ...ctx, ...recorded }, scope, node, step)
  ctx.past.delete(known.path)
  if (known.state === 'done' || known.state === 'failed') await retrace(ctx, scope, node, known)
}

/** Goes through the blocks of a node that has ended, for what can be undone in them. Nothing is run. */
async function retrace(
  ctx: WorkflowContext,
  scope: Scope,
  node: WorkflowNode,
  step: NodeStep,
): Promise<void> {
  if (innerBlocks(node).length === 0) return
  using interruption = interruptBelow(scope.interruption)
  interruption.stop('cancelled')
  try {
    await runBlocks(ctx, scopeWith(scope, { interruption }), node, step)
  } catch (error) {
    if (!(error instanceof Stopped) && !isOfTheNode(error)) throw error
  }
}

/** One attempt after the other, each a step of its own, until one is done or no other is due. */
async function attempts(
  ctx: WorkflowContext,
  scope: Scope,
  node: WorkflowNode,
  first: NodeStep,
): Promise<NodeStep> {
  for (let opened = first; ; ) {
    const step = await attempt(ctx, scope, node, opened)
    const delayMs = step.state === 'failed' ? delayBefore(ctx, node, step) : undefined
    if (delayMs === undefined) return step
    const held = delayMs <= PAUSE_HELD_MS_MAX
    ctx.journal.event('node.retried', { ...factsOf(step), delay_ms: delayMs })
    if (held) await ctx.waits.busy(() => pause(delayMs, scope.interruption.resting))
    scope.interruption.check()
    // What an earlier drive left inside belongs to the attempt that has failed.
    if (innerBlocks(node).length > 0) endAttempt(ctx, step)
    opened = await openStep(ctx, scope, node, step.path, {
      attempt: step.attempt + 1,
      beginsAt: held ? null : ctx.deps.clock() + delayMs,
      idempotencyKey: step.idempotencyKey,
    })
  }
}

/** An expression or a limit of the node itself that fails, fails the attempt. */
async function attempt(
  ctx: WorkflowContext,
  scope: Scope,
  node: WorkflowNode,
  step: NodeStep,
): Promise<NodeStep> {
  try {
    return await progress(ctx, scope, node, step)
  } catch (error) {
    if (!isOfTheNode(error) || step.state !== 'intended') throw error
    writeFailed(ctx, step, { code: error.code, message: error.message })
    return step
  }
}

const OF_THE_NODE: ReadonlySet<string> = new Set(['expression.failed', 'limit.iterations'])

function isOfTheNode(error: unknown): error is NodeFailed | AppError {
  return error instanceof NodeFailed || (error instanceof AppError && OF_THE_NODE.has(error.code))
}

/** Failures that another attempt would meet again, or that somebody wanted. */
const FINAL: ReadonlySet<string> = new Set([
  'expression.failed',
  'definition.invalid',
  'workflow.input-invalid',
  'tool.input-invalid',
  'tool.output-invalid',
  'tool.output-too-large',
  'tool.not-found',
  'tool.unregistered',
  'tool.declined',
  'approval.declined',
  'guardrail.blocked',
  'access.denied',
  'outbound.refused',
  'model.unknown',
  'model.not-configured',
  'model.refused',
])

/** How long until the next attempt, with full jitter; undefined where there is none. A `once` call is never made again by itself. */
function delayBefore(ctx: WorkflowContext, node: WorkflowNode, step: NodeStep): number | undefined {
  const { retry } = node
  const code = step.error?.code ?? ''
  if (retry === undefined || step.effect === 'once' || step.attempt >= retry.maxAttempts) return undefined
  const wanted =
    retry.on === undefined ? !FINAL.has(code) && !code.startsWith('limit.') : retry.on.includes(code)
  return wanted ? Math.round(ctx.deps.random() * backoffMs(retry, step.attempt)) : undefined
}

function backoffMs(retry: RetryPolicy, attempt: number): number {
  const base = retry.backoff === undefined ? BACKOFF_MS_DEFAULT : durationMs(retry.backoff)
  const most = retry.maxBackoff === undefined ? BACKOFF_MS_MAX_DEFAULT : durationMs(retry.maxBackoff)
  return Math.min(base * (retry.factor ?? FACTOR_DEFAULT) ** (attempt - 1), Math.max(most, base))
}

function endOf(ctx: WorkflowContext, scope: Scope, node: WorkflowNode, step: NodeStep): NodeEnd {
  const { path, seq } = step
  const at = step.finishedAt ?? 0
  if (step.state === 'done') {
    const result = step.output ?? null
    scope.setResult(node.id, result)
    if (node.compensate !== undefined)
      ctx.undoable.push({ path, compensate: node.compensate, scope, result, at, seq })
    return { status: 'ran', result }
  }
  const error = step.error ?? { code: 'node.failed', message: `Node "${path}" failed.` }
  if (node.onError === undefined || node.onError === 'fail') throw new NodeFailed({ ...error, path, seq, at })
  const result = { error: { code: error.code, message: error.message } }
  scope.setResult(node.id, result)
  return node.onError === 'continue' ? { status: 'ran', result } : { status: 'went', to: node.onError.goTo }
}
