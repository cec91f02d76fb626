// A price: what one model's tokens cost in a period. Integers of pico-USD per token; decimals appear nowhere.

import { createHash } from 'node:crypto'
import type { Picos } from '../base/money.ts'
import type { EpochMs } from '../base/time.ts'

/** Pico-USD per token of each kind. Undefined where nobody published one: tokens of that kind are then unpriced, not free. */
export interface TokenPrices {
  readonly input: Picos
  readonly cachedInput: Picos | undefined
  /** Writing to a cache of the provider's default lifetime (5 minutes where it offers two). */
  readonly cacheWrite: Picos | undefined
  readonly cacheWriteOneHour: Picos | undefined
  readonly output: Picos
  /** Only where reasoning costs something else than the output that it is a part of. */
  readonly reasoning: Picos | undefined
}

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
  /** Media (`audio`, `image`, `video`) whose tokens cost something else than those of text, and what is not known here. */
  readonly mediaPricedApart: readonly string[]
}

export function isInForce(price: Price, at: EpochMs): boolean {
  return (price.from === undefined || at >= price.from) && (price.until === undefined || at < price.until)
}

/** The prices of a call with a prompt of so many tokens: the highest tier that it passes holds for the whole call. */
export function pricesForPrompt(price: Price, promptTokens: bigint): TokenPrices {
  let prices = price.base
  for (const tier of price.tiers) if (promptTokens > BigInt(tier.aboveTokens)) prices = tier.prices
  return prices
}

export function priceId(
  name: string,
  from: string,
  base: TokenPrices,
  tiers: readonly ContextTier[],
): string {
  const amounts = [{ aboveTokens: 0, prices: base }, ...tiers].map(({ aboveTokens, prices }) => [
    aboveTokens,
    prices.input,
    prices.cachedInput,
    prices.cacheWrite,
    prices.cacheWriteOneHour,
    prices.output,
    prices.reasoning,
  ])
  const text = amounts.map((row) => row.map((cell) => cell?.toString() ?? '-').join(' ')).join('\n')
  return `${name}@${from}~${createHash('sha256').update(text).digest('hex').slice(0, 8)}`
}
