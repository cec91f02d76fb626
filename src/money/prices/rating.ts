// Rating: what one attempt at a model cost. Pure, in integers, rounded once; it looks nothing up but the price.

import { type Nanos, nanosFromPicos, type Picos } from '../../base/money.ts'
import type { EpochMs } from '../../base/time.ts'
import type { ModelUsage, TokenCounts } from '../../contract/usage.ts'
import {
  hasMedia,
  type MediaTokens,
  type UsageDetails,
  usageDetails,
} from '../../models/usage/usage-details.ts'
import { pricesForPrompt, priceUnder, TOKEN_KINDS, type TokenKind, type TokenPrices } from './price.ts'
import type { PriceBook } from './price-book.ts'

/**
 * `priced` has an amount; `priceId` is null only where nothing was billed and so no price was needed.
 * `unpriced`: no price for this model at that time, under that condition, or for a kind of token that it used.
 * `usage_missing`: nobody knows what was used. Neither is ever counted as zero.
 */
export type Rating =
  | { readonly costState: 'priced'; readonly costNanos: Nanos; readonly priceId: string | null }
  | { readonly costState: 'unpriced' }
  | { readonly costState: 'usage_missing' }

const NOT_BILLED: Rating = { costState: 'priced', costNanos: 0n, priceId: null }
const UNPRICED: Rating = { costState: 'unpriced' }
const USAGE_MISSING: Rating = { costState: 'usage_missing' }

/**
 * The cost of one attempt, per call and not per session: tokens of each kind times their price, summed in pico-USD and
 * rounded half up to nano-USD once. `model` is `provider/model`; `at` decides which price was in force, and what the
 * provider said of the call (service tier, batch, place) under which condition.
 */
export function rate(book: PriceBook, model: string, usage: ModelUsage, at: EpochMs): Rating {
  switch (usage.state) {
    case 'none':
      return NOT_BILLED
    case 'missing':
      return USAGE_MISSING
    case 'known': {
      const details = usageDetails(usage.raw)
      if (!areCounts(usage.counts) || !areDetails(details)) return USAGE_MISSING
      const price = book.find(model, at)
      if (price === undefined || details.otherFees) return UNPRICED
      const offer = priceUnder(price, details.condition)
      const prompt = usage.counts.inputTokens + usage.counts.cachedInputTokens + usage.counts.cacheWriteTokens
      const prices = offer && pricesForPrompt(offer, prompt)
      const tokens = prices && tokensByKind(usage.counts, details, prices)
      const picos = tokens && sumPicos(tokens, prices)
      if (picos === undefined) return UNPRICED
      return { costState: 'priced', costNanos: nanosFromPicos(picos), priceId: offer?.id ?? null }
    }
    default:
      return usage satisfies never
  }
}

/** Disjoint counts: their sum is every token of the call. */
type BilledTokens = Readonly<Record<TokenKind, number>>

/** Undefined where the provider's words do not fit together, so that it is not known what to charge. */
function tokensByKind(
  counts: TokenCounts,
  details: UsageDetails,
  prices: TokenPrices,
): BilledTokens | undefined {
  if (details.cachedUnclear && !costAsText(details.input, prices)) return undefined
  const input = details.cachedUnclear ? NO_MEDIA : details.input
  const { cached, output } = details
  const oneHour = Math.min(details.cacheWriteOneHour, counts.cacheWriteTokens)
  const reasoning = Math.min(counts.reasoningTokens, counts.outputTokens)
  const text = counts.inputTokens - totalOf(input)
  const cachedText = counts.cachedInputTokens - totalOf(cached)
  const answer = counts.outputTokens - reasoning - totalOf(output)
  if (text < 0 || cachedText < 0 || answer < 0) return undefined
  return {
    input: text,
    cachedInput: cachedText,
    cacheWrite: counts.cacheWriteTokens - oneHour,
    cacheWriteOneHour: oneHour,
    output: answer,
    reasoning,
    audioInput: input.audio,
    audioCachedInput: cached.audio,
    audioOutput: output.audio,
    imageInput: input.image,
    imageCachedInput: cached.image,
    imageOutput: output.image,
    videoInput: input.video,
    videoCachedInput: cached.video,
    videoOutput: output.video,
  }
}

const NO_MEDIA: MediaTokens = { audio: 0, image: 0, video: 0 }

function totalOf(media: MediaTokens): number {
  return media.audio + media.image + media.video
}

/** Whether it does not matter which of the media were cached, because they cost what text does. */
function costAsText(media: MediaTokens, prices: TokenPrices): boolean {
  const same = (input: Picos | undefined, cached: Picos | undefined): boolean =>
    input === prices.input && cached === prices.cachedInput
  return (
    (media.audio === 0 || same(prices.audioInput, prices.audioCachedInput)) &&
    (media.image === 0 || same(prices.imageInput, prices.imageCachedInput)) &&
    (media.video === 0 || same(prices.videoInput, prices.videoCachedInput))
  )
}

/** The sum, or undefined where tokens of a kind were used for which there is no price. */
function sumPicos(tokens: BilledTokens, prices: TokenPrices): Picos | undefined {
  let sum = 0n
  for (const kind of TOKEN_KINDS) {
    const count = tokens[kind]
    if (count === 0) continue
    const price = prices[kind]
    if (price === undefined) return undefined
    sum += BigInt(count) * price
  }
  return sum
}

/**
 * No call has a billion tokens of a kind. With prices below a dollar per token, which the book guarantees, the cost of all
 * kinds then stays below 5 × 10^18 nano-USD, and so within the 64 bits that a database has for it.
 */
export const TOKENS_MAX = 1_000_000_000

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

function areDetails({ cacheWriteOneHour, input, cached, output }: UsageDetails): boolean {
  return isCount(cacheWriteOneHour) && areMedia(input) && areMedia(cached) && areMedia(output)
}

function areMedia(media: MediaTokens): boolean {
  return !hasMedia(media) || (isCount(media.audio) && isCount(media.image) && isCount(media.video))
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= TOKENS_MAX
}
