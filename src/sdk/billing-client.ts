// The part of the client that is about billing: invoices, credits and where a tenant stands.

import type { FileContent } from '../contract/fields.ts'
import type {
  BillingItem,
  BillingSummary,
  CreateAdjustment,
  CreateCredit,
  ExplainedLine,
  Invoice,
  InvoiceDetail,
  InvoiceNote,
} from '../contract/invoice.ts'
import { ROUTES, type Routes } from '../contract/routes.ts'
import type {
  StripeCheckout,
  StripeLink,
  StripePortal,
  StripeReconcile,
  StripeReconciledView,
  StripeStatusView,
} from '../contract/stripe.ts'
import { type ListOptions, listRoute } from './list-route.ts'
import type { PageList } from './page-list.ts'
import { PlansClient } from './plans-client.ts'
import type { CallOptions, Transport } from './transport.ts'

type Listing<Id extends keyof Routes> = ListOptions<Routes[Id]>

export interface BillingOptions extends CallOptions {
  /** Of another tenant: for the operator of the platform. */
  readonly tenantId?: string | undefined
}
export interface ExplainOptions extends BillingOptions {
  readonly limit?: number | undefined
  /** The `nextCursor` of the page before. */
  readonly cursor?: string | undefined
}

/** What `Client` has of billing. */
export class BillingClient extends PlansClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    super(transport)
    this.#transport = transport
  }

  /** Plan, period, the next invoice as it stands, balance and last invoices. */
  getBillingSummary(options?: CallOptions): Promise<BillingSummary> {
    return this.#transport.send(ROUTES.getBillingSummary, {}, options)
  }
  /** The same of a tenant by its id: one's own, or any for the operator. */
  getTenantBilling(tenantId: string, options?: CallOptions): Promise<BillingSummary> {
    return this.#transport.send(ROUTES.getTenantBilling, { params: { tenant_id: tenantId } }, options)
  }
  listInvoices(options: Listing<'listInvoices'> = {}): PageList<Invoice> {
    return listRoute(this.#transport, ROUTES.listInvoices, {}, options)
  }
  /** With its lines. */
  getInvoice(id: string, options: BillingOptions = {}): Promise<InvoiceDetail> {
    return this.#transport.send(ROUTES.getInvoice, { params: { id }, query: of(options) }, options)
  }
  getInvoicePdf(id: string, options: BillingOptions = {}): Promise<FileContent> {
    return this.#transport.send(ROUTES.getInvoicePdf, { params: { id }, query: of(options) }, options)
  }
  getInvoiceCsv(id: string, options: BillingOptions = {}): Promise<FileContent> {
    return this.#transport.send(ROUTES.getInvoiceCsv, { params: { id }, query: of(options) }, options)
  }
  /** How billing stands with Stripe. */
  getStripeStatus(options?: CallOptions): Promise<StripeStatusView> {
    return this.#transport.send(ROUTES.getStripeStatus, {}, options)
  }
  /** A link to subscribe to a plan that Stripe bills, or to save how to pay. */
  createStripeCheckout(body: StripeCheckout, options?: CallOptions): Promise<StripeLink> {
    return this.#transport.send(ROUTES.createStripeCheckout, { body }, options)
  }
  createStripePortal(body: StripePortal, options?: CallOptions): Promise<StripeLink> {
    return this.#transport.send(ROUTES.createStripePortal, { body }, options)
  }
  /** Compares the usage of whole hours with what Stripe has. */
  reconcileStripe(body: StripeReconcile, options?: CallOptions): Promise<StripeReconciledView> {
    return this.#transport.send(ROUTES.reconcileStripe, { body }, options)
  }
  /** How a line comes about, and a page of the usage records that it counts. */
  explainInvoiceLine(id: string, seq: number, options: ExplainOptions = {}): Promise<ExplainedLine> {
    const { tenantId, limit, cursor } = options
    const sent = { params: { id, seq: String(seq) }, query: { tenantId, limit, cursor } }
    return this.#transport.send(ROUTES.explainInvoiceLine, sent, options)
  }
  /** For the operator, as all that follows but the list of items. */
  finaliseInvoice(id: string, note: InvoiceNote = {}, options: BillingOptions = {}): Promise<InvoiceDetail> {
    const sent = { params: { id }, query: of(options), body: note }
    return this.#transport.send(ROUTES.finaliseInvoice, sent, options)
  }
  payInvoice(id: string, note: InvoiceNote = {}, options: BillingOptions = {}): Promise<InvoiceDetail> {
    const sent = { params: { id }, query: of(options), body: note }
    return this.#transport.send(ROUTES.payInvoice, sent, options)
  }
  /** Credits that it used come back. */
  voidInvoice(id: string, note: InvoiceNote = {}, options: BillingOptions = {}): Promise<InvoiceDetail> {
    const sent = { params: { id }, query: of(options), body: note }
    return this.#transport.send(ROUTES.voidInvoice, sent, options)
  }
  markInvoiceUncollectible(
    id: string,
    note: InvoiceNote = {},
    options: BillingOptions = {},
  ): Promise<InvoiceDetail> {
    const sent = { params: { id }, query: of(options), body: note }
    return this.#transport.send(ROUTES.markInvoiceUncollectible, sent, options)
  }
  /** A new draft for the period of a void invoice. */
  redraftInvoice(id: string, note: InvoiceNote = {}, options: BillingOptions = {}): Promise<InvoiceDetail> {
    const sent = { params: { id }, query: of(options), body: note }
    return this.#transport.send(ROUTES.redraftInvoice, sent, options)
  }
  createCredit(request: CreateCredit, options: BillingOptions = {}): Promise<BillingItem> {
    return this.#transport.send(ROUTES.createCredit, { body: request, query: of(options) }, options)
  }
  createAdjustment(request: CreateAdjustment, options: BillingOptions = {}): Promise<BillingItem> {
    return this.#transport.send(ROUTES.createAdjustment, { body: request, query: of(options) }, options)
  }
  /** Credits, adjustments and prorations. */
  listBillingItems(options: Listing<'listBillingItems'> = {}): PageList<BillingItem> {
    return listRoute(this.#transport, ROUTES.listBillingItems, {}, options)
  }
}

function of({ tenantId }: BillingOptions): { tenantId: string | undefined } {
  return { tenantId }
}
