// Invoices, credits, adjustments and where an account stands, as they are asked for and answered.

import { z } from 'zod'
import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from '../base/limits.ts'
import { idText, json, line, pageQuery, time, usd } from './fields.ts'
import { INVOICE_LINE_KINDS, INVOICE_STATES, METRICS, SUBSCRIPTION_STATES, USAGE_KINDS } from './money.ts'

const NOTE_CHARS_MAX = 500

const amount = z.string().meta({
  description: 'Decimal text in the currency, with all its decimals: USD 2, JPY 0, KWD 3.',
  examples: ['29.00'],
})
const exactAmount = z.string().meta({
  description: 'Decimal text in the currency, exact to nine decimals, before it is rounded.',
  examples: ['0.469134'],
})
const givenAmount = z
  .string()
  .max(20)
  .regex(/^-?\d{1,12}(\.\d{1,4})?$/, 'must be a decimal text, such as "12.50"')
  .meta({
    description: "In the account's currency, with no more decimals than it has.",
    examples: ['12.50'],
  })
const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be the ISO 4217 code of a currency, such as USD')
  .meta({ examples: ['USD'] })
const description = line(NOTE_CHARS_MAX)
const metric = z.enum(METRICS)

/** Whose billing; own where it is left out. */
const ofTenant = {
  tenantId: idText('tenant').optional().meta({ description: 'Of another tenant: for the operator.' }),
}
export const tenantQuery = z.strictObject(ofTenant)

export const invoiceState = z.enum(INVOICE_STATES)
export const invoiceQuery = pageQuery.extend({ ...ofTenant, state: invoiceState.optional() })
export const itemQuery = pageQuery.extend({
  ...ofTenant,
  open: z.boolean().optional().meta({ description: 'Only those of which something is left.' }),
})
export const explainQuery = z.strictObject({
  ...ofTenant,
  limit: z
    .int()
    .min(1)
    .max(PAGE_SIZE_MAX)
    .default(PAGE_SIZE_DEFAULT)
    .meta({ description: 'Records per page.' }),
  cursor: z
    .string()
    .min(1)
    .max(1_000)
    .optional()
    .meta({ description: 'The `next_cursor` of the page before.' }),
})

export const invoice = z.object({
  id: z.string(),
  tenantId: z.string(),
  number: z.string().nullable().meta({ description: 'Given when it is finalised, without gaps.' }),
  subscriptionId: z.string().nullable(),
  state: invoiceState,
  currency: z.string(),
  /** Whose usage it has; the base price is that of the period after. */
  periodStart: time,
  periodEnd: time,
  subtotal: amount,
  credit: amount.meta({ description: 'What credits took off.' }),
  total: amount,
  dueAt: time.nullable(),
  finalisedAt: time.nullable(),
  paidAt: time.nullable(),
  voidedAt: time.nullable(),
  note: z.string().nullable(),
  createdAt: time,
  updatedAt: time,
})

export const invoiceLine = z.object({
  seq: z.int(),
  kind: z.enum(INVOICE_LINE_KINDS),
  metric: metric.nullable(),
  planId: z.string().nullable(),
  description: z.string(),
  quantity: z.int().nullable(),
  exact: exactAmount,
  amount,
  detail: json.meta({ description: 'How it was worked out.' }),
  fromAt: time.nullable(),
  untilAt: time.nullable(),
})

export const invoiceDetail = invoice.extend({ lines: z.array(invoiceLine) })

/** Why, by whom, under which reference. */
export const invoiceNote = z.strictObject({
  note: description.optional().meta({
    description: 'How it was paid (a reference), or why this is done.',
    examples: ['bank transfer 4711'],
  }),
})

export const createCredit = z.strictObject({
  amount: givenAmount,
  currency: currency.optional(),
  description,
  expiresAt: time.optional().meta({ description: 'It counts for periods that end before.' }),
})

export const createAdjustment = z.strictObject({
  amount: givenAmount,
  currency: currency.optional(),
  description,
})

export const billingItem = z.object({
  id: z.string(),
  kind: z.enum(['credit', 'adjustment', 'proration']),
  currency: z.string(),
  amount,
  remaining: amount.meta({ description: 'What of it no invoice has taken yet.' }),
  description: z.string(),
  expiresAt: time.nullable(),
  createdBy: z.string(),
  createdAt: time,
})

const previewLine = invoiceLine.omit({ seq: true })

export const billingSummary = z.object({
  tenantId: z.string(),
  /** Null where the tenant has no billing account: then nothing is charged. */
  account: z
    .object({
      name: z.string(),
      currency: z.string(),
      timeZone: z.string(),
      collection: z.enum(['manual', 'stripe']),
      standing: z.enum(['active', 'grace', 'restricted']),
      standingSince: time,
    })
    .nullable(),
  subscription: z
    .object({
      id: z.string(),
      state: z.enum(SUBSCRIPTION_STATES),
      plan: z.object({ id: z.string(), key: z.string(), version: z.int(), name: z.string() }),
      seats: z.int(),
      periodStart: time,
      periodEnd: time,
      cancelAtPeriodEnd: z.boolean(),
    })
    .nullable(),
  /** The next invoice, were the period to end with what was used so far. */
  upcoming: z
    .object({
      currency: z.string(),
      periodStart: time,
      periodEnd: time,
      lines: z.array(previewLine),
      subtotal: amount,
      credit: amount,
      total: amount,
    })
    .nullable(),
  balance: z
    .object({
      currency: z.string(),
      outstanding: amount.meta({ description: 'Of invoices that are open or were given up.' }),
      overdue: amount,
      credit: amount.meta({ description: 'What is left of credits.' }),
    })
    .nullable(),
  invoices: z.array(invoice).meta({ description: 'The last ones.' }),
})

export const explainedRecord = z.object({
  id: z.string(),
  kind: z.enum(USAGE_KINDS),
  runId: z.string().nullable(),
  agentId: z.string().nullable(),
  workflowId: z.string().nullable(),
  modelCallId: z.string().nullable(),
  model: z.string().nullable(),
  quantity: z.int(),
  inputTokens: z.int(),
  cachedInputTokens: z.int(),
  cacheWriteTokens: z.int(),
  outputTokens: z.int(),
  costState: z.enum(['priced', 'unpriced', 'usage_missing']),
  costUsd: usd.nullable().meta({ description: 'What the provider charged for it; no part of the amount.' }),
  priceId: z.string().nullable(),
  occurredAt: time,
  acceptedAt: time,
})

export const explainedLine = z.object({
  invoiceId: z.string(),
  number: z.string().nullable(),
  currency: z.string(),
  line: invoiceLine,
  steps: z.array(z.string()).meta({ description: 'How the amount comes about, step by step.' }),
  /** On the first page: what all its records come to. */
  totals: z
    .object({
      records: z.int(),
      quantity: z.int(),
      costUsd: usd,
      withoutCost: z.int().meta({ description: 'Records whose cost nobody knows.' }),
    })
    .nullable(),
  items: z.array(explainedRecord),
  nextCursor: z.string().nullable(),
})

export type Invoice = z.infer<typeof invoice>
export type InvoiceLine = z.infer<typeof invoiceLine>
export type InvoiceDetail = z.infer<typeof invoiceDetail>
export type InvoiceNote = z.infer<typeof invoiceNote>
export type CreateCredit = z.infer<typeof createCredit>
export type CreateAdjustment = z.infer<typeof createAdjustment>
export type BillingItem = z.infer<typeof billingItem>
export type BillingSummary = z.infer<typeof billingSummary>
export type ExplainedLine = z.infer<typeof explainedLine>
export type ExplainedRecord = z.infer<typeof explainedRecord>
