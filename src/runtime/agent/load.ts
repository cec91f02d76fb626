// A run is taken up: from nothing, or from what an earlier worker left in the journal.

import { AppError, isAppError } from '../../base/errors.ts'
import type { AgentId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { AgentLimits } from '../../contract/agent.ts'
import type { TenantDatabase, TenantReader } from '../../storage/database.ts'
import type { RunRow } from '../journal/run-store.ts'
import { type StepRow, stepBySeq, stepsOf } from '../journal/step-store.ts'
import { toolForRun } from '../replay/recorded-tool.ts'
import { replayChangesOf } from '../replay/replay-changes.ts'
import { toRunLimits } from '../run-limits.ts'
import type { Allowance } from './allowance.ts'
import type { DriveDeps, OpenCall, RunContext } from './context.ts'
import { drivenRun } from './driven-run.ts'
import type { Interruption } from './interruption.ts'
import { REPAIR } from './loop.ts'
import { readMessages, stepOutput } from './message-log.ts'
import { recordAttempt } from './model-turn.ts'
import { openAllowance } from './open-allowance.ts'
import { idempotencyKey } from './open-turn.ts'
import type { AgentPlan, Callable } from './plan.ts'
import { stableKey } from './stable-key.ts'
import { addUsageOf } from './usage-below.ts'

/** The context of an adopted run. A run that had begun is read back: messages, counts, the turn that was open. */
export async function loadContext(
  deps: DriveDeps,
  run: RunRow,
  interruption: Interruption,
  untrusted: boolean,
  above: Allowance,
): Promise<RunContext> {
  const db = deps.db.tenant(run.tenantId)
  const plan = await planOf(deps, run, db)
  await checkModels(deps, plan)
  const limits = toRunLimits(JSON.parse(run.limits) as AgentLimits)
  const driven = await drivenRun(deps, run, interruption, untrusted, () => interruption.stop('cancelled'))
  const ctx: RunContext = {
    ...driven,
    plan,
    limits,
    allowance: await openAllowance(driven, limits.maxCostNanos, above),
    messages: [],
    callCounts: new Map(),
    turn: undefined,
    answerStep: 0,
    heldBack: undefined,
    attempts: 0,
    repairs: 0,
  }
  if (run.stepCount > 0 || run.messageCount > 0) await db.read((reader) => restore(ctx, reader))
  return ctx
}

async function planOf(deps: DriveDeps, run: RunRow, db: TenantDatabase): Promise<AgentPlan> {
  const { tenantId, definitionId, definitionVersion, pins } = run
  const changes = replayChangesOf(run)
  const plan = await deps.planner.plan(tenantId, definitionId as AgentId, definitionVersion, pins, changes)
  if (changes === undefined) return plan
  const callables = new Map<string, Callable>()
  for (const [name, callable] of plan.callables) {
    const { type } = callable
    callables.set(name, type === 'tool' ? { type, tool: toolForRun(db, run, callable.tool) } : callable)
  }
  return { ...plan, callables }
}

/** Throws `model.not-configured` where none of the agent's models can be asked from here; another worker may have one. */
async function checkModels(deps: DriveDeps, plan: AgentPlan): Promise<void> {
  let lacking: unknown
  for (const model of plan.models) {
    try {
      await deps.models.provider(model)
      return
    } catch (error) {
      // Any other trouble is the model call's to tell.
      if (!isAppError(error, 'model.not-configured')) return
      lacking ??= error
    }
  }
  if (lacking !== undefined) throw lacking
}

async function restore(ctx: RunContext, reader: TenantReader): Promise<void> {
  const steps = await stepsOf(reader, ctx.run.id)
  const bySeq = new Map(steps.map((step) => [step.seq, step]))
  const messages = await readMessages(reader, ctx.run.id, ctx.run.messageCount, async (seq) => bySeq.get(seq))
  // To begin anew would make again what was made.
  if (messages === undefined)
    throw new AppError('run.lost', 'What was said in this run is not kept any more.')
  for (const message of messages) ctx.messages.push(message)
  ctx.repairs = ctx.messages.filter(
    (message) => message.role === 'user' && message.text.startsWith(REPAIR),
  ).length
  for (const step of steps) replay(ctx, step)
  const called = steps.filter(({ state }) => state === 'done' || state === 'failed')
  const children = called.map(({ childRunId }) => childRunId).filter((id) => id !== null)
  await addUsageOf(reader, ctx.run.rootRunId, children, ctx.tally)
  if (ctx.messages.at(-1)?.role === 'assistant') ctx.turn = await turnOf(ctx, reader, steps)
}

function replay(ctx: RunContext, step: StepRow): void {
  if (step.kind === 'model' || step.kind === 'compaction') {
    if (step.state === 'waiting' || step.state === 'approved') {
      // It waited for a budget, and was no attempt yet.
      ctx.heldBack = step.seq
      ctx.attempts = step.attempt - 1
      return
    }
    ctx.attempts = step.state === 'done' ? 0 : step.attempt
    if (step.kind === 'model' && step.state === 'done') {
      ctx.tally.modelTurns += 1
      ctx.answerStep = step.seq
    }
    // The process died while the model worked: the attempt may have cost money, and nobody knows how much.
    if (step.state === 'intended') recordLost(ctx, step)
    return
  }
  const input = JSON.parse(step.input ?? 'null') as Json
  const key = stableKey(step.name, input)
  ctx.callCounts.set(key, (ctx.callCounts.get(key) ?? 0) + 1)
  if (step.state !== 'done') return
  const callable = ctx.plan.callables.get(step.name)
  ctx.untrusted ||= callable === undefined || callable.type === 'agent' || callable.tool.untrusted
}

function recordLost(ctx: RunContext, step: StepRow): void {
  recordAttempt(ctx, ctx.prices, {
    headHash: step.kind === 'model' ? ctx.plan.head.hash : '',
    messagesUntil: step.kind === 'model' ? ctx.messages.length : 0,
    model: step.name,
    step: step.seq,
    attempt: step.attempt,
    startedAt: step.startedAt,
    held: true,
    outcome: 'interrupted',
  })
}

/** The open turn as the journal has it now; answers may have come since it was last looked at. */
export async function reloadTurn(ctx: RunContext): Promise<void> {
  if (ctx.turn === undefined) return
  ctx.turn = await ctx.db.read(async (reader) => {
    const calls = ctx.turn ?? []
    const rows = await Promise.all(
      calls.map((call) => reader.first(stepBySeq, { runId: ctx.run.id, seq: call.step })),
    )
    return openCalls(
      reader,
      rows.filter((row) => row !== undefined),
      false,
    )
  })
}

async function turnOf(
  ctx: RunContext,
  reader: TenantReader,
  steps: readonly StepRow[],
): Promise<OpenCall[] | undefined> {
  const rows = steps.filter((step) => step.parentStep === ctx.answerStep && step.callId !== null)
  return rows.length === 0 ? undefined : openCalls(reader, rows, true)
}

async function openCalls(
  reader: TenantReader,
  rows: readonly StepRow[],
  stale: boolean,
): Promise<OpenCall[]> {
  const calls: OpenCall[] = []
  for (const row of rows) {
    calls.push({
      step: row.seq,
      callId: row.callId ?? '',
      name: row.name,
      kind: row.kind === 'agent' ? 'agent' : 'tool',
      input: JSON.parse(row.input ?? 'null') as Json,
      state: row.state,
      waitingReason: row.waitingReason,
      effect: row.effect,
      idempotencyKey: row.idempotencyKey ?? idempotencyKey(row.runId, row.seq),
      childRunId: row.childRunId,
      stale: stale && row.state === 'intended',
      made: stale && row.state === 'intended',
      result: row.state === 'done' || row.state === 'failed' ? await stepOutput(reader, row) : undefined,
    })
  }
  return calls
}
