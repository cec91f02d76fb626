import { AppError } from '../../base/errors.ts'
import type { InvoiceId, TenantId } from '../../base/ids.ts'
import type { InvoiceDetail, InvoiceNote } from '../../contract/invoice.ts'
import type { Principal } from '../../contract/principal.ts'
import type { ChangeKind, Invoice } from '../../money/invoices/create-invoices.ts'
import type { NewItem } from '../../money/invoices/items.ts'
import type { ApiDeps } from '../api-deps.ts'
import { type Answer, created, type Handlers, ok, type RequestFacts } from '../call.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import { idOf } from '../id-of.ts'
import { once } from '../idempotency.ts'
import { page } from '../paging.ts'
import {
  explainedView,
  invoiceDetailView,
  invoiceView,
  itemView,
  summaryView,
} from '../views/invoice-view.ts'

type InvoiceRoutes = typeof import('../../contract/routes/invoices.ts').invoiceRoutes

interface TenantAsked {
  readonly principal: Principal
  readonly query: { readonly tenantId?: string | undefined }
}

interface ChangeCall extends TenantAsked {
  readonly route: { readonly id: string }
  readonly params: { readonly id: string }
  readonly body: InvoiceNote
  readonly request: RequestFacts
}

export function invoiceHandlers(deps: ApiDeps): Pick<Handlers, keyof InvoiceRoutes> {
  const { invoices } = deps.money
  const change = (call: ChangeCall, kind: ChangeKind): Promise<Answer<InvoiceDetail>> => {
    const { principal, body, request } = call
    const tenantId = tenantOf(call)
    const answerOf = (invoice: Invoice): Answer<InvoiceDetail> =>
      kind === 'redraft'
        ? created(invoiceDetailView(invoice), `/api/v1/billing/invoices/${invoice.row.id}`)
        : ok(invoiceDetailView(invoice))
    return once(deps.idempotency, inTenant(call, tenantId), {
      status: kind === 'redraft' ? 201 : 200,
      make: async (inTransaction) => {
        const asked = { kind, note: body.note ?? null }
        const context = { requestId: request.requestId, inTransaction }
        return answerOf(
          await invoices.change(principal, { tenantId, id: invoiceOf(call.params) }, asked, context),
        )
      },
      again: async (id) => answerOf(await invoices.get(tenantId, invoiceOf({ id }))),
    })
  }
  const createItem = (
    call: Omit<ChangeCall, 'params' | 'body'> & { readonly body: object },
    item: NewItem,
  ) => {
    const { principal, request } = call
    const tenantId = tenantOf(call)
    return once(deps.idempotency, inTenant(call, tenantId), {
      status: 201,
      make: async (inTransaction) => {
        const context = { requestId: request.requestId, inTransaction }
        return { status: 201, value: itemView(await invoices.createItem(principal, tenantId, item, context)) }
      },
      again: async (id) => {
        const found = await invoices.getItem(tenantId, idOf('billingItem', id, 'internal'))
        return { status: 201, value: itemView(found) }
      },
    })
  }

  return {
    getBillingSummary: async ({ principal }) => ok(summaryView(await invoices.summary(principal.tenantId))),
    getTenantBilling: async ({ principal, params }) => {
      const tenantId = tenantOf({ principal, query: { tenantId: params.tenant_id } })
      // Throws where there is no such tenant.
      await deps.identity.getTenant({ ...principal, tenantId })
      return ok(summaryView(await invoices.summary(tenantId)))
    },
    async listInvoices(call) {
      const tenantId = tenantOf(call)
      const { state } = call.query
      const find = (asked: { readonly limit: number; readonly cursor?: string | undefined }) =>
        invoices.list(tenantId, { ...asked, state })
      return ok(await page(`invoices ${state ?? ''}`, tenantId, call.query, find, invoiceView))
    },
    getInvoice: async (call) =>
      ok(invoiceDetailView(await invoices.get(tenantOf(call), invoiceOf(call.params)))),
    getInvoicePdf: async (call) => ok(await invoices.print(tenantOf(call), invoiceOf(call.params), 'pdf')),
    getInvoiceCsv: async (call) => ok(await invoices.print(tenantOf(call), invoiceOf(call.params), 'csv')),
    async explainInvoiceLine(call) {
      const { params, query } = call
      const tenantId = tenantOf(call)
      const id = invoiceOf(params)
      const list = `explain ${id} ${params.seq}`
      const cursor = query.cursor === undefined ? undefined : decodeCursor(list, tenantId, query.cursor)
      const found = await invoices.explain(tenantId, id, Number(params.seq), { limit: query.limit, cursor })
      const { nextCursor } = found
      return ok(
        explainedView(found, nextCursor === undefined ? null : encodeCursor(list, tenantId, nextCursor)),
      )
    },
    finaliseInvoice: (call) => change(call, 'finalise'),
    payInvoice: (call) => change(call, 'pay'),
    voidInvoice: (call) => change(call, 'void'),
    markInvoiceUncollectible: (call) => change(call, 'uncollectible'),
    redraftInvoice: (call) => change(call, 'redraft'),
    createCredit: (call) => createItem(call, { kind: 'credit', ...call.body }),
    createAdjustment: (call) => createItem(call, { kind: 'adjustment', ...call.body }),
    async listBillingItems(call) {
      const tenantId = tenantOf(call)
      const { open } = call.query
      const find = (asked: { readonly limit: number; readonly cursor?: string | undefined }) =>
        invoices.listItems(tenantId, { ...asked, open })
      return ok(await page(`billing-items ${open ?? ''}`, tenantId, call.query, find, itemView))
    },
  }
}

/** Whose billing: one's own, or that of any tenant for the operator. Another tenant is not there. */
function tenantOf({ principal, query: { tenantId } }: TenantAsked): TenantId {
  if (tenantId === undefined || tenantId === principal.tenantId) return principal.tenantId
  if (!principal.operator) throw new AppError('tenant.not-found', 'There is no such tenant here.')
  return idOf('tenant', tenantId, 'tenant.not-found')
}

/** The key of the request lies with what it changes. */
function inTenant<C extends { readonly principal: Principal }>(call: C, tenantId: TenantId): C {
  return { ...call, principal: { ...call.principal, tenantId } }
}

function invoiceOf(params: { readonly id: string }): InvoiceId {
  return idOf('invoice', params.id, 'invoice.not-found')
}
