// OpenAI chat completions, https://platform.openai.com/docs/api-reference/chat.

import { isJsonObject, type Json, type JsonObject } from '../../../src/base/json.ts'
import { type AnswerReply, argumentsText, type ErrorCause, pieces, usageOf } from './reply.ts'
import { errorType, type Wire, type WireEvent } from './wire.ts'

const ID = 'chatcmpl-test'
const CREATED = 1_790_000_000

export const openaiChatWire: Wire = {
  name: 'openai-chat',
  matches: (path) => path.endsWith('/chat/completions'),
  streams: (_path, body) => isJsonObject(body) && body.stream === true,
  body,
  events,
  streamError: () => ({
    data: { error: { message: 'The server had an error.', type: 'server_error', code: null } },
  }),
  error: openaiError,
}

/** The error body that both OpenAI formats share. */
export function openaiError(status: number, cause: ErrorCause, message: string | undefined): Json {
  if (cause === 'context_too_long') {
    const text =
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens."
    return {
      error: {
        message: text,
        type: 'invalid_request_error',
        param: 'messages',
        code: 'context_length_exceeded',
      },
    }
  }
  if (cause === 'quota') {
    const text = 'You exceeded your current quota, please check your plan and billing details.'
    return { error: { message: text, type: 'insufficient_quota', param: null, code: 'insufficient_quota' } }
  }
  return {
    error: {
      message: message ?? `Scripted error ${status}.`,
      type: errorType(status),
      param: null,
      code: null,
    },
  }
}

function body(reply: AnswerReply, model: string): Json {
  const text = reply.parts.map((part) => ('text' in part ? part.text : '')).join('')
  const reasoning = reply.parts.map((part) => ('reasoning' in part ? part.reasoning : '')).join('')
  const refusal = reply.parts.map((part) => ('refusal' in part ? part.refusal : '')).join('')
  const calls = toolCalls(reply).map(({ index: _index, ...call }) => call)
  const message: JsonObject = {
    role: 'assistant',
    content: text === '' ? null : text,
    refusal: refusal === '' ? null : refusal,
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  }
  const choices = [{ index: 0, message, finish_reason: finishReason(reply) }]
  return { ...envelope(model, 'chat.completion'), choices, ...usageField(reply) }
}

function events(reply: AnswerReply, model: string): readonly WireEvent[] {
  const size = reply.chunkChars ?? 8
  const deltas: JsonObject[] = [{ role: 'assistant', content: '' }]
  let index = 0
  for (const part of reply.parts) {
    if ('text' in part) for (const text of pieces(part.text, size)) deltas.push({ content: text })
    else if ('refusal' in part) for (const text of pieces(part.refusal, size)) deltas.push({ refusal: text })
    else if ('reasoning' in part)
      for (const text of pieces(part.reasoning, size)) deltas.push({ reasoning_content: text })
    else {
      const id = part.callId ?? `call_${index}`
      deltas.push({
        tool_calls: [{ index, id, type: 'function', function: { name: part.tool, arguments: '' } }],
      })
      for (const text of pieces(argumentsText(part.arguments), size)) {
        deltas.push({ tool_calls: [{ index, function: { arguments: text } }] })
      }
      index += 1
    }
  }
  const base = envelope(model, 'chat.completion.chunk')
  const chunk = (delta: JsonObject, finish: string | null): WireEvent => ({
    data: { ...base, choices: [{ index: 0, delta, finish_reason: finish }] },
  })
  const usage = usageOf(reply) === undefined ? [] : [{ data: { ...base, choices: [], ...usageField(reply) } }]
  return [
    ...deltas.map((delta) => chunk(delta, null)),
    chunk({}, finishReason(reply)),
    ...usage,
    { data: '[DONE]' },
  ]
}

function toolCalls(reply: AnswerReply): readonly JsonObject[] {
  return reply.parts
    .filter((part) => 'tool' in part)
    .map((part, index) => ({
      index,
      id: part.callId ?? `call_${index}`,
      type: 'function',
      function: { name: part.tool, arguments: argumentsText(part.arguments) },
    }))
}

function finishReason(reply: AnswerReply): string {
  if (reply.finish === 'length' || reply.finish === 'content_filter') return reply.finish
  return reply.parts.some((part) => 'tool' in part) ? 'tool_calls' : 'stop'
}

function envelope(model: string, object: string): JsonObject {
  return { id: ID, object, created: CREATED, model, service_tier: 'default' }
}

/** OpenAI counts cached tokens inside the prompt and reasoning inside the completion. */
function usageField(reply: AnswerReply): JsonObject {
  const usage = usageOf(reply)
  if (usage === undefined) return {}
  const prompt = usage.input + usage.cached + usage.cacheWrite
  return {
    usage: {
      prompt_tokens: prompt,
      completion_tokens: usage.output,
      total_tokens: prompt + usage.output,
      prompt_tokens_details: { cached_tokens: usage.cached, cache_write_tokens: usage.cacheWrite },
      completion_tokens_details: { reasoning_tokens: usage.reasoning },
    },
  }
}
