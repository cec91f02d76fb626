// An intended step is performed: a tool is called, a run below is driven, or the blocks of the node are run.

import { durationMs } from '../../contract/duration.ts'
import type { WorkflowNode } from '../../contract/workflow.ts'
import { admitTool, meterTool } from '../agent/admission.ts'
import { callBelow, limitsLeft, type NewChild } from '../agent/child-run.ts'
import type { DriveDeps } from '../agent/context.ts'
import { interruptBelow, Stopped } from '../agent/interruption.ts'
import { agentBelow } from '../agent/sub-agent.ts'
import { type CallEnd, callTool, observeCall } from '../agent/tool-call.ts'
import type { RunRow } from '../journal/run-store.ts'
import { putBackStep } from '../journal/step-store.ts'
import { toolFact } from '../metering.ts'
import { runBlocks } from './blocks.ts'
import type { NodeStep } from './node-step.ts'
import { waitingInTree } from './node-store.ts'
import { inputOf } from './read-step.ts'
import { type Scope, scopeWith } from './scope.ts'
import { dueBelow } from './waits.ts'
import type { WorkflowContext } from './workflow-context.ts'
import { effectiveWorkflowLimits } from './workflow-limits.ts'
import { checkWorkflowInput } from './workflow-plan.ts'
import { cancelCalled, flush, writeDone, writeDoubt, writeFailed } from './write-step.ts'

type CallNode = Extract<WorkflowNode, { type: 'agent' | 'workflow' }>

export async function perform(
  ctx: WorkflowContext,
  scope: Scope,
  node: WorkflowNode,
  step: NodeStep,
): Promise<void> {
  if (node.type === 'tool') return performTool(ctx, scope, node, step)
  const within = { deadline: step.dueAt, idleMs: undefined }
  if (node.type === 'agent' || node.type === 'workflow') {
    const idle = node.timeout?.idle
    const idleMs = idle === undefined ? undefined : durationMs(idle)
    return limited(ctx, scope, step, { ...within, idleMs }, async (inner, life) =>
      record(ctx, inner, step, await performCall(ctx, inner, node, step, life)),
    )
  }
  return limited(ctx, scope, step, within, async (inner) =>
    writeDone(ctx, step, await runBlocks(ctx, inner, node, step)),
  )
}

async function performTool(
  ctx: WorkflowContext,
  scope: Scope,
  node: Extract<WorkflowNode, { type: 'tool' }>,
  step: NodeStep,
): Promise<void> {
  const tool = ctx.tools.get(step.name)
  if (tool === undefined)
    return writeFailed(ctx, step, {
      code: 'tool.unregistered',
      message: `The tool "${step.name}" is no longer there.`,
    })
  const input = await inputOf(ctx, step)
  // The intent, and all that it rests on, is on record before the call.
  await flush(ctx)
  if (!step.stale) checkUnmade(ctx, scope, step)
  const { interruption: stopping } = scope
  const admission = await ctx.waits.busy(() => admitTool({ ...ctx, interruption: stopping }, step.seq, tool))
  if (admission.status === 'waiting') return setWaiting(step)
  if (admission.status === 'failed')
    return writeFailed(ctx, step, {
      code: admission.code,
      message: `Node "${step.path}": ${admission.message}`,
    })
  const startedAt = ctx.deps.clock()
  step.made = true
  // Whoever loses a race need not wait; but how far a `once` call came, nobody would know.
  const { interruption } = step.effect === 'once' ? ctx : scope
  const { run, idle } = node.timeout ?? {}
  const times = {
    runMs: run === undefined ? undefined : durationMs(run),
    idleMs: idle === undefined ? undefined : durationMs(idle),
  }
  const call = { step: step.seq, input, idempotencyKey: step.idempotencyKey, stale: step.stale }
  const end = await ctx.waits.busy(() => callTool({ ...ctx, interruption }, call, tool, times))
  observeCall(ctx, { step: step.seq, tool: step.name }, end, startedAt)
  const fact = toolFact(step.idempotencyKey, step.attempt)
  meterTool(ctx, { step: step.seq, fact }, tool, admission.paid, end)
  record(ctx, scope, step, end)
}

/** It is on record as waiting until a budget has room for it. */
function setWaiting(step: NodeStep): void {
  step.state = 'waiting'
  step.waitingReason = 'budget'
}

/** Nobody needs to wonder what became of a call that was not made. */
function checkUnmade(ctx: WorkflowContext, scope: Scope, step: NodeStep): void {
  try {
    scope.interruption.check()
  } catch (error) {
    if (step.effect === 'once') {
      ctx.journal.add((tx) => tx.run(putBackStep, { runId: ctx.run.id, seq: step.seq }))
      step.state = 'approved'
    }
    throw error
  }
}

/** The run below, driven until it ends; while it waits, so does this step. */
async function performCall(
  ctx: WorkflowContext,
  scope: Scope,
  node: CallNode,
  step: NodeStep,
  life: Life,
): Promise<CallEnd> {
  const input = await inputOf(ctx, step)
  await flush(ctx)
  const { childRunId } = step
  if (childRunId === null) throw new Error(`Step ${step.seq} calls a run and names none.`)
  const call = {
    step: step.seq,
    childRunId,
    interruption: scope.interruption,
    deps: watched(ctx.deps, life.sign),
    waits: async (child: RunRow) => {
      const waiting = await ctx.db.read((reader) =>
        reader.all(waitingInTree, { rootRunId: ctx.run.rootRunId }),
      )
      const dueAt = dueBelow(waiting, child.id)
      return dueAt === null || dueAt > ctx.deps.clock()
    },
    make: () => childOf(ctx, node, input),
  }
  for (;;) {
    const end = await ctx.waits.busy(() => callBelow(ctx, call, ctx.drive))
    if (end.status !== 'waiting') return end
    life.stands(true)
    await ctx.waits.until({ on: 'child', runId: childRunId }, scope.interruption)
    life.stands(false)
  }
}

async function childOf(ctx: WorkflowContext, node: CallNode, input: NewChild['input']): Promise<NewChild> {
  const { deps, plan, tenantId } = ctx
  if (node.type === 'agent') {
    const pinned = plan.pins.agents[node.agent]
    if (pinned === undefined) throw new Error(`The agent "${node.agent}" was not pinned.`)
    return agentBelow(ctx, await deps.planner.agent(tenantId, pinned.id, pinned.version), input)
  }
  const pinned = plan.pins.workflows[node.workflow]
  if (pinned === undefined) throw new Error(`The workflow "${node.workflow}" was not pinned.`)
  const version = await deps.workflows.workflow(tenantId, pinned.id, pinned.version)
  checkWorkflowInput(version.definition, input)
  const limits = effectiveWorkflowLimits(version.definition.limits, limitsLeft(ctx))
  const own = plan.pins.below[pinned.id]
  const { below } = plan.pins
  return {
    kind: 'workflow',
    version,
    input,
    limits: JSON.stringify(limits),
    pins: JSON.stringify({ workflows: {}, ...own, below }),
  }
}

/** What tells that an attempt still lives. While it waits for somebody, the clock stands still. */
interface Life {
  sign(): void
  stands(now: boolean): void
}

const UNWATCHED: Life = { sign: () => undefined, stands: () => undefined }

/** What a run below writes, or its model says, is a sign of life. */
function watched(deps: DriveDeps, alive: () => void): DriveDeps {
  return {
    ...deps,
    written: (runId, settled) => {
      alive()
      deps.written(runId, settled)
    },
    delta: (...said) => {
      alive()
      deps.delta(...said)
    },
  }
}

/** Runs `work` until its deadline, or until it gave no sign of life for too long: then the node fails with `node.timeout`. */
async function limited(
  ctx: WorkflowContext,
  scope: Scope,
  step: NodeStep,
  { deadline, idleMs }: { readonly deadline: number | null; readonly idleMs: number | undefined },
  work: (inner: Scope, life: Life) => Promise<void>,
): Promise<void> {
  if (deadline === null && idleMs === undefined) return work(scope, UNWATCHED)
  using interruption = interruptBelow(scope.interruption)
  let over: string | undefined
  const stop = (message: string) => (): void => {
    over ??= message
    interruption.stop('cancelled')
  }
  const late = stop(`Node "${step.path}" did not end within its time (timeout.run).`)
  const left = deadline === null ? undefined : deadline - ctx.deps.clock()
  if (left !== undefined && left <= 0) late()
  const timer = left === undefined ? undefined : setTimeout(late, Math.min(Math.max(left, 0), TIMER_MS_MAX))
  let waits = false
  const silent = stop(`Node "${step.path}" gave no sign of life in time (timeout.idle).`)
  const idle =
    idleMs === undefined ? undefined : setTimeout(() => (waits ? idle?.refresh() : silent()), idleMs)
  const life: Life = {
    sign: () => void idle?.refresh(),
    stands: (now) => {
      waits = now
      idle?.refresh()
    },
  }
  try {
    await work(scopeWith(scope, { interruption }), life)
    if (over !== undefined && step.state !== 'done') throw new Stopped('cancelled')
  } catch (error) {
    const stopped = scope.interruption.reason() !== undefined || scope.interruption.resting.aborted
    if (over === undefined || stopped || !(error instanceof Stopped)) throw error
    // A run below that is driven has ended with this; one that waits has not.
    if (step.childRunId !== null) await cancelCalled(ctx, step)
    writeFailed(ctx, step, { code: 'node.timeout', message: over })
  } finally {
    clearTimeout(timer)
    clearTimeout(idle)
  }
}

/** The longest that a timer of the process can be set; a later deadline is kept by the row's `dueAt`. */
const TIMER_MS_MAX = 2_147_483_647

function record(ctx: WorkflowContext, scope: Scope, step: NodeStep, end: CallEnd): void {
  switch (end.status) {
    case 'done':
      ctx.untrusted ||= end.untrusted
      writeDone(ctx, step, end.output)
      break
    case 'failed':
      // A run below that was told to stop has not failed.
      if (step.childRunId !== null) scope.interruption.check()
      writeFailed(ctx, step, { code: end.code, message: `Node "${step.path}": ${end.message}` })
      break
    case 'in_doubt':
      writeDoubt(ctx, step)
      break
    case 'waiting':
    case 'stopped':
      scope.interruption.check()
      throw new Stopped('shutdown')
    default:
      end satisfies never
  }
}
