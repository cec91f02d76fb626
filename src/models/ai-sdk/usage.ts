// Token usage of a stream: what its chunks have told so far, and whether that is what will be billed. Pure.
// usage/normalise-usage.ts makes counts of it.

import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import type { ModelUsage } from '../../contract/usage.ts'
import { normaliseUsage } from '../usage/normalise-usage.ts'
import type { Protocol } from './protocol.ts'

/** What a stream has told of its usage so far. `final` is whether these numbers are what will be billed. */
export interface ToldUsage {
  readonly raw: JsonObject
  readonly final: boolean
}

/** The usage of an attempt that was sent. Nothing told, or numbers that cannot be, is `missing`, never zero. */
export function usageFrom(protocol: Protocol, told: ToldUsage | undefined): ModelUsage {
  if (told === undefined) return { state: 'missing', raw: null }
  return told.final ? normaliseUsage(protocol, told.raw) : { state: 'missing', raw: told.raw }
}

/** What a raw chunk of a stream adds to what was told before. */
export function toldBy(
  protocol: Protocol,
  chunk: unknown,
  before: ToldUsage | undefined,
): ToldUsage | undefined {
  if (!isJsonObject(chunk)) return before
  switch (protocol) {
    case 'chat': {
      const usage = chunk.usage ?? groqUsage(chunk)
      if (isJsonObject(usage)) return { raw: withTier(usage, chunk, before), final: isChatEnd(chunk) }
      // Every chunk says the tier, the one with the usage not always.
      return typeof chunk.service_tier === 'string' && (before === undefined || !before.final)
        ? { raw: { ...before?.raw, service_tier: chunk.service_tier }, final: false }
        : before
    }
    case 'responses': {
      const response = chunk.response
      if (!isJsonObject(response) || !isJsonObject(response.usage)) return before
      return { raw: withTier(response.usage, response, undefined), final: true }
    }
    case 'anthropic':
      return toldByAnthropic(chunk, before)
    case 'google': {
      const usage = chunk.usageMetadata
      if (!isJsonObject(usage)) return before
      return { raw: usage, final: (before?.final ?? false) || isGoogleEnd(chunk) }
    }
    default:
      return protocol satisfies never
  }
}

/** OpenAI sends usage once, after the last choice. Some servers repeat it on every chunk, growing: then the last one counts. */
function isChatEnd(chunk: JsonObject): boolean {
  const first = firstOf(chunk.choices)
  return first === undefined || (isJsonObject(first) && typeof first.finish_reason === 'string')
}

/** Groq tells the usage of a stream in a field of its own too, also where it was not asked to. */
function groqUsage(chunk: JsonObject): Json | undefined {
  return isJsonObject(chunk.x_groq) ? chunk.x_groq.usage : undefined
}

/** `message_start` tells the input and a placeholder of 1 output token; only `message_delta` tells the real output. */
function toldByAnthropic(chunk: JsonObject, before: ToldUsage | undefined): ToldUsage | undefined {
  if (chunk.type === 'message_start' && isJsonObject(chunk.message) && isJsonObject(chunk.message.usage)) {
    return { raw: chunk.message.usage, final: false }
  }
  if (chunk.type === 'message_delta' && isJsonObject(chunk.usage)) {
    return { raw: { ...before?.raw, ...withoutNulls(chunk.usage) }, final: before !== undefined }
  }
  return before
}

function isGoogleEnd(chunk: JsonObject): boolean {
  const first = firstOf(chunk.candidates)
  const blocked = isJsonObject(chunk.promptFeedback) && chunk.promptFeedback.blockReason !== undefined
  return blocked || (isJsonObject(first) && typeof first.finishReason === 'string')
}

function firstOf(list: Json | undefined): Json | undefined {
  return Array.isArray(list) ? (list as readonly Json[])[0] : undefined
}

/** The service tier decides the price, and OpenAI says it beside the usage. */
function withTier(usage: JsonObject, beside: JsonObject, before: ToldUsage | undefined): JsonObject {
  if (typeof usage.service_tier === 'string') return usage
  const tier = beside.service_tier ?? before?.raw.service_tier
  return typeof tier === 'string' ? { ...usage, service_tier: tier } : usage
}

function withoutNulls(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null))
}
