// What an attempt at a node begins with, as its definition and what is on record say: its input, and what it waits for.

import { AppError } from '../../base/errors.ts'
import { newId, type RunId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import { durationMs } from '../../contract/duration.ts'
import type { WorkflowNode } from '../../contract/workflow.ts'
import type { ToolBinding } from '../agent/tool-binding.ts'
import type { StepRow } from '../journal/step-store.ts'
import { evaluate, type Scope } from './scope.ts'
import type { WorkflowContext } from './workflow-context.ts'

/** An attempt after a failed one: when it may begin, and what it has in common with it. */
export interface Again {
  readonly attempt: number
  readonly beginsAt: EpochMs | null
  readonly idempotencyKey: string
}

export type Opening = {
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

/** Throws an AppError where it cannot begin: an expression fails, the input is wrong. */
export function openingOf(
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

export function nameOf(node: WorkflowNode): string {
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
