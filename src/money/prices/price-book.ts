// The price book: finds the price of a model at a moment, by exact name or documented alias. It rates nothing.
// Made from prices.json; a tenant's own prices lie over it. rating.ts and worst-case.ts ask it.

import type { EpochMs } from '../../base/time.ts'
import {
  amountsDigest,
  checkTiered,
  MEDIA,
  type PriceAmounts,
  periodErrors,
  readAmounts,
  readTiers,
  type TieredAmounts,
} from './amounts.ts'
import { isInForce, type Price } from './price.ts'
import data from './prices.json' with { type: 'json' }

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

export interface PricePeriod extends PriceAmounts {
  /** A day (`2026-10-07`, from 00:00 UTC), or null where the price always held. */
  readonly effectiveFrom: string | null
  /** The first day on which it no longer holds. */
  readonly effectiveUntil?: string | null | undefined
}

export interface ModelPrices {
  readonly provider: string
  readonly model: string
  /** Other names that the provider documents for the same model at the same price. */
  readonly aliases: readonly string[]
  readonly source: string
  /** Media (`audio`, `image`, `video`) whose tokens do not cost what text does: without an amount of their own they are unpriced. */
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
  return { find: (model, at) => inForce(byName.get(model), at) }
}

/** A price of a tenant's own, e.g. of a contract, or of a model that it runs itself. */
export interface OwnPrice {
  readonly id: string
  /** `provider/model`, exactly. */
  readonly subject: string
  readonly effectiveFrom: EpochMs
  readonly effectiveUntil: EpochMs | null
  /** As `parseAmounts` answers them. */
  readonly amounts: PriceAmounts
}

/**
 * The book with own prices over it: of a subject that has one in force, the own price holds, alone. What it does not name
 * (a medium, a cache write, a condition) is unpriced, because a contract about text says nothing of audio.
 */
export function withOverrides(below: PriceBook, ownPrices: readonly OwnPrice[]): PriceBook {
  if (ownPrices.length === 0) return below
  const bySubject = new Map<string, Price[]>()
  for (const own of ownPrices) {
    const price = readOwn(own)
    const prices = bySubject.get(own.subject)
    if (prices === undefined) bySubject.set(own.subject, [price])
    else prices.push(price)
  }
  return { find: (model, at) => inForce(bySubject.get(model), at) ?? below.find(model, at) }
}

function readOwn({ id, effectiveFrom, effectiveUntil, amounts }: OwnPrice): Price {
  const period = { from: effectiveFrom, until: effectiveUntil ?? undefined }
  return readPrice(amounts, period, MEDIA, (condition) =>
    condition === undefined ? id : `${id}+${condition}`,
  )
}

function inForce(prices: readonly Price[] | undefined, at: EpochMs): Price | undefined {
  if (prices === undefined) return undefined
  for (const price of prices) if (isInForce(price, at)) return price
  return undefined
}

function readPeriods({ provider, model, prices, mediaPricedApart = [] }: ModelPrices): readonly Price[] {
  const name = `${provider}/${model}`
  const read = prices.map((texts): Price => {
    checkTexts(name, texts)
    const period = { from: readDay(name, texts.effectiveFrom), until: readDay(name, texts.effectiveUntil) }
    const from = texts.effectiveFrom ?? 'always'
    return readPrice(texts, period, mediaPricedApart, (condition, amounts) =>
      condition === undefined
        ? `${name}@${from}~${amountsDigest(amounts)}`
        : `${name}+${condition}@${from}~${amountsDigest(amounts)}`,
    )
  })
  const [wrong] = periodErrors(read)
  if (wrong !== undefined) throw new Error(`The prices of "${name}": ${wrong.path} ${wrong.message}.`)
  return read
}

type NamePrice = (condition: string | undefined, amounts: TieredAmounts) => string

function readPrice(
  amounts: PriceAmounts,
  period: Pick<Price, 'from' | 'until'>,
  mediaPricedApart: readonly string[],
  idOf: NamePrice,
): Price {
  const read = (condition: string | undefined, texts: TieredAmounts): Price => ({
    ...period,
    id: idOf(condition, texts),
    base: readAmounts(texts, mediaPricedApart),
    tiers: readTiers(texts, mediaPricedApart),
    promptTokensMax: texts.promptTokensMax,
    conditions: NO_CONDITIONS,
  })
  const standard = read(undefined, amounts)
  if (amounts.conditions === undefined) return standard
  const conditions = Object.entries(amounts.conditions).map(
    ([name, texts]) => [name, read(name, texts)] as const,
  )
  return { ...standard, conditions: new Map(conditions) }
}

const NO_CONDITIONS: ReadonlyMap<string, Price> = new Map()

function checkTexts(name: string, amounts: PriceAmounts): void {
  const complain = (path: string, message: string): void => {
    throw new Error(`A price of "${name}": ${path} ${message}.`)
  }
  for (const texts of [amounts, ...Object.values(amounts.conditions ?? {})])
    checkTiered(JSON.parse(JSON.stringify(texts)), '', complain)
}

function readDay(name: string, text: string | null | undefined): EpochMs | undefined {
  if (text == null) return undefined
  const at = Date.parse(`${text}T00:00:00.000Z`)
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(at))
    throw new Error(`"${text}" is not a day, in a price of "${name}".`)
  return at
}
