// Token usage: from what each protocol says to our disjoint counts. Pure.
// The counts come from the provider's own words and not from the SDK's sums, because the SDK turns absent numbers into zero.

import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import type { ModelUsage, TokenCounts } from '../../contract/usage.ts'
import type { Protocol } from './protocol.ts'

/** What a stream has told of its usage so far. `final` is whether these numbers are what will be billed. */
export interface ToldUsage {
  readonly raw: JsonObject
  readonly final: boolean
}

/** The usage of an attempt that was sent. Nothing told, or numbers that cannot be, is `missing`, never zero. */
export function usageFrom(protocol: Protocol, told: ToldUsage | undefined): ModelUsage {
  if (told === undefined) return { state: 'missing', raw: null }
  const counts = told.final ? countsFrom(protocol, told.raw) : undefined
  return counts === undefined
    ? { state: 'missing', raw: told.raw }
    : { state: 'known', counts, raw: told.raw }
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
      const usage = chunk.usage
      return isJsonObject(usage) ? { raw: withTier(usage, chunk), final: isChatEnd(chunk) } : before
    }
    case 'responses': {
      const response = chunk.response
      if (!isJsonObject(response) || !isJsonObject(response.usage)) return before
      return { raw: withTier(response.usage, response), final: true }
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

function countsFrom(protocol: Protocol, raw: JsonObject): TokenCounts | undefined {
  switch (protocol) {
    case 'chat':
      return openaiCounts(raw, 'prompt', 'completion')
    case 'responses':
      return openaiCounts(raw, 'input', 'output')
    case 'anthropic':
      return anthropicCounts(raw)
    case 'google':
      return googleCounts(raw)
    default:
      return protocol satisfies never
  }
}

/**
 * OpenAI: cached and cache-written tokens are inside the input, reasoning is inside the output
 * (https://platform.openai.com/docs/api-reference/chat/object#chat/object-usage).
 * Some compatible servers count them outside; then the sums do not fit and say so.
 */
function openaiCounts(raw: JsonObject, inputName: string, outputName: string): TokenCounts | undefined {
  const input = count(raw[`${inputName}_tokens`])
  const output = count(raw[`${outputName}_tokens`])
  if (input === undefined || output === undefined) return undefined
  const inputDetails = raw[`${inputName}_tokens_details`]
  const cached = detail(inputDetails, 'cached_tokens')
  const written = detail(inputDetails, 'cache_write_tokens')
  const reasoning = detail(raw[`${outputName}_tokens_details`], 'reasoning_tokens')
  const cacheIsInside = cached + written <= input
  const reasoningIsInside = reasoning <= output && count(raw.total_tokens) !== input + output + reasoning
  return counted({
    inputTokens: cacheIsInside ? input - cached - written : input,
    cachedInputTokens: cached,
    cacheWriteTokens: written,
    outputTokens: reasoningIsInside || reasoning === 0 ? output : output + reasoning,
    reasoningTokens: reasoning,
  })
}

/**
 * Anthropic: the three kinds of input are disjoint already, thinking is inside the output
 * (https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching#tracking-cache-performance).
 */
function anthropicCounts(raw: JsonObject): TokenCounts | undefined {
  const input = count(raw.input_tokens)
  const output = count(raw.output_tokens)
  if (input === undefined || output === undefined) return undefined
  return counted({
    inputTokens: input,
    cachedInputTokens: count(raw.cache_read_input_tokens) ?? 0,
    cacheWriteTokens: count(raw.cache_creation_input_tokens) ?? 0,
    outputTokens: output,
    reasoningTokens: detail(raw.output_tokens_details, 'thinking_tokens'),
  })
}

/**
 * Google: cached content is inside the prompt, thoughts are beside the candidates, tool-use prompts are beside the prompt
 * (https://ai.google.dev/api/generate-content#UsageMetadata). Candidates may be absent where there were none.
 */
function googleCounts(raw: JsonObject): TokenCounts | undefined {
  const prompt = count(raw.promptTokenCount)
  if (prompt === undefined) return undefined
  const cached = count(raw.cachedContentTokenCount) ?? 0
  const thoughts = count(raw.thoughtsTokenCount) ?? 0
  return counted({
    inputTokens: Math.max(0, prompt + (count(raw.toolUsePromptTokenCount) ?? 0) - cached),
    cachedInputTokens: cached,
    cacheWriteTokens: 0,
    outputTokens: (count(raw.candidatesTokenCount) ?? 0) + thoughts,
    reasoningTokens: thoughts,
  })
}

/** A call always has input: all zero is a server that fills the fields in without counting. */
function counted(counts: TokenCounts): TokenCounts | undefined {
  return counts.inputTokens + counts.cachedInputTokens + counts.cacheWriteTokens > 0 ? counts : undefined
}

function count(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function detail(details: Json | undefined, name: string): number {
  return isJsonObject(details) ? (count(details[name]) ?? 0) : 0
}

/** The service tier decides the price, and OpenAI says it beside the usage. */
function withTier(usage: JsonObject, beside: JsonObject): JsonObject {
  const tier = beside.service_tier
  return typeof tier === 'string' && usage.service_tier === undefined
    ? { ...usage, service_tier: tier }
    : usage
}

function withoutNulls(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null))
}
