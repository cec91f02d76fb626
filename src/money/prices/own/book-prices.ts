// The product's book, to look at: its prices in force at a time, by name. It rates nothing.

import type { EpochMs } from '../../../base/time.ts'
import type { PriceAmounts } from '../amounts.ts'
import { type Price, TOKEN_KINDS, type TokenPrices } from '../price.ts'
import type { ModelPrices, PriceBook } from '../price-book.ts'
import data from '../prices.json' with { type: 'json' }

export interface BookPrice {
  readonly subject: string
  readonly price: Price
  /** As the file has them. */
  readonly amounts: PriceAmounts
  /** Where they are published. */
  readonly source: string
}

/** Every name of the book, aliases as well, in order. */
export function bookNames(): ReadonlyMap<string, ModelPrices> {
  names ??= new Map(
    (data.models as readonly ModelPrices[])
      .flatMap((of) => [of.model, ...of.aliases].map((name) => [`${of.provider}/${name}`, of] as const))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
  return names
}

let names: ReadonlyMap<string, ModelPrices> | undefined

/** Which edition of the book it is. */
export function bookEdition(): { readonly source: string; readonly retrieved: string } {
  return { source: data.header.source, retrieved: data.header.retrieved }
}

/** The price of a name in the book, with what the file says of it. */
export function bookPriceOf(book: PriceBook, subject: string, at: EpochMs): BookPrice | undefined {
  const price = book.find(subject, at)
  if (price === undefined) return undefined
  const of = bookNames().get(subject)
  const period = of?.prices.find(({ effectiveFrom }) => startOf(effectiveFrom) === price.from)
  // Another book than the product's has no file.
  if (of === undefined || period === undefined)
    return { subject, price, amounts: amountTexts(price.base), source: '' }
  const { effectiveFrom: _, effectiveUntil: __, ...amounts } = period
  return { subject, price, amounts, source: of.source }
}

function amountTexts(prices: TokenPrices): PriceAmounts {
  const texts = Object.fromEntries(TOKEN_KINDS.map((kind) => [kind, prices[kind]?.toString()]))
  return { ...texts, input: texts.input ?? '0', output: texts.output ?? '0' }
}

function startOf(day: string | null): EpochMs | undefined {
  return day === null ? undefined : Date.parse(`${day}T00:00:00.000Z`)
}

export function listBookPrices(
  book: PriceBook,
  asked: {
    readonly limit: number
    readonly cursor?: string | undefined
    readonly subject?: string | undefined
    readonly provider?: string | undefined
    readonly at: EpochMs
  },
): { readonly items: readonly BookPrice[]; readonly nextCursor: string | undefined } {
  const { limit, cursor = '', subject, provider, at } = asked
  const items: BookPrice[] = []
  for (const name of bookNames().keys()) {
    if (name <= cursor || (subject !== undefined && name !== subject)) continue
    if (provider !== undefined && !name.startsWith(`${provider}/`)) continue
    const found = bookPriceOf(book, name, at)
    if (found === undefined) continue
    if (items.length === limit) return { items, nextCursor: items.at(-1)?.subject }
    items.push(found)
  }
  return { items, nextCursor: undefined }
}
