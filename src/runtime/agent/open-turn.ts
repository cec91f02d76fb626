// The calls of a model's answer become steps: refused, waiting for a person, or intended. Nothing is called here.

import { AppError, type ErrorCode } from '../../base/errors.ts'
import { newId, type RunId } from '../../base/ids.ts'
import { type Json, withoutNul } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import type { AssistantPart, ToolCallPart } from '../../contract/message.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { requestApproval } from '../approvals/request-approval.ts'
import { insertStep, type NewStep, type StepRow } from '../journal/step-store.ts'
import { checkBeforeTools } from '../run-limits.ts'
import { codeContext, type OpenCall, type RunContext } from './context.ts'
import type { Callable } from './plan.ts'
import { stableKey } from './stable-key.ts'

/** What is to become of a call. */
type Decision =
  | { readonly state: 'intended' | 'waiting'; readonly input: Json; readonly callable: Callable }
  | { readonly state: 'failed'; readonly input: Json; readonly code: ErrorCode; readonly message: string }

/** Gathers a step for each call of the answer, in one write with the answer itself where no slow guardrail looks at it. */
export async function openTurn(
  ctx: RunContext,
  modelStep: number,
  parts: readonly AssistantPart[],
): Promise<void> {
  const calls = parts.filter((part) => part.type === 'tool_call')
  checkBeforeTools(ctx.limits, ctx.tally, calls.length)
  ctx.tally.toolCalls += calls.length
  // The host's code may take its time: the answer is put on record first, so that a crash does not ask for it again.
  if (ctx.plan.guardrails.slow.tool_call) await ctx.journal.flush()
  // A turn is opened whole or not at all: what stops the run while a call is looked at leaves no step behind.
  const decided: { call: ToolCallPart; decision: Decision }[] = []
  for (const call of calls) decided.push({ call, decision: await decide(ctx, call) })
  ctx.turn = decided.map(({ call, decision }) => open(ctx, modelStep, call, decision))
  // Whether a call waits is known once it is on record: somebody may have answered before.
  if (ctx.turn.some(({ state }) => state === 'waiting')) await ctx.journal.flush()
}

async function decide(ctx: RunContext, call: ToolCallPart): Promise<Decision> {
  if ('malformed' in call.arguments) {
    return refused(
      null,
      'tool.input-invalid',
      `The arguments are not JSON: ${call.arguments.malformed.slice(0, 200)}`,
    )
  }
  const callable = ctx.plan.callables.get(call.tool)
  const asked = call.arguments.json
  if (callable === undefined) {
    const names = [...ctx.plan.callables.keys()].join(', ') || 'none'
    return refused(
      asked,
      'tool.not-found',
      `There is no tool "${call.tool.slice(0, 64)}". The tools are: ${names}.`,
    )
  }
  const verdict = await ctx.plan.guardrails.checkCall(call.tool, asked, codeContext(ctx))
  for (const rule of verdict.triggered)
    ctx.journal.event('guardrail.triggered', { guardrail: rule, on: 'tool_call', status: verdict.status })
  if (verdict.status === 'blocked') return refused(asked, 'guardrail.blocked', verdict.message)
  const input = verdict.value
  countIdentical(ctx, call.tool, input)
  const wrong = callable.type === 'tool' ? callable.tool.checkInput(input) : checkAgentInput(input)
  if (wrong.length > 0) {
    const list = wrong.slice(0, 5).map(({ path, message }) => `${path || '(whole)'}: ${message}`)
    return refused(input, 'tool.input-invalid', `The arguments are wrong. ${list.join('; ')}`)
  }
  return { state: needsApproval(ctx, callable) ? 'waiting' : 'intended', input, callable }
}

function refused(input: Json, code: ErrorCode, message: string): Decision {
  return { state: 'failed', input, code, message: withoutNul(message) }
}

/** A `once` call asks a person where the definition says so, and by default where text from outside may have caused it. */
function needsApproval(ctx: RunContext, callable: Callable): boolean {
  if (callable.type === 'agent') return false
  const { approval, effect } = callable.tool
  return approval === 'always' || (approval === 'auto' && effect === 'once' && ctx.untrusted)
}

function checkAgentInput(input: Json): readonly { path: string; message: string }[] {
  const text = typeof input === 'object' && input !== null && 'input' in input ? input.input : undefined
  return typeof text === 'string' && text !== ''
    ? []
    : [{ path: '/input', message: 'must be a text that is not empty' }]
}

function countIdentical(ctx: RunContext, tool: string, input: Json): void {
  const key = stableKey(tool, input)
  const made = (ctx.callCounts.get(key) ?? 0) + 1
  ctx.callCounts.set(key, made)
  if (made <= ctx.limits.maxIdenticalCalls) return
  throw new AppError(
    'limit.identical-calls',
    `The model asked for "${tool}" with the same arguments more than ${ctx.limits.maxIdenticalCalls} times (limits.max_identical_calls).`,
  )
}

function open(ctx: RunContext, modelStep: number, call: ToolCallPart, decision: Decision): OpenCall {
  const { journal, run } = ctx
  const step = journal.nextStep()
  const at = ctx.deps.clock()
  const failed = decision.state === 'failed'
  const kind = !failed && decision.callable.type === 'agent' ? 'agent' : 'tool'
  const effect = !failed && decision.callable.type === 'tool' ? decision.callable.tool.effect : null
  const childRunId: RunId | null = kind === 'agent' ? newId('run', at) : null
  const waitingReason: StepRow['waitingReason'] = decision.state === 'waiting' ? 'approval' : null
  const name = call.tool.slice(0, 64)
  const { input } = decision
  const opened: OpenCall = {
    step,
    callId: call.callId,
    name,
    kind,
    input,
    state: decision.state,
    waitingReason,
    effect,
    childRunId,
    idempotencyKey: idempotencyKey(run.id, step),
    stale: false,
    made: false,
    result: failed ? { type: 'error', message: decision.message } : undefined,
  }
  const row: NewStep = {
    runId: run.id,
    seq: step,
    kind,
    name,
    path: null,
    state: decision.state,
    waitingReason,
    dueAt: null,
    attempt: 1,
    callId: call.callId,
    parentStep: modelStep,
    effect,
    idempotencyKey: opened.idempotencyKey,
    input: JSON.stringify(input),
    inputHash: null,
    output: null,
    outputHash: null,
    errorCode: failed ? decision.code : null,
    errorMessage: failed ? decision.message : null,
    childRunId,
    startedAt: at,
    finishedAt: failed ? at : null,
  }
  journal.add(
    async (tx) => {
      await tx.run(insertStep, row)
      if (waitingReason !== null) await ask(ctx, tx, opened, at)
    },
    { steps: 1, toolCalls: 1 },
  )
  const facts = { step, tool: name, ...(effect === null ? {} : { effect }) }
  if (failed) journal.event('tool.failed', { ...facts, code: decision.code })
  else if (decision.state === 'waiting') journal.event('tool.waiting', { ...facts, reason: 'approval' })
  else journal.event('tool.requested', childRunId === null ? facts : { ...facts, child_run_id: childRunId })
  return opened
}

/** Asks a person, and takes what they said before they were asked. */
async function ask(ctx: RunContext, tx: TenantTransaction, call: OpenCall, at: EpochMs): Promise<void> {
  const requested = await requestApproval(tx, {
    runId: ctx.run.id,
    step: call.step,
    kind: 'tool',
    subject: call.name,
    arguments: call.input,
    policy: ctx.plan.definition.approval,
    requestedBy: ctx.run.createdBy,
    actor: ctx.deps.worker,
    at,
  })
  const waits = requested.outcome === 'pending'
  call.state = waits ? 'waiting' : requested.outcome === 'approved' ? 'approved' : 'failed'
  call.waitingReason = waits ? 'approval' : null
  call.result =
    requested.outcome === 'declined' ? { type: 'error', message: requested.error.message } : undefined
}

/** Stable for the step over retries, restarts and hosts: what a tool hands on so that an effect happens once. */
export function idempotencyKey(runId: RunId, step: number): string {
  return `${runId}:${step}`
}
