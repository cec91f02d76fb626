// The calls of a turn are made: in parallel up to a cap, each result on record before the run goes on.

import { withoutNul } from '../../base/json.ts'
import type { ToolResult } from '../../contract/message.ts'
import { beginApproved, endStep } from '../journal/step-store.ts'
import { toolFact } from '../metering.ts'
import { admitTool, meterTool } from './admission.ts'
import type { OpenCall, RunContext } from './context.ts'
import { keep, sayResults } from './message-log.ts'
import type { Callable } from './plan.ts'
import type { ToolBinding } from './tool-binding.ts'
import { type CallEnd, callTool, observeCall } from './tool-call.ts'

export type AgentCaller = (
  ctx: RunContext,
  call: OpenCall,
  callable: Extract<Callable, { type: 'agent' }>,
) => Promise<CallEnd>

/**
 * Makes every open call. Answers `answered` once all results are among the messages, or `waiting` where a person
 * must answer first. The last result is gathered, not flushed: it shares a write with what comes next.
 */
export async function runTurn(ctx: RunContext, callAgent: AgentCaller): Promise<'answered' | 'waiting'> {
  const turn = ctx.turn ?? []
  const open = turn.filter((call) => call.state === 'intended' || call.state === 'approved')
  // What the turn opened with is on record before anything is called.
  if (open.length > 0) await ctx.journal.flush()
  let next = 0
  let left = open.length
  const lane = async (): Promise<void> => {
    try {
      for (let call = open[next++]; call !== undefined; call = open[next++]) {
        await runCall(ctx, call, callAgent)
        left -= 1
        if (left > 0) await ctx.journal.flush()
      }
    } catch (error) {
      // The run does not go on: what is being called comes to its end, and nothing more is called.
      next = open.length
      throw error
    }
  }
  const lanes = Math.min(open.length, ctx.limits.parallelToolCalls)
  const ended = await Promise.allSettled(Array.from({ length: lanes }, lane))
  for (const end of ended) if (end.status === 'rejected') throw end.reason
  ctx.interruption.check()
  if (turn.some((call) => call.result === undefined)) return 'waiting'
  sayResults(
    ctx,
    turn.map(({ callId, name, step, result }) => ({ callId, tool: name, step, output: result ?? MISSING })),
  )
  ctx.turn = undefined
  return 'answered'
}

const MISSING: ToolResult['output'] = { type: 'error', message: 'The call has no result.' }

async function runCall(ctx: RunContext, call: OpenCall, callAgent: AgentCaller): Promise<void> {
  ctx.interruption.check()
  const callable = ctx.plan.callables.get(call.name)
  if (callable === undefined) {
    return record(ctx, call, {
      status: 'failed',
      code: 'tool.unregistered',
      message: `The tool "${call.name}" is no longer there.`,
    })
  }
  if (call.state === 'approved') {
    await begin(ctx, call)
    ctx.interruption.check()
  }
  const startedAt = ctx.deps.clock()
  const end =
    callable.type === 'agent'
      ? await called(ctx, call, callable, callAgent)
      : await paid(ctx, call, callable.tool)
  observeCall(ctx, { step: call.step, tool: call.name }, end, startedAt)
  record(ctx, call, end)
}

function called(
  ctx: RunContext,
  call: OpenCall,
  callable: Extract<Callable, { type: 'agent' }>,
  callAgent: AgentCaller,
): Promise<CallEnd> {
  call.made = true
  return callAgent(ctx, call, callable)
}

/** Calls a tool once there is money for it. A call that a budget refuses fails, and the model hears of it. */
async function paid(ctx: RunContext, call: OpenCall, tool: ToolBinding): Promise<CallEnd> {
  const admission = await admitTool(ctx, call.step, tool)
  if (admission.status === 'waiting') {
    call.state = 'waiting'
    call.waitingReason = 'budget'
  }
  if (admission.status !== 'admitted') return admission
  call.made = true
  const end = await callTool(ctx, call, tool)
  // An agent's call is one step and one attempt.
  meterTool(ctx, { step: call.step, fact: toolFact(call.idempotencyKey, 1) }, tool, admission.paid, end)
  return end
}

/** An approved call is intended before it is made, like any other. */
async function begin(ctx: RunContext, call: OpenCall): Promise<void> {
  ctx.journal.add((tx) => tx.run(beginApproved, { runId: ctx.run.id, seq: call.step, at: ctx.deps.clock() }))
  ctx.journal.event('tool.requested', { step: call.step, tool: call.name, effect: call.effect })
  call.state = 'intended'
  await ctx.journal.flush()
}

function record(ctx: RunContext, call: OpenCall, end: CallEnd): void {
  if (end.status === 'stopped' || end.status === 'waiting') return
  const { journal } = ctx
  const facts = { step: call.step, tool: call.name }
  const text = end.status === 'done' ? JSON.stringify(end.output) : undefined
  const stored = text === undefined ? { inline: null, hash: null } : keep(ctx, text)
  const state = end.status === 'in_doubt' ? 'waiting' : end.status
  const at = ctx.deps.clock()
  journal.add((tx) =>
    tx.run(endStep, {
      runId: ctx.run.id,
      seq: call.step,
      state,
      waitingReason: end.status === 'in_doubt' ? 'in_doubt' : null,
      output: stored.inline,
      outputHash: stored.hash,
      errorCode: end.status === 'failed' ? end.code : null,
      errorMessage: end.status === 'failed' ? withoutNul(end.message) : null,
      at: end.status === 'in_doubt' ? null : at,
    }),
  )
  call.state = state
  if (end.status === 'done') {
    journal.event('tool.finished', facts)
    call.result = { type: 'json', value: end.output }
    ctx.untrusted ||= end.untrusted
  } else if (end.status === 'failed') {
    journal.event('tool.failed', { ...facts, code: end.code })
    call.result = { type: 'error', message: end.message }
  } else {
    call.waitingReason = 'in_doubt'
    journal.event('tool.waiting', { ...facts, reason: 'in_doubt' })
  }
}
