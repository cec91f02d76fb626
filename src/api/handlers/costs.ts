import { AppError } from '../../base/errors.ts'
import type { RerateId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import { type CostEntity, costsTold } from '../../contract/cost.ts'
import { reportFile } from '../../money/costs/report/report-file.ts'
import type { ApiDeps } from '../api-deps.ts'
import { type Handlers, ok } from '../call.ts'
import { idOf } from '../id-of.ts'
import { once } from '../idempotency.ts'
import { page } from '../paging.ts'
import {
  costEntryView,
  costView,
  entityCostsView,
  estimateView,
  hintView,
  reportView,
  rerateDetailView,
  rerateView,
} from '../views/cost-view.ts'

type CostRoutes = typeof import('../../contract/routes/costs.ts').costRoutes

/** How far hints look back where no times are given. */
const HINTS_MS_DEFAULT = 30 * 86_400_000

export function costHandlers(deps: ApiDeps): Pick<Handlers, keyof CostRoutes> {
  const { costs } = deps.money
  return {
    recordCosts: (call) => {
      const { principal, body, request } = call
      const inputs = costsTold(body)
      return once(deps.idempotency, call, {
        status: 201,
        make: async (inTransaction) => {
          const context = { requestId: request.requestId, inTransaction }
          const rows = await costs.record(principal, inputs, context)
          return { status: 201, value: { items: rows.map(costView) } }
        },
        again: async (id) => {
          const rows = await costs.recorded(principal.tenantId, id)
          return { status: 201, value: { items: rows.map(costView) } }
        },
      })
    },
    async listCosts({ principal: { tenantId }, query }) {
      const { limit, cursor, from, to, ...filters } = query
      const list = `costs ${JSON.stringify([from, to, Object.entries(filters).sort()])}`
      const range = { from: timeOf(from), to: timeOf(to) }
      return ok(
        await page(
          list,
          tenantId,
          { limit, cursor },
          (asked) => costs.list(tenantId, { ...filters, ...range, ...asked }),
          costEntryView,
        ),
      )
    },
    async getCosts({ principal: { tenantId }, params, query }) {
      const { from, to, timeZone, groupBy } = query
      // The form of the path lets nothing else through.
      const type = params.entity_type as CostEntity
      const asked = { from: timeOf(from), to: timeOf(to), timeZone, groupBy }
      return ok(entityCostsView(type, await costs.of(tenantId, type, params.entity_id, asked), groupBy))
    },
    async estimateCost({ principal: { tenantId }, body }) {
      return ok(estimateView(await costs.estimate(tenantId, body)))
    },
    async createRerate(call) {
      const { principal, body, request } = call
      const input = { ...body, from: Date.parse(body.from), to: Date.parse(body.to) }
      return once(deps.idempotency, call, {
        status: 201,
        make: async (inTransaction) => {
          if (body.dryRun === true) return ok(rerateDetailView(await costs.dryRerate(principal, input)))
          const context = { requestId: request.requestId, inTransaction }
          return { status: 201, value: rerateDetailView(await costs.rerate(principal, input, context)) }
        },
        again: async (id) => {
          const found = await costs.getRerate(principal.tenantId, idOf('rerate', id, 'internal'))
          return { status: 201, value: rerateDetailView(found) }
        },
      })
    },
    async listRerates({ principal: { tenantId }, query }) {
      const find = (asked: { readonly limit: number; readonly cursor?: string | undefined }) =>
        costs.listRerates(tenantId, asked)
      return ok(await page('rerates', tenantId, query, find, rerateView))
    },
    async getRerate({ principal: { tenantId }, params }) {
      const id: RerateId = idOf('rerate', params.id, 'rerate.not-found')
      return ok(rerateDetailView(await costs.getRerate(tenantId, id)))
    },
    async getCostReport({ principal: { tenantId }, params, query }) {
      return ok(reportView(await costs.report(tenantId, params.month, query.timeZone)))
    },
    async downloadCostReport({ principal, params, query }) {
      const report = reportView(await costs.report(principal.tenantId, params.month, query.timeZone))
      const { name } = await deps.identity.getTenant(principal)
      return ok(await reportFile(report, name, query.format))
    },
    async listHints({ principal: { tenantId }, query }) {
      const to = timeOf(query.to) ?? deps.clock()
      const from = timeOf(query.from) ?? to - HINTS_MS_DEFAULT
      if (from >= to)
        throw new AppError('request.invalid', '"from" must be before "to".', {
          errors: [{ path: '/from', message: 'must be before "to"' }],
        })
      const items = await costs.hints(tenantId, { from, to })
      return ok({
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        items: items.map(hintView),
      })
    },
  }
}

function timeOf(text: string | undefined): EpochMs | undefined {
  return text === undefined ? undefined : Date.parse(text)
}
