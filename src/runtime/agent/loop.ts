// The agent loop: ask the model, make its calls, until it answers. Every pass goes on from what the journal holds.

import { AppError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import { type AssistantPart, assistantText, type Message } from '../../contract/message.ts'
import { recordedHistory } from '../replay/recorded-history.ts'
import { checkBeforeModel } from '../run-limits.ts'
import { codeContext, type RunContext } from './context.ts'
import { inputText, type RunEndState } from './finish.ts'
import { recall } from './history.ts'
import { say } from './message-log.ts'
import { askModel } from './model-turn.ts'
import { openTurn } from './open-turn.ts'
import { type AgentCaller, runTurn } from './run-turn.ts'

/** How often a model is asked again for an answer that follows the output schema. */
export const OUTPUT_REPAIRS_MAX = 2

/** Drives the run to its answer, or to where a person must say something. Throws what ends it otherwise. */
export async function runLoop(ctx: RunContext, callAgent: AgentCaller): Promise<RunEndState | 'waiting'> {
  if (ctx.messages.length === 0) await begin(ctx)
  for (;;) {
    ctx.interruption.check()
    const last = ctx.messages.at(-1)
    if (last?.role === 'assistant') {
      const step = ctx.answerStep
      if (ctx.turn === undefined && hasCalls(last.parts)) await openTurn(ctx, step, last.parts)
      if (ctx.turn === undefined) {
        const end = await answer(ctx, last.parts)
        if (end !== undefined) return end
        continue
      }
      if ((await runTurn(ctx, callAgent)) === 'waiting') return 'waiting'
      continue
    }
    checkBeforeModel(ctx.limits, ctx.tally)
    ctx.tally.modelTurns += 1
    const { parts, step } = await askModel(ctx, {
      kind: 'model',
      request: {
        instructions: ctx.plan.definition.instructions,
        messages: ctx.messages,
        tools: ctx.plan.modelTools,
        settings: ctx.plan.settings,
        timeouts: ctx.plan.timeouts,
        ...(ctx.plan.definition.outputSchema === undefined
          ? {}
          : { outputSchema: ctx.plan.definition.outputSchema }),
      },
      head: ctx.plan.head,
      messagesUntil: ctx.messages.length,
    })
    say(ctx, { role: 'assistant', parts }, step)
    ctx.answerStep = step
  }
}

function hasCalls(parts: readonly AssistantPart[]): boolean {
  return parts.some((part) => part.type === 'tool_call')
}

/** The first messages: what the session said before, and the user's text once the guardrails let it pass. */
async function begin(ctx: RunContext): Promise<void> {
  const verdict = await ctx.plan.guardrails.checkText(
    'input',
    inputText(JSON.parse(ctx.run.input) as Json),
    codeContext(ctx),
  )
  for (const rule of verdict.triggered)
    ctx.journal.event('guardrail.triggered', { guardrail: rule, on: 'input', status: verdict.status })
  if (verdict.status === 'blocked') throw new AppError('guardrail.blocked', verdict.message)
  const history = await historyOf(ctx)
  for (const message of history) if (message.role !== 'tool') say(ctx, message, null)
  say(ctx, { role: 'user', text: verdict.value }, null)
}

/** What was said before: in the session, or, in a replay, in the run that is replayed. */
async function historyOf(ctx: RunContext): Promise<readonly Message[]> {
  const { run, db } = ctx
  if (run.replayOf !== null) return db.read((reader) => recordedHistory(reader, run))
  return run.sessionId === null ? [] : recall(ctx, run.sessionId)
}

/** Checks the final answer. Undefined where the model was told to repair it. */
async function answer(ctx: RunContext, parts: readonly AssistantPart[]): Promise<RunEndState | undefined> {
  if (ctx.plan.guardrails.slow.output) await ctx.journal.flush()
  const verdict = await ctx.plan.guardrails.checkText('output', assistantText(parts), codeContext(ctx))
  for (const rule of verdict.triggered)
    ctx.journal.event('guardrail.triggered', { guardrail: rule, on: 'output', status: verdict.status })
  if (verdict.status === 'blocked') throw new AppError('guardrail.blocked', verdict.message)
  const text = verdict.value
  if (ctx.plan.checkOutput === undefined) return { state: 'completed', output: text, text }
  const structured = parseAnswer(text)
  const wrong =
    structured === undefined ? [{ path: '', message: 'is not JSON' }] : ctx.plan.checkOutput(structured)
  if (structured !== undefined && wrong.length === 0) return { state: 'completed', output: structured, text }
  const list = wrong.slice(0, 5).map(({ path, message }) => `${path || '(whole)'}: ${message}`)
  if (ctx.repairs >= OUTPUT_REPAIRS_MAX) {
    throw new AppError(
      'output.invalid',
      `The answer does not follow the agent's output schema. ${list.join('; ')}`,
    )
  }
  ctx.repairs += 1
  say(ctx, { role: 'user', text: `${REPAIR} ${list.join('; ')}` }, null)
  return undefined
}

export const REPAIR =
  'Your answer does not follow the required JSON Schema. Answer again with the corrected JSON only. What is wrong:'

/** The JSON of an answer, also where the model put it into a code fence. */
function parseAnswer(text: string): Json | undefined {
  const fenced = /^\s*```(?:json)?\s*\n([\s\S]*?)\n\s*```\s*$/.exec(text)
  try {
    return JSON.parse(fenced?.[1] ?? text) as Json
  } catch {
    return undefined
  }
}
