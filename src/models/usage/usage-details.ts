// What a provider says beside its token counts: media, cache lifetimes, the condition that it served the call under.
// Read from the raw usage whatever its dialect, so that a record rated anew reads the same. Pure.

import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import { optionalCount } from './token-count.ts'

/** Tokens that were no text. */
export interface MediaTokens {
  readonly audio: number
  readonly image: number
  readonly video: number
}

/** Each number is a part of a count of `TokenCounts`, and NaN where the provider wrote something that is no count. */
export interface UsageDetails {
  /**
   * `standard`, or what else the provider says that decides the price: `flex`, `batch`, `priority`, `us` (inference in one
   * country), several of them joined by `+`. A word that no price list has makes the call unpriced.
   */
  readonly condition: string
  /** Part of `cacheWriteTokens`. */
  readonly cacheWriteOneHour: number
  /** Parts of `inputTokens`; with `cachedUnclear` parts of that and `cachedInputTokens` together. */
  readonly input: MediaTokens
  /** Parts of `cachedInputTokens`. */
  readonly cached: MediaTokens
  /** Parts of `outputTokens`. */
  readonly output: MediaTokens
  /** Media were in the prompt and something was cached, and nobody says which. */
  readonly cachedUnclear: boolean
  /** It used something that is not sold by the token of a known kind, e.g. searches, or seconds of audio. */
  readonly otherFees: boolean
}

const STANDARD = 'standard'
const NO_MEDIA: MediaTokens = { audio: 0, image: 0, video: 0 }
const NO_DETAILS: UsageDetails = {
  condition: STANDARD,
  cacheWriteOneHour: 0,
  input: NO_MEDIA,
  cached: NO_MEDIA,
  output: NO_MEDIA,
  cachedUnclear: false,
  otherFees: false,
}

/** The details of a raw usage. What it does not say is standard and zero. */
export function usageDetails(raw: Json): UsageDetails {
  if (!isJsonObject(raw)) return NO_DETAILS
  const prompt = sum(promptMedia(raw), googleMedia(raw.toolUsePromptTokensDetails))
  const cached = cachedMedia(raw)
  const cachedUnclear = cached === undefined && hasMedia(prompt) && hasCached(raw)
  return {
    condition: conditionOf(raw),
    cacheWriteOneHour: isJsonObject(raw.cache_creation)
      ? optionalCount(raw.cache_creation.ephemeral_1h_input_tokens)
      : 0,
    input: cached === undefined ? prompt : difference(prompt, cached),
    cached: cached ?? NO_MEDIA,
    output: outputMedia(raw),
    cachedUnclear,
    otherFees: hasOtherFees(raw),
  }
}

export function hasMedia(media: MediaTokens): boolean {
  return media !== NO_MEDIA && (media.audio !== 0 || media.image !== 0 || media.video !== 0)
}

/**
 * OpenAI: `audio_tokens` in the details of prompt and completion (platform.openai.com/docs/api-reference/chat/object), with
 * the cached ones apart in `cached_tokens_details`. Google: `…Details[]` by `modality` (ai.google.dev/api/generate-content).
 */
function promptMedia(raw: JsonObject): MediaTokens {
  return sum(openaiMedia(promptDetails(raw)), googleMedia(raw.promptTokensDetails))
}

function outputMedia(raw: JsonObject): MediaTokens {
  const details = raw.completion_tokens_details ?? raw.output_tokens_details ?? raw.output_token_details
  return sum(openaiMedia(details), googleMedia(raw.candidatesTokensDetails ?? raw.responseTokensDetails))
}

/** Undefined where nobody says what kind of tokens the cached ones were. */
function cachedMedia(raw: JsonObject): MediaTokens | undefined {
  if (raw.cacheTokensDetails != null) return googleMedia(raw.cacheTokensDetails)
  const details = promptDetails(raw)
  if (!isJsonObject(details) || details.cached_tokens_details == null) return undefined
  return openaiMedia(details.cached_tokens_details)
}

function hasCached(raw: JsonObject): boolean {
  const details = promptDetails(raw)
  const cached = isJsonObject(details) ? details.cached_tokens : undefined
  return optionalCount(cached ?? raw.cachedContentTokenCount ?? raw.prompt_cache_hit_tokens) !== 0
}

/** The realtime dialect writes `token_details`. */
function promptDetails(raw: JsonObject): Json | undefined {
  return raw.prompt_tokens_details ?? raw.input_tokens_details ?? raw.input_token_details
}

function openaiMedia(details: Json | undefined): MediaTokens {
  if (!isJsonObject(details)) return NO_MEDIA
  const { audio_tokens: audio, image_tokens: image, video_tokens: video } = details
  if (audio === undefined && image === undefined && video === undefined) return NO_MEDIA
  return { audio: optionalCount(audio), image: optionalCount(image), video: optionalCount(video) }
}

/** Documents are charged as text. A kind that is not known here poisons the counts, so that it is not charged as text. */
function googleMedia(details: Json | undefined): MediaTokens {
  if (!Array.isArray(details)) return NO_MEDIA
  let media = NO_MEDIA
  for (const entry of details as readonly Json[]) {
    if (!isJsonObject(entry)) continue
    const tokens = optionalCount(entry.tokenCount)
    switch (entry.modality) {
      case 'TEXT':
      case 'DOCUMENT':
        break
      case 'AUDIO':
        media = { ...media, audio: media.audio + tokens }
        break
      case 'IMAGE':
        media = { ...media, image: media.image + tokens }
        break
      case 'VIDEO':
        media = { ...media, video: media.video + tokens }
        break
      default:
        if (tokens !== 0) media = { audio: Number.NaN, image: Number.NaN, video: Number.NaN }
    }
  }
  return media
}

function sum(a: MediaTokens, b: MediaTokens): MediaTokens {
  if (b === NO_MEDIA) return a
  return { audio: a.audio + b.audio, image: a.image + b.image, video: a.video + b.video }
}

function difference(a: MediaTokens, b: MediaTokens): MediaTokens {
  if (b === NO_MEDIA) return a
  return { audio: a.audio - b.audio, image: a.image - b.image, video: a.video - b.video }
}

/** What the providers call the way of serving that everybody gets. */
const STANDARD_NAMES: ReadonlySet<string> = new Set([
  'default',
  'standard',
  'on_demand',
  'traffic_type_unspecified',
  'unspecified',
])
/** `on_demand_flex` of Google's `trafficType` is the `flex` of its price list. */
const ON_DEMAND = /^on_demand_/

/**
 * The service tier (OpenAI and Groq `service_tier`, Anthropic `usage.service_tier`, Google `serviceTier` or `trafficType`),
 * Anthropic's `inference_geo` and `speed`. Nothing said is the standard, as all of them document.
 */
function conditionOf(raw: JsonObject): string {
  const tier = wordOf(raw.service_tier ?? raw.serviceTier ?? raw.trafficType)
  const place = wordOf(raw.inference_geo)
  const speed = wordOf(raw.speed)
  if (tier === STANDARD && place === STANDARD && speed === STANDARD) return STANDARD
  return [tier, place, speed].filter((word) => word !== STANDARD).join('+')
}

/** Where inference may happen anywhere, or the model has no such choice, the standard price holds. */
const ANYWHERE: ReadonlySet<string> = new Set(['global', 'not_available'])

function wordOf(value: Json | undefined): string {
  if (value == null) return STANDARD
  if (typeof value !== 'string') return 'unknown'
  const word = value.toLowerCase()
  if (STANDARD_NAMES.has(word) || ANYWHERE.has(word)) return STANDARD
  return word.replace(ON_DEMAND, '')
}

/**
 * Anthropic's searches and code execution (fetching pages is free), calls of which its counts tell only the last of several
 * `iterations`, and Mistral's seconds of audio.
 */
function hasOtherFees(raw: JsonObject): boolean {
  const tools = raw.server_tool_use
  const byTools =
    isJsonObject(tools) &&
    (optionalCount(tools.web_search_requests) !== 0 || optionalCount(tools.code_execution_requests) !== 0)
  const seconds = raw.prompt_audio_seconds
  const untold = Array.isArray(raw.iterations) && raw.iterations.length > 1
  return byTools || untold || (typeof seconds === 'number' && seconds !== 0)
}
