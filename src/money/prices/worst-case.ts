// The worst case: the most that a call can cost before it is made. Pure. Budgets set that much aside.

import { type Nanos, nanosFromPicos, type Picos } from '../../base/money.ts'
import type { EpochMs } from '../../base/time.ts'
import { OUTPUT_KINDS, type Price, TOKEN_KINDS, type TokenKind, type TokenPrices } from './price.ts'
import type { PriceBook } from './price-book.ts'

export interface CallSize {
  /** No more tokens are sent than this, cached ones and cache writes among them. */
  readonly promptTokensMax: number
  /** No more are produced, reasoning among them. */
  readonly outputTokensMax: number
  /** Whether tokens may be audio, images or video. Default true; a call that is text alone need not reserve for them. */
  readonly media?: boolean
}

/**
 * The most that `rate` can answer for a call of at most that size: every token at the dearest price of its direction, over
 * all kinds of input (cache writes too), all context tiers that the prompt can reach, and all conditions that have a price,
 * because the provider decides the service tier. Undefined where the model has no price.
 */
export function worstCase(book: PriceBook, model: string, size: CallSize, at: EpochMs): Nanos | undefined {
  const price = book.find(model, at)
  if (price === undefined) return undefined
  let most = worstOf(price, size)
  for (const condition of price.conditions.values()) {
    const picos = worstOf(condition, size)
    if (picos > most) most = picos
  }
  return nanosFromPicos(most)
}

function worstOf(price: Price, size: CallSize): Picos {
  let most = worstAt(price.base, size)
  for (const tier of price.tiers) {
    if (tier.aboveTokens >= size.promptTokensMax) break
    const picos = worstAt(tier.prices, size)
    if (picos > most) most = picos
  }
  return most
}

function worstAt(prices: TokenPrices, { promptTokensMax, outputTokensMax, media = true }: CallSize): Picos {
  const input = dearest(prices, media ? INPUT_KINDS : TEXT_INPUT_KINDS)
  const output = dearest(prices, media ? OUTPUT_KINDS : TEXT_OUTPUT_KINDS)
  return BigInt(Math.ceil(promptTokensMax)) * input + BigInt(Math.ceil(outputTokensMax)) * output
}

const INPUT_KINDS = TOKEN_KINDS.filter((kind) => !OUTPUT_KINDS.includes(kind))
const TEXT_INPUT_KINDS = INPUT_KINDS.filter((kind) => !/^(?:audio|image|video)/.test(kind))
const TEXT_OUTPUT_KINDS: readonly TokenKind[] = ['output', 'reasoning']

/** Kinds without a price are left out: a call that uses them is unpriced, so there is no amount to be below. */
function dearest(prices: TokenPrices, kinds: readonly TokenKind[]): Picos {
  let most = 0n
  for (const kind of kinds) {
    const price = prices[kind]
    if (price !== undefined && price > most) most = price
  }
  return most
}
