// What another source says otherwise than the book: model by model and field by field, in exact decimals. Pure.

import { decimalText, ratioText, readDecimal } from '../../../base/decimal.ts'
import type { EpochMs } from '../../../base/time.ts'
import { COMPARED_KINDS, type ComparedKind, type ComparedPrice } from '../../../contract/price.ts'
import { bookNames } from '../own/book-prices.ts'
import { perMillion } from '../own/own-price.ts'
import type { PriceBook } from '../price-book.ts'

export interface Disagreement {
  readonly model: string
  readonly field: ComparedKind
  /** USD per million tokens. */
  readonly ours: string | null
  readonly theirs: string
  readonly ratio: string | null
  /** Theirs is what the book has for an earlier time. */
  readonly theirsIsEarlier: boolean
}

export interface Comparison {
  readonly compared: number
  readonly agreeing: number
  readonly onlyHere: number
  readonly onlyThere: number
  readonly disagreements: readonly Disagreement[]
}

const RATIO_PLACES = 4
/**
 * Compares what both tell: a field that they leave out is no disagreement, one that we leave out is. Models of providers
 * that the book does not have are not counted as missing here.
 */
export function comparePrices(book: PriceBook, theirs: readonly ComparedPrice[], at: EpochMs): Comparison {
  const names = bookNames()
  const providers = new Set([...names.keys()].map(providerOf))
  const seen = new Set<string>()
  const disagreements: Disagreement[] = []
  let agreeing = 0
  let onlyThere = 0
  for (const their of theirs) {
    if (seen.has(their.model)) continue
    if (book.find(their.model, at) === undefined) {
      if (providers.has(providerOf(their.model))) onlyThere += 1
      continue
    }
    seen.add(their.model)
    const found = disagreementsOf(book, their, at)
    if (found.length === 0) agreeing += 1
    disagreements.push(...found)
  }
  const here = [...names.keys()].filter((name) => book.find(name, at) !== undefined)
  return {
    compared: seen.size,
    agreeing,
    onlyHere: here.filter((name) => !seen.has(name)).length,
    onlyThere,
    disagreements: disagreements.toSorted((a, b) => (a.model < b.model ? -1 : a.model > b.model ? 1 : 0)),
  }
}

function disagreementsOf(book: PriceBook, their: ComparedPrice, at: EpochMs): readonly Disagreement[] {
  const { model } = their
  return COMPARED_KINDS.flatMap((field): readonly Disagreement[] => {
    const value = their[field] === undefined ? undefined : readDecimal(their[field])
    if (value === undefined) return []
    const text = decimalText(value)
    const ours = oursAt(book, { model, field, at })
    if (ours === text) return []
    const own = ours === null ? undefined : readDecimal(ours)
    const ratio = own === undefined ? null : (ratioText(value, own, RATIO_PLACES) ?? null)
    const theirsIsEarlier = endsBefore(model, at).some(
      (end) => oursAt(book, { model, field, at: end - 1 }) === text,
    )
    return [{ model, field, ours, theirs: text, ratio, theirsIsEarlier }]
  })
}

/** USD per million tokens. */
function oursAt(
  book: PriceBook,
  { model, field, at }: { readonly model: string; readonly field: ComparedKind; readonly at: EpochMs },
): string | null {
  const picos = book.find(model, at)?.base[field]
  return picos === undefined ? null : perMillion(picos)
}

/** When earlier prices of ours ended. */
function endsBefore(model: string, at: EpochMs): readonly EpochMs[] {
  const prices = bookNames().get(model)?.prices ?? []
  return prices.flatMap(({ effectiveUntil }) => {
    const end =
      effectiveUntil == null ? Number.POSITIVE_INFINITY : Date.parse(`${effectiveUntil}T00:00:00.000Z`)
    return end <= at ? [end] : []
  })
}

function providerOf(model: string): string {
  return model.slice(0, model.indexOf('/'))
}
