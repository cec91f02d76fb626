// Token usage: from what each dialect says to our disjoint counts. Pure, and the only place that does it.
// The counts come from the provider's own words and not from an SDK's sums, because those turn absent numbers into zero.

import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import type { ModelUsage, TokenCounts } from '../../contract/usage.ts'
import type { Protocol } from '../ai-sdk/protocol.ts'
import { countOf, optionalCount } from './token-count.ts'

/** The usage that a finished answer tells. Nothing told, or numbers that cannot be, is `missing`, never zero. */
export function normaliseUsage(protocol: Protocol, raw: Json): ModelUsage {
  const counts = isJsonObject(raw) ? countsFrom(protocol, raw) : undefined
  return counts !== undefined && areBelievable(counts)
    ? { state: 'known', counts, raw }
    : { state: 'missing', raw }
}

function countsFrom(protocol: Protocol, raw: JsonObject): TokenCounts {
  switch (protocol) {
    case 'chat':
      return raw.prompt_tokens === undefined && raw.prompt_eval_count !== undefined
        ? ollamaCounts(raw)
        : openaiCounts(raw, 'prompt', 'completion')
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
 * (https://platform.openai.com/docs/api-reference/chat/object#chat/object-usage). Some compatible servers count them outside
 * (xAI its reasoning); then the parts are more than the whole, or only all together make the total.
 */
function openaiCounts(raw: JsonObject, inputName: string, outputName: string): TokenCounts {
  const input = countOf(raw[`${inputName}_tokens`])
  const output = countOf(raw[`${outputName}_tokens`])
  const inputDetails = raw[`${inputName}_tokens_details`]
  const cached = cachedTokens(raw, inputDetails)
  const written = detail(inputDetails, 'cache_write_tokens')
  const reasoning = detail(raw[`${outputName}_tokens_details`], 'reasoning_tokens')
  const total = raw.total_tokens
  const fromCache = cached + written
  const isTotal = (sum: number): boolean => total === sum && sum !== input + output
  const bothOutside = isTotal(input + fromCache + output + reasoning)
  const reasoningIsOutside = reasoning > output || bothOutside || isTotal(input + output + reasoning)
  const cacheIsOutside =
    fromCache > input || bothOutside || (!reasoningIsOutside && isTotal(input + fromCache + output))
  return {
    inputTokens: cacheIsOutside ? input : input - fromCache,
    cachedInputTokens: cached,
    cacheWriteTokens: written,
    outputTokens: reasoningIsOutside ? output + reasoning : output,
    reasoningTokens: reasoning,
  }
}

/**
 * Cached input, by whichever name: OpenAI's `cached_tokens` in the details, DeepSeek's `prompt_cache_hit_tokens`
 * (https://api-docs.deepseek.com/guides/kv_cache), Moonshot's and Together's `cached_tokens` beside the counts, Mistral's
 * `num_cached_tokens`. All of them are inside the prompt.
 */
function cachedTokens(raw: JsonObject, details: Json | undefined): number {
  const inDetails = isJsonObject(details) ? details.cached_tokens : undefined
  return optionalCount(inDetails ?? raw.prompt_cache_hit_tokens ?? raw.cached_tokens ?? raw.num_cached_tokens)
}

/** Ollama's own API (https://docs.ollama.com/api/usage): no count where the whole prompt was still in its cache. */
function ollamaCounts(raw: JsonObject): TokenCounts {
  return {
    inputTokens: countOf(raw.prompt_eval_count),
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: countOf(raw.eval_count),
    reasoningTokens: 0,
  }
}

/**
 * Anthropic: the three kinds of input are disjoint already, thinking is inside the output
 * (https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching#tracking-cache-performance). Cache writes are told
 * in sum and by lifetime; where only the lifetimes are told, they are the sum.
 */
function anthropicCounts(raw: JsonObject): TokenCounts {
  const byLifetime =
    detail(raw.cache_creation, 'ephemeral_5m_input_tokens') +
    detail(raw.cache_creation, 'ephemeral_1h_input_tokens')
  return {
    inputTokens: countOf(raw.input_tokens),
    cachedInputTokens: optionalCount(raw.cache_read_input_tokens),
    cacheWriteTokens:
      raw.cache_creation_input_tokens == null ? byLifetime : countOf(raw.cache_creation_input_tokens),
    outputTokens: countOf(raw.output_tokens),
    reasoningTokens: detail(raw.output_tokens_details, 'thinking_tokens'),
  }
}

/**
 * Google: cached content is inside the prompt, thoughts are beside the candidates, tool-use prompts are beside the prompt
 * (https://ai.google.dev/api/generate-content#UsageMetadata). Candidates may be absent where there were none.
 */
function googleCounts(raw: JsonObject): TokenCounts {
  const cached = optionalCount(raw.cachedContentTokenCount)
  const thoughts = optionalCount(raw.thoughtsTokenCount)
  return {
    // Negative where more is said to be cached than there was; that is not believed.
    inputTokens: countOf(raw.promptTokenCount) + optionalCount(raw.toolUsePromptTokenCount) - cached,
    cachedInputTokens: cached,
    cacheWriteTokens: 0,
    outputTokens: optionalCount(raw.candidatesTokenCount) + thoughts,
    reasoningTokens: thoughts,
  }
}

/** Every count is a number, and there was input: all zero is a server that fills the fields in without counting. */
function areBelievable(counts: TokenCounts): boolean {
  const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens } = counts
  // NaN, from anything that was no count, is in no order with zero.
  return (
    inputTokens >= 0 &&
    inputTokens + cachedInputTokens + cacheWriteTokens > 0 &&
    Number.isSafeInteger(inputTokens + cachedInputTokens + cacheWriteTokens + outputTokens) &&
    reasoningTokens <= outputTokens
  )
}

function detail(details: Json | undefined, name: string): number {
  return isJsonObject(details) ? optionalCount(details[name]) : 0
}
