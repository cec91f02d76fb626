// A run below another: an agent or a workflow that a run calls. It is a run of its own, driven under the caller's lease
// with what is left of the caller's limits; one that waits or was left is taken up again.

import { AppError, type ErrorCode } from '../../base/errors.ts'
import type { RunId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import { AGENT_DEPTH_MAX } from '../../base/limits.ts'
import { formatUsd } from '../../base/money.ts'
import type { Version } from '../../catalog/catalog.ts'
import type { AgentLimits } from '../../contract/agent.ts'
import { appendRunEvent } from '../../events/append.ts'
import { LeaseLost } from '../journal/journal.ts'
import { adoptRun, insertRun, type RunRow, runById } from '../journal/run-store.ts'
import { type ReplayFields, replayBelow } from '../replay/replay-below.ts'
import { isTerminal } from '../run-state.ts'
import { unspent } from './allowance.ts'
import type { DriveDeps, DrivenRun } from './context.ts'
import type { Drive } from './drive-end.ts'
import type { RunEndState } from './finish.ts'
import { type Interruption, interruptBelow } from './interruption.ts'
import { isStorageTrouble } from './storage-trouble.ts'
import type { CallEnd } from './tool-call.ts'
import { Unroutable } from './unroutable.ts'
import { addUsageOf } from './usage-below.ts'

/** What a run below is to be: its version, its input, and JSON of its limits and pins. */
export type NewChild = {
  readonly input: Json
  readonly limits: string
  readonly pins: string
} & (
  | { readonly kind: 'agent'; readonly version: Version<'agent'> }
  | { readonly kind: 'workflow'; readonly version: Version<'workflow'> }
)

export interface ChildCall {
  readonly step: number
  readonly childRunId: RunId | null
  /** Asked where there is no such run yet. Throws an AppError for the caller to hear of. */
  make(): Promise<NewChild>
  /** Whether one that waits does so still; without it, it does until it is woken. */
  waits?(child: RunRow): Promise<boolean>
  /** In the place of the caller's own. */
  readonly deps?: DriveDeps
  readonly interruption?: Interruption
}

export async function callBelow(ctx: DrivenRun, call: ChildCall, drive: Drive): Promise<CallEnd> {
  const { interruption = ctx.interruption, deps = ctx.deps } = call
  if (ctx.run.depth + 1 >= AGENT_DEPTH_MAX) {
    return {
      status: 'failed',
      code: 'limit.depth',
      message: `Runs may call runs ${AGENT_DEPTH_MAX} deep, and this one is at the bottom.`,
    }
  }
  const known = await ctx.db.read((reader) => reader.first(runById, { id: childId(call) }))
  if (known !== undefined && isTerminal(known.state)) return endOfRow(ctx, known)
  if (known?.state === 'waiting' && ((await call.waits?.(known)) ?? true)) return { status: 'waiting' }
  const child = known === undefined ? await recorded(ctx, call) : await rejoin(ctx, known)
  if (child instanceof AppError) return { status: 'failed', code: child.code, message: child.message }
  using below = interruptBelow(interruption)
  const driven = await drive(deps, child, undefined, below, ctx.untrusted, ctx.allowance)
  switch (driven.status) {
    case 'ended': {
      const { tally } = driven
      ctx.tally.tokens += tally.tokens
      ctx.tally.costNanos += tally.costNanos
      ctx.tally.unpriced += tally.unpriced
      return endOf(child.kind, driven.end, driven.untrusted)
    }
    case 'waiting':
      return { status: 'waiting' }
    case 'released': {
      const row = await ctx.db.read((reader) => reader.first(runById, { id: child.id }))
      return row !== undefined && isTerminal(row.state) ? endOfRow(ctx, row) : { status: 'stopped' }
    }
    case 'unroutable':
      throw new Unroutable(driven.reason)
    case 'lost':
      throw new LeaseLost(`The lease of run ${ctx.run.id} was lost.`)
    default:
      return driven satisfies never
  }
}

function childId(call: ChildCall): RunId {
  if (call.childRunId === null) throw new Error(`The step ${call.step} calls a run and names none.`)
  return call.childRunId
}

/** What is left of the caller's limits. */
export function limitsLeft({
  run,
  limits,
  tally,
  allowance,
}: DrivenRun): Pick<AgentLimits, 'maxTokens' | 'maxCostUsd'> {
  const maxTokens = Math.max(limits.maxTokens - tally.tokens, 0)
  // Those beside it spend of the same: what its caller has left then is asked for at each step.
  const costNanos = unspent(allowance, run.id)
  return costNanos === undefined ? { maxTokens } : { maxTokens, maxCostUsd: formatUsd(costNanos) }
}

/** The new run, or why there can be none: that is for the caller to hear of. */
async function recorded(ctx: DrivenRun, call: ChildCall): Promise<RunRow | AppError> {
  try {
    const child = await call.make()
    const { fields, counterpart } = await ctx.db.read((reader) => replayBelow(reader, ctx.run, call.step))
    const same =
      counterpart?.definitionId === child.version.id &&
      counterpart.definitionVersion === child.version.version
    return await record(ctx, call, same ? { ...child, pins: counterpart.pins } : child, fields)
  } catch (error) {
    if (error instanceof AppError && !isStorageTrouble(error)) return error
    throw error
  }
}

/** Every run below another is recorded here. */
async function record(
  ctx: DrivenRun,
  call: ChildCall,
  child: NewChild,
  replay: ReplayFields,
): Promise<RunRow> {
  const { run, deps } = ctx
  const { kind, version } = child
  const { name } = version.definition
  const id = childId(call)
  const at = deps.clock()
  const row = await ctx.journal.fenced(async (tx) => {
    await tx.run(insertRun, {
      id,
      kind,
      definitionId: version.id,
      definitionName: name,
      definitionVersion: version.version,
      digest: version.digest,
      state: 'running',
      input: JSON.stringify(child.input),
      sessionId: null,
      parentRunId: run.id,
      parentStep: call.step,
      rootRunId: run.rootRunId,
      depth: run.depth + 1,
      createdBy: run.createdBy,
      userId: run.userId,
      projectId: run.projectId,
      workflowId: run.workflowId,
      permissions: run.permissions,
      limits: child.limits,
      pins: child.pins,
      fence: run.fence,
      eventCount: 2,
      traceId: run.traceId,
      triggerId: run.triggerId,
      ...replay,
      redriveOf: null,
      createdAt: at,
      startedAt: at,
      activeSince: at,
    })
    await appendRunEvent(tx, {
      type: 'run.requested',
      runId: id,
      runSeq: 1,
      actor: run.id,
      data: { [kind]: name, version: version.version, parent_run_id: run.id },
      at,
    })
    await appendRunEvent(tx, {
      type: 'run.started',
      runId: id,
      runSeq: 2,
      actor: deps.worker,
      data: { attempt: 1 },
      at,
    })
    return tx.first(runById, { id })
  })
  deps.written(id, false)
  if (row === undefined) throw new Error(`The run ${id} was recorded and cannot be read.`)
  return row
}

/** Takes up a run that an earlier worker left, or that was woken. */
async function rejoin(ctx: DrivenRun, child: RunRow): Promise<RunRow> {
  const at = ctx.deps.clock()
  const row = await ctx.journal.fenced(async (tx) => {
    const adopted = await tx.first(adoptRun, { id: child.id, fence: ctx.run.fence, at })
    if (adopted === undefined) return undefined
    await appendRunEvent(tx, {
      type: 'run.resumed',
      runId: child.id,
      runSeq: adopted.eventCount,
      actor: ctx.deps.worker,
      data: {},
      at,
    })
    return adopted
  })
  if (row === undefined) throw new LeaseLost(`The run ${child.id} has another worker.`)
  ctx.deps.written(child.id, false)
  return row
}

function endOf(kind: RunRow['kind'], end: RunEndState, untrusted: boolean): CallEnd {
  switch (end.state) {
    case 'completed':
      return { status: 'done', output: end.output, untrusted }
    case 'failed':
      return { status: 'failed', code: end.error.code, message: `The ${kind} failed: ${end.error.message}` }
    case 'cancelled':
      return { status: 'failed', code: 'tool.failed', message: `The ${kind} was cancelled.` }
    default:
      return end satisfies never
  }
}

/** The end of a run that ended without this process: what it used is not counted yet. */
async function endOfRow(ctx: DrivenRun, row: RunRow): Promise<CallEnd> {
  await ctx.db.read((reader) => addUsageOf(reader, row.rootRunId, [row.id], ctx.tally))
  if (row.state === 'completed')
    return { status: 'done', output: JSON.parse(row.output ?? 'null') as Json, untrusted: true }
  const code = (row.errorCode ?? 'tool.failed') as ErrorCode
  const how = row.state === 'cancelled' ? 'was cancelled' : `failed: ${row.errorMessage ?? code}`
  return { status: 'failed', code, message: `The ${row.kind} ${how}.` }
}
