// Google generateContent and streamGenerateContent, https://ai.google.dev/api/generate-content.

import type { Json, JsonObject } from '../../../src/base/json.ts'
import { type AnswerReply, argumentsText, type ErrorCause, pieces, type ReplyPart, usageOf } from './reply.ts'
import type { Wire, WireEvent } from './wire.ts'

const ID = 'google-test'

export const googleWire: Wire = {
  name: 'google',
  matches: (path) => path.endsWith(':generateContent') || path.endsWith(':streamGenerateContent'),
  streams: (path) => path.endsWith(':streamGenerateContent'),
  body: (reply, model) =>
    chunk(
      reply,
      model,
      reply.parts.flatMap((part) => contentParts(part, Infinity)),
      true,
    ),
  events,
  streamError: () => ({
    data: { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } },
  }),
  error,
}

const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

function error(status: number, cause: ErrorCause, message: string | undefined): Json {
  const text =
    cause === 'context_too_long'
      ? 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).'
      : cause === 'quota'
        ? 'You exceeded your current quota, please check your plan and billing details.'
        : (message ?? `Scripted error ${status}.`)
  return { error: { code: status, message: text, status: STATUS_NAMES[status] ?? 'UNKNOWN' } }
}

function events(reply: AnswerReply, model: string): readonly WireEvent[] {
  const parts = reply.parts.flatMap((part) => contentParts(part, reply.chunkChars ?? 8))
  const chunks = parts.slice(0, -1).map((part) => chunk(reply, model, [part], false))
  return [...chunks, chunk(reply, model, parts.slice(-1), true)].map((data) => ({ data }))
}

function contentParts(part: ReplyPart, size: number): readonly JsonObject[] {
  const signature =
    'signature' in part && part.signature !== undefined ? { thoughtSignature: part.signature } : {}
  if ('tool' in part) {
    const call = {
      name: part.tool,
      ...parsedArguments(part.arguments),
      ...(part.callId === undefined ? {} : { id: part.callId }),
    }
    return [{ functionCall: call, ...signature }]
  }
  if ('reasoning' in part)
    return split(part.reasoning, size).map((text) => ({ text, thought: true, ...signature }))
  return split('text' in part ? part.text : part.refusal, size).map((text) => ({ text }))
}

/** Google carries arguments as an object; malformed text cannot be said in its format. */
function parsedArguments(value: Json): JsonObject {
  return { args: typeof value === 'string' ? (JSON.parse(argumentsText(value)) as Json) : value }
}

function split(text: string, size: number): readonly string[] {
  return size === Infinity ? [text] : pieces(text, size)
}

function chunk(reply: AnswerReply, model: string, parts: readonly JsonObject[], last: boolean): JsonObject {
  const candidate = {
    index: 0,
    content: { role: 'model', parts },
    ...(last ? { finishReason: finishReason(reply) } : {}),
  }
  return { candidates: [candidate], modelVersion: model, responseId: ID, ...usageField(reply, last) }
}

function finishReason(reply: AnswerReply): string {
  if (reply.finish === 'length') return 'MAX_TOKENS'
  return reply.finish === undefined || reply.finish === 'stop' ? 'STOP' : 'SAFETY'
}

/** Google counts cached tokens inside the prompt, and thoughts beside the candidates. Each chunk says what was used so far. */
function usageField(reply: AnswerReply, last: boolean): JsonObject {
  const usage = usageOf(reply)
  if (usage === undefined) return {}
  const prompt = usage.input + usage.cached
  const candidates = last ? usage.output - usage.reasoning : 1
  return {
    usageMetadata: {
      promptTokenCount: prompt,
      candidatesTokenCount: candidates,
      totalTokenCount: prompt + candidates + usage.reasoning,
      cachedContentTokenCount: usage.cached,
      thoughtsTokenCount: usage.reasoning,
    },
  }
}
