// A sub-agent's call: a run of its own below the caller's, driven under the caller's lease with what is left of its limits.

import { AppError, type ErrorCode } from '../../base/errors.ts'
import type { Json, JsonObject } from '../../base/json.ts'
import { AGENT_DEPTH_MAX } from '../../base/limits.ts'
import { formatUsd } from '../../base/money.ts'
import type { Version } from '../../catalog/catalog.ts'
import type { AgentLimits } from '../../contract/agent.ts'
import { appendRunEvent } from '../../events/append.ts'
import { LeaseLost } from '../journal/journal.ts'
import { adoptRun, insertRun, type RunRow, runById } from '../journal/run-store.ts'
import { effectiveLimits } from '../run-limits.ts'
import { isTerminal } from '../run-state.ts'
import type { OpenCall, RunContext } from './context.ts'
import type { Drive } from './drive-end.ts'
import type { RunEndState } from './finish.ts'
import { createInterruption } from './interruption.ts'
import type { Callable } from './plan.ts'
import type { CallEnd } from './run-turn.ts'
import { isStorageTrouble } from './storage-trouble.ts'
import { addUsageOf } from './usage-below.ts'

type AgentCallable = Extract<Callable, { type: 'agent' }>

export async function callAgent(
  ctx: RunContext,
  call: OpenCall,
  callable: AgentCallable,
  drive: Drive,
): Promise<CallEnd> {
  if (ctx.run.depth + 1 >= AGENT_DEPTH_MAX) {
    return {
      status: 'failed',
      code: 'limit.depth',
      message: `Agents may call agents ${AGENT_DEPTH_MAX} deep, and this one is at the bottom.`,
    }
  }
  const known = await ctx.db.read((reader) => reader.first(runById, { id: childId(call) }))
  if (known !== undefined && isTerminal(known.state)) return endOfRow(ctx, known)
  if (known?.state === 'waiting') return { status: 'waiting' }
  const child = known === undefined ? await recorded(ctx, call, callable) : await rejoin(ctx, known)
  if (child instanceof AppError) return { status: 'failed', code: child.code, message: child.message }
  const outer = ctx.interruption
  const interruption = createInterruption(outer)
  const stop = (): void => interruption.stop(outer.reason() ?? 'cancelled')
  outer.signal.addEventListener('abort', stop, { once: true })
  if (outer.signal.aborted) stop()
  const driven = await drive(ctx.deps, child, undefined, interruption, ctx.untrusted).finally(() =>
    outer.signal.removeEventListener('abort', stop),
  )
  switch (driven.status) {
    case 'ended': {
      const { tally } = driven.ctx
      ctx.tally.tokens += tally.tokens
      ctx.tally.costNanos += tally.costNanos
      ctx.tally.unpriced += tally.unpriced
      return endOf(driven.end, driven.untrusted)
    }
    case 'waiting':
      return { status: 'waiting' }
    case 'released': {
      const row = await ctx.db.read((reader) => reader.first(runById, { id: child.id }))
      return row !== undefined && isTerminal(row.state) ? endOfRow(ctx, row) : { status: 'stopped' }
    }
    case 'lost':
      throw new LeaseLost(`The lease of run ${ctx.run.id} was lost.`)
    default:
      return driven satisfies never
  }
}

function childId(call: OpenCall): RunRow['id'] {
  if (call.childRunId === null) throw new Error(`The step ${call.step} calls an agent and names no run.`)
  return call.childRunId
}

/** The new run, or why the agent cannot run: that is for the model to hear of. */
async function recorded(
  ctx: RunContext,
  call: OpenCall,
  callable: AgentCallable,
): Promise<RunRow | AppError> {
  const { planner } = ctx.deps
  try {
    const agent = await planner.agent(ctx.tenantId, callable.id, callable.version)
    return await record(ctx, call, agent, JSON.stringify(await planner.pin(ctx.tenantId, agent)))
  } catch (error) {
    if (error instanceof AppError && !isStorageTrouble(error)) return error
    throw error
  }
}

/** What is left of the caller's limits. */
function limitsLeft({ limits, tally }: RunContext): AgentLimits {
  const { maxCostNanos } = limits
  const maxTokens = Math.max(limits.maxTokens - tally.tokens, 0)
  if (maxCostNanos === undefined) return { maxTokens }
  return {
    maxTokens,
    maxCostUsd: formatUsd(maxCostNanos > tally.costNanos ? maxCostNanos - tally.costNanos : 0n),
  }
}

async function record(
  ctx: RunContext,
  call: OpenCall,
  agent: Version<'agent'>,
  pins: string,
): Promise<RunRow> {
  const { run, deps } = ctx
  const id = childId(call)
  const at = deps.clock()
  const facts = { agent: agent.definition.name, version: agent.version }
  const row = await ctx.journal.fenced(async (tx) => {
    await tx.run(insertRun, {
      id,
      kind: 'agent',
      definitionId: agent.id,
      definitionName: agent.definition.name,
      definitionVersion: agent.version,
      digest: agent.digest,
      state: 'running',
      input: JSON.stringify((call.input as JsonObject).input ?? ''),
      sessionId: null,
      parentRunId: run.id,
      parentStep: call.step,
      rootRunId: run.rootRunId,
      depth: run.depth + 1,
      createdBy: run.createdBy,
      permissions: run.permissions,
      limits: JSON.stringify(effectiveLimits(agent.definition.limits, limitsLeft(ctx))),
      pins,
      fence: run.fence,
      eventCount: 2,
      traceId: run.traceId,
      triggerId: null,
      replayOf: null,
      replayFrom: null,
      replayChanges: null,
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
      data: { ...facts, parent_run_id: run.id },
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

/** Takes up a sub-agent's run that an earlier worker left, or that somebody answered. */
async function rejoin(ctx: RunContext, child: RunRow): Promise<RunRow> {
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

function endOf(end: RunEndState, untrusted: boolean): CallEnd {
  switch (end.state) {
    case 'completed':
      return { status: 'done', output: end.output, untrusted }
    case 'failed':
      return { status: 'failed', code: end.error.code, message: `The agent failed: ${end.error.message}` }
    case 'cancelled':
      return { status: 'failed', code: 'tool.failed', message: 'The agent was cancelled.' }
    default:
      return end satisfies never
  }
}

/** The end of a run that ended without this process: what it used is not counted yet. */
async function endOfRow(ctx: RunContext, row: RunRow): Promise<CallEnd> {
  await ctx.db.read((reader) => addUsageOf(reader, row.rootRunId, [row.id], ctx.tally))
  if (row.state === 'completed')
    return { status: 'done', output: JSON.parse(row.output ?? 'null') as Json, untrusted: true }
  const code = (row.errorCode ?? 'tool.failed') as ErrorCode
  return {
    status: 'failed',
    code,
    message: `The agent ${row.state === 'cancelled' ? 'was cancelled' : `failed: ${row.errorMessage ?? code}`}.`,
  }
}
