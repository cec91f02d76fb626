// Rating: what one attempt at a model cost. Pure, in integers, rounded once; it looks nothing up but the price.

import type { Json } from '../base/json.ts'
import { isJsonObject } from '../base/json.ts'
import { type Nanos, nanosFromPicos, type Picos } from '../base/money.ts'
import type { EpochMs } from '../base/time.ts'
import type { ModelUsage, TokenCounts } from '../contract/usage.ts'
import { usedMedia } from './media-tokens.ts'
import { pricesForPrompt, type TokenPrices } from './price.ts'
import type { PriceBook } from './price-book.ts'

/**
 * `priced` has an amount; `priceId` is null only where nothing was billed and so no price was needed.
 * `unpriced`: no price for this model at that time, or for a kind of token that it used.
 * `usage_missing`: nobody knows what was used. Neither is ever counted as zero.
 */
export type Rating =
  | { readonly costState: 'priced'; readonly costNanos: Nanos; readonly priceId: string | null }
  | { readonly costState: 'unpriced' }
  | { readonly costState: 'usage_missing' }

/**
 * The cost of one attempt, per call and not per session: tokens of each kind times their price, summed in pico-USD and
 * rounded half up to nano-USD once. `model` is `provider/model`; `at` decides which price was in force.
 */
export function rate(book: PriceBook, model: string, usage: ModelUsage, at: EpochMs): Rating {
  switch (usage.state) {
    case 'none':
      return { costState: 'priced', costNanos: 0n, priceId: null }
    case 'missing':
      return { costState: 'usage_missing' }
    case 'known': {
      if (!areCounts(usage.counts)) return { costState: 'usage_missing' }
      const price = book.find(model, at)
      if (price === undefined || usedMedia(usage.raw, price.mediaPricedApart))
        return { costState: 'unpriced' }
      const tokens = tokensByKind(usage.counts, usage.raw)
      const prompt = tokens.input + tokens.cachedInput + tokens.cacheWrite + tokens.cacheWriteOneHour
      const picos = sumPicos(tokens, pricesForPrompt(price, prompt))
      if (picos === undefined) return { costState: 'unpriced' }
      return { costState: 'priced', costNanos: nanosFromPicos(picos), priceId: price.id }
    }
    default:
      return usage satisfies never
  }
}

/** Disjoint counts: their sum is every token of the call. */
interface BilledTokens {
  readonly input: bigint
  readonly cachedInput: bigint
  readonly cacheWrite: bigint
  readonly cacheWriteOneHour: bigint
  /** Output that was not reasoning. */
  readonly output: bigint
  readonly reasoning: bigint
}

function tokensByKind(counts: TokenCounts, raw: Json): BilledTokens {
  const oneHour = Math.min(oneHourWrites(raw), counts.cacheWriteTokens)
  const reasoning = Math.min(counts.reasoningTokens, counts.outputTokens)
  return {
    input: BigInt(counts.inputTokens),
    cachedInput: BigInt(counts.cachedInputTokens),
    cacheWrite: BigInt(counts.cacheWriteTokens - oneHour),
    cacheWriteOneHour: BigInt(oneHour),
    output: BigInt(counts.outputTokens - reasoning),
    reasoning: BigInt(reasoning),
  }
}

/**
 * How many of the cache writes were for an hour. Only Anthropic sells two lifetimes, and says so in
 * `usage.cache_creation.ephemeral_1h_input_tokens` (platform.claude.com/docs/en/build-with-claude/prompt-caching).
 */
function oneHourWrites(raw: Json): number {
  if (!isJsonObject(raw) || !isJsonObject(raw.cache_creation)) return 0
  const count = raw.cache_creation.ephemeral_1h_input_tokens
  return isCount(count) ? count : 0
}

/** The sum, or undefined where tokens of a kind were used for which there is no price. */
function sumPicos(tokens: BilledTokens, prices: TokenPrices): Picos | undefined {
  const lines: readonly (readonly [bigint, Picos | undefined])[] = [
    [tokens.input, prices.input],
    [tokens.cachedInput, prices.cachedInput],
    [tokens.cacheWrite, prices.cacheWrite],
    [tokens.cacheWriteOneHour, prices.cacheWriteOneHour],
    [tokens.output, prices.output],
    [tokens.reasoning, prices.reasoning ?? prices.output],
  ]
  let sum = 0n
  for (const [count, price] of lines) {
    if (count === 0n) continue
    if (price === undefined) return undefined
    sum += count * price
  }
  return sum
}

/**
 * No call has a billion tokens of a kind. With prices below a dollar per token, which the book guarantees, the cost of
 * five kinds then stays below 5 × 10^18 nano-USD, and so within the 64 bits that a database has for it.
 */
const TOKENS_MAX = 1_000_000_000

/** What a provider sent may be anything; a count that is negative, not whole or absurd is no count. */
function areCounts(counts: TokenCounts): boolean {
  return (
    isCount(counts.inputTokens) &&
    isCount(counts.cachedInputTokens) &&
    isCount(counts.cacheWriteTokens) &&
    isCount(counts.outputTokens) &&
    isCount(counts.reasoningTokens)
  )
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= TOKENS_MAX
}
