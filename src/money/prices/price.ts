// A price: what one model's tokens cost in a period. Integers of pico-USD per token; decimals appear nowhere.

import type { Picos } from '../../base/money.ts'
import type { EpochMs } from '../../base/time.ts'

/** What a token can be charged as. A call's tokens fall into these kinds without overlap. */
export const TOKEN_KINDS = [
  'input',
  'cachedInput',
  /** Writing to a cache of the provider's default lifetime (5 minutes where it offers two). */
  'cacheWrite',
  'cacheWriteOneHour',
  'output',
  'reasoning',
  'audioInput',
  'audioCachedInput',
  'audioOutput',
  'imageInput',
  'imageCachedInput',
  'imageOutput',
  'videoInput',
  'videoCachedInput',
  'videoOutput',
] as const
export type TokenKind = (typeof TOKEN_KINDS)[number]

export const OUTPUT_KINDS: readonly TokenKind[] = [
  'output',
  'reasoning',
  'audioOutput',
  'imageOutput',
  'videoOutput',
]

/** Pico-USD per token of each kind. Undefined where nobody published one: tokens of that kind are then unpriced, not free. */
export type TokenPrices = Readonly<Record<TokenKind, Picos | undefined>>

/** Prices of *all* tokens of a call whose prompt (input, cached and cache writes together) has more tokens than this. */
export interface ContextTier {
  readonly aboveTokens: number
  readonly prices: TokenPrices
}

export interface Price {
  /** `provider/model@from~digest`: a corrected amount gets another id, an unchanged one keeps its id for ever. */
  readonly id: string
  /** The first moment at which it holds, or undefined where it always did. */
  readonly from: EpochMs | undefined
  /** The first moment at which it no longer holds. */
  readonly until: EpochMs | undefined
  readonly base: TokenPrices
  /** By rising threshold. */
  readonly tiers: readonly ContextTier[]
  /** The longest prompt that it is for; undefined: any. */
  readonly promptTokensMax: number | undefined
  /** Prices under other conditions than the standard (`flex`, `batch`, …). A condition that is not here has no price. */
  readonly conditions: ReadonlyMap<string, Price>
}

/** The part of a price that holds for a call, whatever its size: undefined where its condition has none. */
export function priceUnder(price: Price, condition: string): Price | undefined {
  return condition === 'standard' ? price : price.conditions.get(condition)
}

export function isInForce(
  { from, until }: { readonly from: EpochMs | undefined; readonly until: EpochMs | undefined },
  at: EpochMs,
): boolean {
  return (from === undefined || at >= from) && (until === undefined || at < until)
}

/** The prices of a call with a prompt of so many tokens: the highest tier that it passes holds for the whole call. */
export function pricesForPrompt(price: Price, promptTokens: number): TokenPrices | undefined {
  if (price.promptTokensMax !== undefined && promptTokens > price.promptTokensMax) return undefined
  let prices = price.base
  for (const tier of price.tiers) if (promptTokens > tier.aboveTokens) prices = tier.prices
  return prices
}
