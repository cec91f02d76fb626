import { formatTime } from '../../base/time.ts'
import type { Price as PriceResource } from '../../contract/price.ts'
import type { BookPrice } from '../../money/prices/own/book-prices.ts'
import { amountsOf, type OwnPriceRow, saidAmounts, unitOf } from '../../money/prices/own/own-price.ts'
import type { FoundPrice } from '../../money/prices/own/own-prices.ts'
import { timeOrNull } from './time-view.ts'

export function priceView(found: FoundPrice): PriceResource {
  return found.source === 'own' ? ownPriceView(found.row) : bookPriceView(found.price)
}

export function ownPriceView(row: OwnPriceRow): PriceResource {
  const unit = unitOf(row.subject)
  return {
    id: row.id,
    source: 'own',
    subject: row.subject,
    // A subject was checked when it was written.
    unit: typeof unit === 'string' ? unit : 'million_tokens',
    amounts: amountsOf(row),
    effectiveFrom: formatTime(row.effectiveFrom),
    effectiveUntil: timeOrNull(row.effectiveUntil),
    note: row.note,
    createdBy: row.createdBy,
    createdAt: formatTime(row.createdAt),
    withdrawnAt: timeOrNull(row.withdrawnAt),
    publishedAt: null,
  }
}

export function bookPriceView({ subject, price, amounts, source }: BookPrice): PriceResource {
  return {
    id: price.id,
    source: 'book',
    subject,
    unit: 'million_tokens',
    amounts: saidAmounts(amounts),
    effectiveFrom: timeOrNull(price.from ?? null),
    effectiveUntil: timeOrNull(price.until ?? null),
    note: null,
    createdBy: null,
    createdAt: null,
    withdrawnAt: null,
    publishedAt: source === '' ? null : source,
  }
}
