// Media tokens: what a provider says of tokens that were no text. Pure; rating.ts asks it, so that none is charged as text.

import { isJsonObject, type Json } from '../base/json.ts'

/**
 * Whether a call used tokens of one of these media (`audio`, `image`, `video`). OpenAI counts them in
 * `…_details.audio_tokens` (platform.openai.com/docs/api-reference/chat/object), Google in `…Details[]` with `modality` and
 * `tokenCount` (ai.google.dev/api/generate-content#UsageMetadata). Others do not say.
 */
export function usedMedia(raw: Json, media: readonly string[]): boolean {
  if (!isJsonObject(raw)) return false
  return Object.values(raw).some((details) => media.some((medium) => countOf(details, medium) > 0))
}

function countOf(details: Json | undefined, medium: string): number {
  if (Array.isArray(details)) {
    const counts = details.map((entry) =>
      isJsonObject(entry) && entry.modality === medium.toUpperCase() ? numberOf(entry.tokenCount) : 0,
    )
    return Math.max(0, ...counts)
  }
  return isJsonObject(details) ? numberOf(details[`${medium}_tokens`]) : 0
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0
}
