// A model that says what a script says: for tests and benchmarks. It looks at no message unless the script does, so a call
// costs the same whatever the length of the history. It keeps the three time limits and cancellation like a real one.

import type { AssistantPart } from '../../contract/message.ts'
import { type ModelUsage, ZERO_COUNTS } from '../../contract/usage.ts'
import { type Expired, expiredMessage, startDeadline } from '../deadline.ts'
import type { ModelFailure, ModelOutcome, ModelProvider, ModelRequest, ModelTiming } from '../model.ts'
import { SCRIPTED_COUNTS, type Script, type ScriptedAnswer, type ScriptedTurn } from './script.ts'

/** Of the requests, so many are remembered: the last ones. */
export const SCRIPTED_REQUESTS_KEPT = 1_000

export interface ScriptedModel extends ModelProvider {
  /** How many calls were made. */
  calls(): number
  /** The last requests, oldest first, as they were given: not copied. */
  requests(): readonly ModelRequest[]
}

/** The provider `name`; any model id works, e.g. `scripted/any` for `createScriptedModel('scripted', …)`. */
export function createScriptedModel(name: string, script: Script): ScriptedModel {
  const requests: ModelRequest[] = []
  let calls = 0
  return {
    name,
    calls: () => calls,
    requests: () => requests,
    call: async (request, signal) => {
      const call = calls
      calls += 1
      requests.push(request)
      if (requests.length > SCRIPTED_REQUESTS_KEPT) requests.shift()
      if (signal.aborted) return failed(cancelled(), [], { state: 'none' }, performance.now())
      return play(name, turnOf(name, script, request, call), request, signal)
    },
  }
}

function turnOf(name: string, script: Script, request: ModelRequest, call: number): ScriptedTurn {
  if (typeof script === 'function') return script(request, call)
  const turn = script[call]
  if (turn !== undefined) return turn
  const message = `The script of ${name} has ${script.length} turns; this is call ${call + 1}.`
  return { failure: { kind: 'bad_request', message } }
}

async function play(
  name: string,
  turn: ScriptedTurn,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<ModelOutcome> {
  const startedAt = performance.now()
  const pause: Pause = (ms, limit) =>
    ms <= 0 ? NO_PAUSE : wait({ name, startedAt, request, signal }, ms, limit)
  if ('failure' in turn) {
    const stopped = await pause(turn.delayMs ?? 0, 'first_token')
    if (stopped !== undefined) return failed(stopped, [], { state: 'missing', raw: null }, startedAt)
    const partial: readonly AssistantPart[] = turn.partialText
      ? [{ type: 'text', text: turn.partialText }]
      : []
    if (turn.partialText) request.onDelta?.({ type: 'text', text: turn.partialText })
    return failed(turn.failure, partial, turn.usage ?? { state: 'none' }, startedAt)
  }
  const waited = await pause(turn.delayMs ?? 0, 'first_token')
  if (waited !== undefined) return failed(waited, [], { state: 'missing', raw: null }, startedAt)
  const firstTokenMs = elapsed(startedAt)
  const parts = partsOf(turn, request)
  const said = await stream(turn, request, pause)
  if (said.stopped !== undefined) {
    const partial: readonly AssistantPart[] = said.text === '' ? [] : [{ type: 'text', text: said.text }]
    return failed(said.stopped, partial, { state: 'missing', raw: null }, startedAt, firstTokenMs)
  }
  return {
    status: 'answered',
    parts,
    finishReason: turn.finishReason ?? ((turn.toolCalls?.length ?? 0) > 0 ? 'tool_calls' : 'stop'),
    usage: usageOf(turn),
    timing: { firstTokenMs, totalMs: elapsed(startedAt) },
    responseModel: request.model.slice(request.model.indexOf('/') + 1),
  }
}

function partsOf(turn: ScriptedAnswer, request: ModelRequest): readonly AssistantPart[] {
  const parts: AssistantPart[] = []
  if (turn.reasoning !== undefined) parts.push({ type: 'reasoning', text: turn.reasoning })
  if (turn.text !== undefined) parts.push({ type: 'text', text: turn.text })
  turn.toolCalls?.forEach(({ tool, arguments: args, callId }, index) => {
    const isMalformed =
      typeof args === 'object' && args !== null && 'malformed' in args && typeof args.malformed === 'string'
    const given = isMalformed ? { malformed: String(args.malformed) } : { json: args }
    parts.push({
      type: 'tool_call',
      callId: callId ?? `call_${request.messages.length}_${index}`,
      tool,
      arguments: given,
    })
  })
  return parts
}

interface Said {
  readonly text: string
  readonly stopped: ModelFailure | undefined
}

async function stream(turn: ScriptedAnswer, request: ModelRequest, pause: Pause): Promise<Said> {
  const { onDelta } = request
  if (turn.reasoning !== undefined) onDelta?.({ type: 'reasoning', text: turn.reasoning })
  const text = turn.text ?? ''
  const size = turn.chunkChars ?? Math.max(1, text.length)
  for (let at = 0; at < text.length; at += size) {
    if (at > 0 && turn.chunkDelayMs !== undefined) {
      const stopped = await pause(turn.chunkDelayMs, 'between_chunks')
      if (stopped !== undefined) return { text: text.slice(0, at), stopped }
    }
    onDelta?.({ type: 'text', text: text.slice(at, at + size) })
  }
  for (const call of turn.toolCalls ?? []) onDelta?.({ type: 'tool_call', tool: call.tool })
  return { text, stopped: undefined }
}

/** Waits; resolves to what stopped it where something did. */
type Pause = (ms: number, limit: Exclude<Expired, 'total'>) => Promise<ModelFailure | undefined>

const NO_PAUSE: Promise<undefined> = Promise.resolve(undefined)

interface Playing {
  readonly name: string
  readonly startedAt: number
  readonly request: ModelRequest
  readonly signal: AbortSignal
}

async function wait(
  playing: Playing,
  ms: number,
  limit: Exclude<Expired, 'total'>,
): Promise<ModelFailure | undefined> {
  const { timeouts } = playing.request
  const firstTokenMs = limit === 'first_token' ? timeouts.firstTokenMs : timeouts.betweenChunksMs
  const totalMs = timeouts.totalMs - (performance.now() - playing.startedAt)
  const { promise, resolve } = Promise.withResolvers<ModelFailure | undefined>()
  const onAbort = (): void => resolve(cancelled())
  const deadline = startDeadline({ ...timeouts, firstTokenMs, totalMs }, (expired) => {
    const which = expired === 'first_token' ? limit : expired
    resolve({ kind: 'timeout', message: expiredMessage(playing.name, which, timeouts) })
  })
  const timer = setTimeout(resolve, ms, undefined)
  playing.signal.addEventListener('abort', onAbort, { once: true })
  const stopped = await promise
  clearTimeout(timer)
  deadline.stop()
  playing.signal.removeEventListener('abort', onAbort)
  return stopped
}

function usageOf(turn: ScriptedAnswer): ModelUsage {
  if (turn.usage === 'missing') return { state: 'missing', raw: null }
  const counts = turn.usage === undefined ? SCRIPTED_COUNTS : { ...ZERO_COUNTS, ...turn.usage }
  return { state: 'known', counts, raw: { ...counts } }
}

function failed(
  failure: ModelFailure,
  partial: readonly AssistantPart[],
  usage: ModelUsage,
  startedAt: number,
  firstTokenMs?: number,
): ModelOutcome {
  const timing: ModelTiming = { firstTokenMs, totalMs: elapsed(startedAt) }
  return { status: 'failed', failure, partial, usage, timing }
}

function cancelled(): ModelFailure {
  return { kind: 'cancelled', message: 'The call was cancelled.' }
}

function elapsed(startedAt: number): number {
  return Math.round(performance.now() - startedAt)
}
