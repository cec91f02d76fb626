// Anthropic messages, https://docs.anthropic.com/en/api/messages-streaming.

import { isJsonObject, type Json, type JsonObject } from '../../../src/base/json.ts'
import { type AnswerReply, argumentsText, type ErrorCause, pieces, type ReplyPart, usageOf } from './reply.ts'
import { errorType, type Wire, type WireEvent } from './wire.ts'

const ID = 'msg_test'

export const anthropicWire: Wire = {
  name: 'anthropic',
  matches: (path) => path.endsWith('/messages'),
  streams: (_path, body) => isJsonObject(body) && body.stream === true,
  body: (reply, model) => ({
    ...message(reply, model),
    usage: finalUsage(reply),
    content: reply.parts.map(block),
    stop_reason: stopReason(reply),
  }),
  events,
  streamError: () => named({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }),
  error,
}

function error(status: number, cause: ErrorCause, message: string | undefined): Json {
  const text =
    cause === 'context_too_long'
      ? 'prompt is too long: 210000 tokens > 200000 maximum'
      : cause === 'quota'
        ? 'Your credit balance is too low to access the Anthropic API.'
        : (message ?? `Scripted error ${status}.`)
  return { type: 'error', error: { type: errorType(status), message: text }, request_id: 'req_test' }
}

function events(reply: AnswerReply, model: string): readonly WireEvent[] {
  const start = { ...message(reply, model), content: [], stop_reason: null }
  const list: JsonObject[] = [{ type: 'message_start', message: start }, { type: 'ping' }]
  reply.parts.forEach((part, index) => {
    list.push({ type: 'content_block_start', index, content_block: opening(part, index) })
    for (const delta of deltas(part, reply.chunkChars ?? 8))
      list.push({ type: 'content_block_delta', index, delta })
    list.push({ type: 'content_block_stop', index })
  })
  // The last usage repeats what the first said and adds the real output.
  const usage = finalUsage(reply)
  list.push({ type: 'message_delta', delta: { stop_reason: stopReason(reply), stop_sequence: null }, usage })
  list.push({ type: 'message_stop' })
  return list.map(named)
}

function deltas(part: ReplyPart, size: number): readonly JsonObject[] {
  if ('tool' in part) {
    return pieces(argumentsText(part.arguments), size).map((text) => ({
      type: 'input_json_delta',
      partial_json: text,
    }))
  }
  if ('reasoning' in part) {
    const thinking = pieces(part.reasoning, size).map((text) => ({ type: 'thinking_delta', thinking: text }))
    return part.signature === undefined
      ? thinking
      : [...thinking, { type: 'signature_delta', signature: part.signature }]
  }
  const text = 'text' in part ? part.text : part.refusal
  return pieces(text, size).map((piece) => ({ type: 'text_delta', text: piece }))
}

function opening(part: ReplyPart, index: number): JsonObject {
  if ('tool' in part)
    return { type: 'tool_use', id: part.callId ?? `toolu_${index}`, name: part.tool, input: {} }
  if ('reasoning' in part) return { type: 'thinking', thinking: '', signature: '' }
  return { type: 'text', text: '' }
}

function block(part: ReplyPart, index: number): JsonObject {
  if ('tool' in part) {
    return { type: 'tool_use', id: part.callId ?? `toolu_${index}`, name: part.tool, input: part.arguments }
  }
  if ('reasoning' in part)
    return { type: 'thinking', thinking: part.reasoning, signature: part.signature ?? '' }
  return { type: 'text', text: 'text' in part ? part.text : part.refusal }
}

function message(reply: AnswerReply, model: string): JsonObject {
  const usage = { ...startUsage(reply), output_tokens: 1 }
  return { id: ID, type: 'message', role: 'assistant', model, stop_sequence: null, usage }
}

/** Anthropic counts cached tokens beside the input, not inside it. Without usage the fields are zero: it always sends them. */
function startUsage(reply: AnswerReply): JsonObject {
  const usage = usageOf(reply)
  return {
    input_tokens: usage?.input ?? 0,
    cache_creation_input_tokens: usage?.cacheWrite ?? 0,
    cache_read_input_tokens: usage?.cached ?? 0,
    service_tier: 'standard',
  }
}

function finalUsage(reply: AnswerReply): JsonObject {
  return { ...startUsage(reply), output_tokens: usageOf(reply)?.output ?? 0, ...thinkingTokens(reply) }
}

function thinkingTokens(reply: AnswerReply): JsonObject {
  const reasoning = usageOf(reply)?.reasoning ?? 0
  return reasoning === 0 ? {} : { output_tokens_details: { thinking_tokens: reasoning } }
}

function stopReason(reply: AnswerReply): string {
  if (reply.finish === 'length') return 'max_tokens'
  const refused = reply.finish === 'refusal' || reply.finish === 'content_filter'
  if (refused || reply.parts.some((part) => 'refusal' in part)) return 'refusal'
  return reply.parts.some((part) => 'tool' in part) ? 'tool_use' : 'end_turn'
}

function named(data: JsonObject): WireEvent {
  return { event: String(data.type), data }
}
