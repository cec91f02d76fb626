// The second source that comes with the product, to compare the book with. Nothing is rated by it.

import type { ComparedPrice } from '../../../contract/price.ts'
import data from './second-source.json' with { type: 'json' }

export interface PriceSource {
  readonly source: string
  /** The day on which it was taken; null where nobody told. */
  readonly retrieved: string | null
  readonly prices: readonly ComparedPrice[]
}

export function secondSource(): PriceSource {
  const { header, prices } = data
  const source = `${header.source}, newest entry of ${header.newestModelUpdated}`
  return { source, retrieved: header.retrieved, prices }
}
