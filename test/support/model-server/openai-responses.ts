// OpenAI responses, https://platform.openai.com/docs/api-reference/responses.

import { isJsonObject, type Json, type JsonObject } from '../../../src/base/json.ts'
import { openaiError } from './openai-chat.ts'
import { type AnswerReply, argumentsText, pieces, type ReplyPart, usageOf } from './reply.ts'
import type { Wire, WireEvent } from './wire.ts'

const ID = 'resp_test'
const CREATED = 1_790_000_000

export const openaiResponsesWire: Wire = {
  name: 'openai-responses',
  matches: (path) => path.endsWith('/responses'),
  streams: (_path, body) => isJsonObject(body) && body.stream === true,
  body: (reply, model) => response(reply, model, reply.parts.map(item)),
  events,
  streamError: () =>
    named({
      type: 'error',
      sequence_number: 1,
      code: 'server_error',
      message: 'The server had an error.',
      param: null,
    }),
  error: openaiError,
}

function events(reply: AnswerReply, model: string): readonly WireEvent[] {
  const begun = {
    ...response(reply, model, []),
    status: 'in_progress',
    usage: null,
    incomplete_details: null,
  }
  const list: JsonObject[] = [
    { type: 'response.created', response: begun },
    { type: 'response.in_progress', response: begun },
  ]
  reply.parts.forEach((part, index) => {
    list.push(...partEvents(part, index, reply.chunkChars ?? 8))
  })
  const cut = reply.finish === 'length' || reply.finish === 'content_filter'
  const type = cut ? 'response.incomplete' : 'response.completed'
  list.push({ type, response: response(reply, model, reply.parts.map(item)) })
  return list.map((event, index) => named({ ...event, sequence_number: index }))
}

function partEvents(part: ReplyPart, index: number, size: number): readonly JsonObject[] {
  const full = item(part, index)
  const empty = opening(part, index)
  const place = { output_index: index, item_id: String(full.id) }
  const deltas: JsonObject[] = []
  const push = (type: string, text: string, more: JsonObject): void => {
    for (const delta of pieces(text, size)) deltas.push({ type, ...place, ...more, delta })
  }
  if ('text' in part) push('response.output_text.delta', part.text, { content_index: 0 })
  else if ('refusal' in part) push('response.refusal.delta', part.refusal, { content_index: 0 })
  else if ('tool' in part) push('response.function_call_arguments.delta', argumentsText(part.arguments), {})
  else {
    deltas.push({ type: 'response.reasoning_summary_part.added', ...place, summary_index: 0 })
    push('response.reasoning_summary_text.delta', part.reasoning, { summary_index: 0 })
    deltas.push({ type: 'response.reasoning_summary_part.done', ...place, summary_index: 0 })
  }
  return [
    { type: 'response.output_item.added', output_index: index, item: empty },
    ...deltas,
    { type: 'response.output_item.done', output_index: index, item: full },
  ]
}

/** The item as it is announced: nothing in it yet. */
function opening(part: ReplyPart, index: number): JsonObject {
  const full = item(part, index)
  if ('tool' in part) return { ...full, arguments: '', status: 'in_progress' }
  if ('reasoning' in part) return { ...full, summary: [] }
  return { ...full, content: [], status: 'in_progress' }
}

function item(part: ReplyPart, index: number): JsonObject {
  if ('tool' in part) {
    const callId = part.callId ?? `call_${index}`
    const args = argumentsText(part.arguments)
    return {
      type: 'function_call',
      id: `fc_${index}`,
      call_id: callId,
      name: part.tool,
      arguments: args,
      status: 'completed',
    }
  }
  if ('reasoning' in part) {
    const summary = [{ type: 'summary_text', text: part.reasoning }]
    return { type: 'reasoning', id: `rs_${index}`, summary, encrypted_content: part.signature ?? null }
  }
  const content =
    'text' in part
      ? { type: 'output_text', text: part.text, annotations: [] }
      : { type: 'refusal', refusal: part.refusal }
  return { type: 'message', id: `msg_${index}`, role: 'assistant', status: 'completed', content: [content] }
}

function response(reply: AnswerReply, model: string, output: readonly JsonObject[]): JsonObject {
  const usage = usageOf(reply)
  const reason =
    reply.finish === 'length'
      ? 'max_output_tokens'
      : reply.finish === 'content_filter'
        ? 'content_filter'
        : null
  const input = usage === undefined ? 0 : usage.input + usage.cached + usage.cacheWrite
  const counted: Json =
    usage === undefined
      ? null
      : {
          input_tokens: input,
          input_tokens_details: { cached_tokens: usage.cached, cache_write_tokens: usage.cacheWrite },
          output_tokens: usage.output,
          output_tokens_details: { reasoning_tokens: usage.reasoning },
          total_tokens: input + usage.output,
        }
  return {
    id: ID,
    object: 'response',
    created_at: CREATED,
    model,
    status: reason === null ? 'completed' : 'incomplete',
    incomplete_details: reason === null ? null : { reason },
    error: null,
    output,
    service_tier: 'default',
    usage: counted,
  }
}

function named(data: JsonObject): WireEvent {
  return { event: String(data.type), data }
}
