import { file, pageOf } from '../fields.ts'
import {
  billingItem,
  billingSummary,
  createAdjustment,
  createCredit,
  explainedLine,
  explainQuery,
  invoice,
  invoiceDetail,
  invoiceNote,
  invoiceQuery,
  itemQuery,
  tenantQuery,
} from '../invoice.ts'
import { OPERATE } from '../permission.ts'
import { type PathParam, route } from '../route.ts'
import { idParam } from './path-params.ts'

const reading = { tag: 'invoices', permission: 'READ_BILLING' } as const
/** The platform bills: a tenant cannot say that it has paid. */
const billing = { tag: 'invoices', permission: OPERATE, method: 'POST' } as const
const params = { id: idParam('invoice', 'invoice.not-found') } as const
const seq = {
  form: /^[1-9]\d{0,5}$/,
  type: 'integer',
  description: 'The number of the line on the invoice.',
  missing: 'invoice.not-found',
  example: '1',
} as const satisfies PathParam
const noted = {
  ...billing,
  params,
  query: tenantQuery,
  body: { schema: invoiceNote, optional: true },
  responses: { 200: invoiceDetail },
  errors: ['invoice.state-conflict', 'tenant.not-found'],
  idempotent: true,
} as const

export const invoiceRoutes = {
  getBillingSummary: route({
    ...reading,
    method: 'GET',
    path: '/billing/summary',
    summary: 'Plan, period, the next invoice as it stands, balance and last invoices',
    description:
      'The upcoming invoice is worked out by the function that makes invoices, from what was used so far.',
    responses: { 200: billingSummary },
  }),
  getTenantBilling: route({
    ...reading,
    method: 'GET',
    path: '/billing/tenant/{tenant_id}',
    summary: "The billing summary of a tenant: one's own, or any for the operator",
    params: { tenant_id: idParam('tenant', 'tenant.not-found') },
    responses: { 200: billingSummary },
  }),
  listInvoices: route({
    ...reading,
    method: 'GET',
    path: '/billing/invoices',
    summary: 'List invoices, newest first',
    query: invoiceQuery,
    responses: { 200: pageOf(invoice) },
    errors: ['tenant.not-found'],
  }),
  getInvoice: route({
    ...reading,
    method: 'GET',
    path: '/billing/invoices/{id}',
    summary: 'Get an invoice with its lines',
    params,
    query: tenantQuery,
    responses: { 200: invoiceDetail },
    errors: ['tenant.not-found'],
  }),
  getInvoicePdf: route({
    ...reading,
    method: 'GET',
    path: '/billing/invoices/{id}/pdf',
    summary: 'Get an invoice as PDF',
    params,
    query: tenantQuery,
    responses: { 200: file },
    kind: 'file',
    mediaTypes: ['application/pdf'],
    errors: ['tenant.not-found'],
  }),
  getInvoiceCsv: route({
    ...reading,
    method: 'GET',
    path: '/billing/invoices/{id}/csv',
    summary: 'Get the lines of an invoice as CSV',
    params,
    query: tenantQuery,
    responses: { 200: file },
    kind: 'file',
    mediaTypes: ['text/csv'],
    errors: ['tenant.not-found'],
  }),
  explainInvoiceLine: route({
    ...reading,
    method: 'GET',
    path: '/billing/invoices/{id}/lines/{seq}/explain',
    summary: 'Explain a line: how its amount comes about, and the usage records that it counts',
    description:
      'Pages of the runs, model calls and tool calls whose quantities add up to that of the line. Lines without usage (a base price, a credit) have no records.',
    params: { ...params, seq },
    query: explainQuery,
    responses: { 200: explainedLine },
    errors: ['tenant.not-found'],
  }),
  finaliseInvoice: route({
    ...noted,
    path: '/billing/invoices/{id}/finalise',
    summary: 'Finalise a draft now: its lines are worked out for the last time, and it gets its number',
    description:
      'Drafts are finalised by themselves an hour after their period ended. Nothing to pay: paid at once.',
  }),
  payInvoice: route({
    ...noted,
    path: '/billing/invoices/{id}/pay',
    summary: 'Mark an open invoice as paid',
  }),
  voidInvoice: route({
    ...noted,
    path: '/billing/invoices/{id}/void',
    summary: 'Void an invoice that was not paid; credits that it used come back',
    description: 'Its number stays its own. Its period is charged no more until it is drafted anew.',
  }),
  markInvoiceUncollectible: route({
    ...noted,
    path: '/billing/invoices/{id}/uncollectible',
    summary: 'Give up an open invoice; the account is restricted until it is paid or voided',
  }),
  redraftInvoice: route({
    ...noted,
    path: '/billing/invoices/{id}/redraft',
    summary: 'Draft the period of a void invoice anew',
    responses: { 201: invoiceDetail },
  }),
  createCredit: route({
    ...billing,
    path: '/billing/credits',
    summary: 'Give a credit: later invoices use it up, what expires first, then the oldest',
    query: tenantQuery,
    body: { schema: createCredit },
    responses: { 201: billingItem },
    errors: ['billing.not-set-up', 'tenant.not-found'],
    idempotent: true,
  }),
  createAdjustment: route({
    ...billing,
    path: '/billing/adjustments',
    summary: 'Add an amount to the next invoice, or take it off with a minus',
    query: tenantQuery,
    body: { schema: createAdjustment },
    responses: { 201: billingItem },
    errors: ['billing.not-set-up', 'tenant.not-found'],
    idempotent: true,
  }),
  listBillingItems: route({
    ...reading,
    method: 'GET',
    path: '/billing/items',
    summary: 'List credits, adjustments and prorations, newest first',
    query: itemQuery,
    responses: { 200: pageOf(billingItem) },
    errors: ['tenant.not-found'],
  }),
} as const
