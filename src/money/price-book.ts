// The price book: finds the price of a model at a moment, by exact name or documented alias. It rates nothing.
// Made from prices/prices.json; rating.ts asks it.

import type { EpochMs } from '../base/time.ts'
import { type ContextTier, isInForce, type Price, priceId, type TokenPrices } from './price.ts'
import data from './prices/prices.json' with { type: 'json' }

export interface PriceBook {
  /** The price of `provider/model` at a moment, or undefined: never one of a model whose name is merely similar. */
  find(model: string, at: EpochMs): Price | undefined
}

/** The book of the product's own price file, read when first asked for. */
export function priceBook(): PriceBook {
  book ??= createPriceBook(data)
  return book
}

let book: PriceBook | undefined

/** Whole pico-USD, below a dollar per token. */
const AMOUNT = /^(?:0|[1-9]\d{0,11})$/

/** Amounts are texts of whole pico-USD per token; null or left out where no price is published. */
export interface AmountTexts {
  readonly input: string
  readonly cachedInput?: string | null | undefined
  readonly cacheWrite?: string | null | undefined
  readonly cacheWriteOneHour?: string | null | undefined
  readonly output: string
  readonly reasoning?: string | null | undefined
}

export interface PricePeriod extends AmountTexts {
  /** A day (`2026-10-07`, from 00:00 UTC), or null where the price always held. */
  readonly effectiveFrom: string | null
  /** The first day on which it no longer holds. */
  readonly effectiveUntil?: string | null | undefined
  readonly tiers?: readonly (AmountTexts & { readonly aboveTokens: number })[] | undefined
}

export interface ModelPrices {
  readonly provider: string
  readonly model: string
  /** Other names that the provider documents for the same model at the same price. */
  readonly aliases: readonly string[]
  readonly source: string
  /** Media (`audio`, `image`, `video`) whose tokens have prices of their own that this file lacks: such calls are unpriced. */
  readonly mediaPricedApart?: readonly string[] | undefined
  readonly prices: readonly PricePeriod[]
}

export interface PriceFile {
  readonly models: readonly ModelPrices[]
}

/** Throws where an amount is not a whole number, periods overlap, or a name is claimed twice: a book is right or not there. */
export function createPriceBook(file: PriceFile): PriceBook {
  const byName = new Map<string, readonly Price[]>()
  for (const model of file.models) {
    const prices = readPeriods(model)
    for (const name of [model.model, ...model.aliases]) {
      const key = `${model.provider}/${name}`
      if (byName.has(key)) throw new Error(`The price file has "${key}" twice.`)
      byName.set(key, prices)
    }
  }
  return { find: (model, at) => byName.get(model)?.find((price) => isInForce(price, at)) }
}

function readPeriods({ provider, model, prices, mediaPricedApart = [] }: ModelPrices): readonly Price[] {
  const name = `${provider}/${model}`
  const read = prices.map((period): Price => {
    const base = readAmounts(name, period)
    const tiers = readTiers(name, period.tiers ?? [])
    return {
      id: priceId(name, period.effectiveFrom ?? 'always', base, tiers),
      from: readDay(name, period.effectiveFrom),
      until: readDay(name, period.effectiveUntil),
      base,
      tiers,
      mediaPricedApart,
    }
  })
  for (const [at, price] of read.entries()) {
    const next = read[at + 1]
    const ends = price.until ?? Number.POSITIVE_INFINITY
    if (ends <= (price.from ?? Number.NEGATIVE_INFINITY))
      throw new Error(`A price of "${name}" ends before it begins.`)
    if (next !== undefined && (next.from === undefined || next.from < ends)) {
      throw new Error(`The prices of "${name}" overlap, or are not in the order of time.`)
    }
  }
  return read
}

function readTiers(name: string, tiers: NonNullable<PricePeriod['tiers']>): readonly ContextTier[] {
  let last = 0
  return tiers.map((tier) => {
    if (!Number.isSafeInteger(tier.aboveTokens) || tier.aboveTokens <= last) {
      throw new Error(`The tiers of "${name}" do not rise.`)
    }
    last = tier.aboveTokens
    return { aboveTokens: tier.aboveTokens, prices: readAmounts(name, tier) }
  })
}

function readAmounts(name: string, amounts: AmountTexts): TokenPrices {
  const read = (text: string): bigint => {
    if (!AMOUNT.test(text))
      throw new Error(`"${text}" is not a price of "${name}": whole pico-USD per token.`)
    return BigInt(text)
  }
  const readOptional = (text: string | null | undefined): bigint | undefined =>
    text == null ? undefined : read(text)
  return {
    input: read(amounts.input),
    cachedInput: readOptional(amounts.cachedInput),
    cacheWrite: readOptional(amounts.cacheWrite),
    cacheWriteOneHour: readOptional(amounts.cacheWriteOneHour),
    output: read(amounts.output),
    reasoning: readOptional(amounts.reasoning),
  }
}

function readDay(name: string, text: string | null | undefined): EpochMs | undefined {
  if (text == null) return undefined
  const at = Date.parse(`${text}T00:00:00.000Z`)
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(at))
    throw new Error(`"${text}" is not a day, in a price of "${name}".`)
  return at
}
