// The prices that hold for a tenant: its own where it has set some, else the book's. Read at most once a second per tenant.

import { createBoundedMap } from '../../../base/bounded-map.ts'
import type { TenantId } from '../../../base/ids.ts'
import type { Picos } from '../../../base/money.ts'
import type { Clock, EpochMs } from '../../../base/time.ts'
import type { Database } from '../../../storage/database.ts'
import { type PriceBook, withOverrides } from '../price-book.ts'
import { isOwnInForce, modelPriceOf, OWN_PRICES_MAX, type OwnPriceRow, unitPriceOf } from './own-price.ts'
import { ownPricesInUse } from './own-price-store.ts'

/** Counted from before the query, so that a change made elsewhere shows within a second. */
const SERVE_MS_MAX = 900
const TENANTS_CACHED_MAX = 1_000

export interface TenantPrices extends PriceBook {
  /** Pico-USD for one unit of `tool/<name>` (a call), `compute/second`, `storage/gb-month`, `bandwidth/gb`; undefined: no price. */
  unitPrice(subject: string, at: EpochMs): Picos | undefined
}

export interface PricesOf {
  of(tenantId: TenantId): Promise<TenantPrices>
  /** Once a change has committed. What was asked for before is not kept. */
  forget(tenantId: TenantId): void
}

export interface PricesOfDeps {
  readonly db: Database
  readonly book: PriceBook
  /** A clock that never goes back, in milliseconds. */
  readonly elapsed: Clock
}

export function createPricesOf({ db, book, elapsed }: PricesOfDeps): PricesOf {
  const known = createBoundedMap<{ readonly prices: TenantPrices; readonly askedAt: number }>(
    TENANTS_CACHED_MAX,
  )
  const asking = new Map<TenantId, Promise<TenantPrices>>()

  /** One query per tenant at a time, whoever waits for it. */
  const ask = (tenantId: TenantId): Promise<TenantPrices> => {
    const askedAt = elapsed()
    const answer = db
      .tenant(tenantId)
      .read((reader) => reader.all(ownPricesInUse, { limit: OWN_PRICES_MAX }))
      .then((rows) => {
        const prices = withOwnPrices(book, rows)
        if (asking.get(tenantId) === settled) known.set(tenantId, { prices, askedAt })
        return prices
      })
    const settled = answer.finally(() => {
      if (asking.get(tenantId) === settled) asking.delete(tenantId)
    })
    asking.set(tenantId, settled)
    return settled
  }

  return {
    of: async (tenantId) => {
      const found = known.get(tenantId)
      if (found !== undefined && elapsed() - found.askedAt < SERVE_MS_MAX) return found.prices
      return asking.get(tenantId) ?? ask(tenantId)
    },
    forget: (tenantId) => {
      known.delete(tenantId)
      asking.delete(tenantId)
    },
  }
}

/** The book with a tenant's rows before it, each for exactly its subject. */
export function withOwnPrices(book: PriceBook, rows: readonly OwnPriceRow[]): TenantPrices {
  const over = withOverrides(
    book,
    rows.flatMap((row) => modelPriceOf(row) ?? []),
  )
  const bySubject = Map.groupBy(rows, ({ subject }) => subject)
  return {
    ...over,
    unitPrice: (subject, at) => {
      const row = bySubject.get(subject)?.find((one) => isOwnInForce(one, at))
      return row === undefined ? undefined : unitPriceOf(row)
    },
  }
}
