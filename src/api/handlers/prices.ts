import type { PriceId } from '../../base/ids.ts'
import { formatTime, parseTime } from '../../base/time.ts'
import type { PriceDiff } from '../../contract/price.ts'
import type { PriceSource } from '../../money/prices/diff/second-source.ts'
import { secondSource } from '../../money/prices/diff/second-source.ts'
import { bookEdition } from '../../money/prices/own/book-prices.ts'
import type { ApiDeps } from '../api-deps.ts'
import { created, type Handlers, ok } from '../call.ts'
import { idOf } from '../id-of.ts'
import { once } from '../idempotency.ts'
import { page } from '../paging.ts'
import { bookPriceView, ownPriceView, priceView } from '../views/price-view.ts'

type PriceRoutes = typeof import('../../contract/routes/prices.ts').priceRoutes

export function priceHandlers(deps: ApiDeps): Pick<Handlers, keyof PriceRoutes> {
  const { prices } = deps.money
  const diff = ({ source, retrieved, prices: theirs }: PriceSource, at = deps.clock()): PriceDiff => {
    const { disagreements, ...counts } = prices.compare(theirs, at)
    return {
      at: formatTime(at),
      ours: bookEdition(),
      theirs: { source, retrieved },
      ...counts,
      disagreements: [...disagreements],
    }
  }
  return {
    async listPrices({ principal: { tenantId }, query }) {
      const { source = 'own', subject, provider } = query
      const at = momentOf(query.at)
      const list = `prices ${source} ${subject ?? ''} ${provider ?? ''} ${query.at ?? ''}`
      type Asked = { readonly limit: number; readonly cursor?: string | undefined }
      if (source === 'own') {
        const find = (asked: Asked) => prices.list(tenantId, { ...asked, subject, provider, at })
        return ok(await page(list, tenantId, query, find, ownPriceView))
      }
      const find = async (asked: Asked) => prices.listBook({ ...asked, subject, provider, at })
      return ok(await page(list, tenantId, query, find, bookPriceView))
    },
    async getPrice({ principal: { tenantId }, query }) {
      return ok(priceView(await prices.get(tenantId, query.subject, momentOf(query.at))))
    },
    setPrice: (call) => {
      const { principal, body, request } = call
      const { subject, amounts, note } = body
      return once(deps.idempotency, call, {
        status: 201,
        make: async (inTransaction) => {
          const [effectiveFrom, effectiveUntil] = [
            momentOf(body.effectiveFrom),
            momentOf(body.effectiveUntil),
          ]
          const input = { subject, amounts, note, effectiveFrom, effectiveUntil }
          const context = { requestId: request.requestId, inTransaction }
          const row = await prices.set(principal, input, context)
          return created(ownPriceView(row), locationOf(row.subject, row.effectiveFrom))
        },
        again: async (id) => {
          const row = await prices.byId(principal.tenantId, priceOf({ id }))
          return created(ownPriceView(row), locationOf(row.subject, row.effectiveFrom))
        },
      })
    },
    async withdrawPrice({ principal, params, request }) {
      const context = { requestId: request.requestId }
      return ok(ownPriceView(await prices.withdraw(principal, priceOf(params), context)))
    },
    async diffPrices({ query }) {
      return ok(diff(secondSource(), momentOf(query.at)))
    },
    async comparePrices({ query, body }) {
      return ok(diff({ ...body, retrieved: null }, momentOf(query.at)))
    },
  }
}

/** The schema has checked that it is a time. */
function momentOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseTime(text)
}

function locationOf(subject: string, at: number): string {
  return `/api/v1/financial/prices/effective?${new URLSearchParams({ subject, at: formatTime(at) })}`
}

function priceOf(params: { readonly id: string }): PriceId {
  return idOf('price', params.id, 'price.not-found')
}
