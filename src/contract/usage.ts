// Token usage of one model attempt, normalised so that the kinds never overlap.

import type { Json } from '../base/json.ts'

/**
 * Counts of one attempt. The kinds are disjoint: what the provider was sent is
 * `inputTokens + cachedInputTokens + cacheWriteTokens`, what it produced is `outputTokens`,
 * of which `reasoningTokens` were reasoning (a part of the output, not beside it).
 */
export interface TokenCounts {
  /** Input that was neither read from nor written to a cache. */
  readonly inputTokens: number
  readonly cachedInputTokens: number
  readonly cacheWriteTokens: number
  readonly outputTokens: number
  readonly reasoningTokens: number
}

/**
 * `known`: the provider said it. `missing`: the attempt may have cost money and nobody knows how much;
 * it is never counted as zero. `none`: the attempt was certainly not billed (refused before work began).
 */
export type ModelUsage =
  | { readonly state: 'known'; readonly counts: TokenCounts; readonly raw: Json }
  | { readonly state: 'missing'; readonly raw: Json }
  | { readonly state: 'none' }

export const ZERO_COUNTS: TokenCounts = {
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
}
