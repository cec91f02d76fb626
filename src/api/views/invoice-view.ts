import { formatMinor, formatUnitNanos } from '../../base/currency.ts'
import { parseJson } from '../../base/json.ts'
import { formatUsd } from '../../base/money.ts'
import { formatTime } from '../../base/time.ts'
import type {
  BillingItem as BillingItemResource,
  BillingSummary as BillingSummaryResource,
  ExplainedLine as ExplainedLineResource,
  InvoiceDetail,
  InvoiceLine as InvoiceLineResource,
  Invoice as InvoiceResource,
} from '../../contract/invoice.ts'
import type { Invoice } from '../../money/invoices/create-invoices.ts'
import type { BillingItem, InvoiceLine, InvoiceLineRow, InvoiceRow } from '../../money/invoices/invoice.ts'
import type { ExplainedLine, ExplainedRecord } from '../../money/invoices/shown/explain.ts'
import type { BillingSummary } from '../../money/invoices/shown/summary.ts'
import { timeOrNull } from './time-view.ts'

export function invoiceView(row: InvoiceRow): InvoiceResource {
  const amount = (minor: bigint): string => formatMinor(minor, row.currency)
  return {
    id: row.id,
    tenantId: row.tenantId,
    number: row.number,
    subscriptionId: row.subscriptionId,
    state: row.state,
    currency: row.currency,
    periodStart: formatTime(row.periodStart),
    periodEnd: formatTime(row.periodEnd),
    subtotal: amount(row.subtotalMinor),
    credit: amount(row.creditMinor),
    total: amount(row.totalMinor),
    dueAt: timeOrNull(row.dueAt),
    finalisedAt: timeOrNull(row.finalisedAt),
    paidAt: timeOrNull(row.paidAt),
    voidedAt: timeOrNull(row.voidedAt),
    note: row.note,
    createdAt: formatTime(row.createdAt),
    updatedAt: formatTime(row.updatedAt),
  }
}

export function invoiceDetailView({ row, lines }: Invoice): InvoiceDetail {
  return { ...invoiceView(row), lines: lines.map((line) => lineView(line, row.currency)) }
}

export function itemView(item: BillingItem): BillingItemResource {
  return {
    id: item.id,
    kind: item.kind,
    currency: item.currency,
    amount: formatMinor(item.amountMinor, item.currency),
    remaining: formatMinor(item.remainingMinor, item.currency),
    description: item.description,
    expiresAt: timeOrNull(item.expiresAt),
    createdBy: item.createdBy,
    createdAt: formatTime(item.createdAt),
  }
}

export function summaryView(summary: BillingSummary): BillingSummaryResource {
  const { account, subscription, upcoming, balance } = summary
  return {
    tenantId: summary.tenantId,
    account:
      account === undefined
        ? null
        : {
            name: account.name,
            currency: account.currency,
            timeZone: account.timeZone,
            collection: account.collection,
            standing: account.standing,
            standingSince: formatTime(account.standingSince),
          },
    subscription: subscription === undefined ? null : subscriptionFacts(subscription),
    upcoming: upcoming === undefined ? null : upcomingView(upcoming),
    balance:
      balance === undefined
        ? null
        : {
            currency: balance.currency,
            outstanding: formatMinor(balance.outstandingMinor, balance.currency),
            overdue: formatMinor(balance.overdueMinor, balance.currency),
            credit: formatMinor(balance.creditMinor, balance.currency),
          },
    invoices: summary.invoices.map(invoiceView),
  }
}

export function explainedView(explained: ExplainedLine, nextCursor: string | null): ExplainedLineResource {
  const { invoice, line, steps, totals, items } = explained
  return {
    invoiceId: invoice.id,
    number: invoice.number,
    currency: invoice.currency,
    line: lineView(line, invoice.currency),
    steps: [...steps],
    totals:
      totals === undefined
        ? null
        : {
            records: totals.records,
            quantity: totals.quantity,
            costUsd: formatUsd(totals.costNanos),
            withoutCost: totals.withoutCost,
          },
    items: items.map(recordView),
    nextCursor,
  }
}

function lineView(line: InvoiceLineRow, currency: string): InvoiceLineResource {
  return {
    seq: line.seq,
    kind: line.kind,
    metric: line.metric,
    planId: line.planId,
    description: line.description,
    quantity: line.quantity,
    exact: formatUnitNanos(line.exactNanos ?? 0n),
    amount: formatMinor(line.amountMinor, currency),
    detail: parseJson(line.detail),
    fromAt: timeOrNull(line.fromAt),
    untilAt: timeOrNull(line.untilAt),
  }
}

function subscriptionFacts({
  row,
  plan,
}: NonNullable<BillingSummary['subscription']>): NonNullable<BillingSummaryResource['subscription']> {
  return {
    id: row.id,
    state: row.state,
    plan: { id: plan.id, key: plan.key, version: plan.version, name: plan.name },
    seats: row.seats,
    periodStart: formatTime(row.periodStart),
    periodEnd: formatTime(row.periodEnd),
    cancelAtPeriodEnd: row.cancelAtPeriodEnd === 1,
  }
}

function upcomingView({
  currency,
  periodStart,
  periodEnd,
  drafted,
}: NonNullable<BillingSummary['upcoming']>): NonNullable<BillingSummaryResource['upcoming']> {
  return {
    currency,
    periodStart: formatTime(periodStart),
    periodEnd: formatTime(periodEnd),
    lines: drafted.lines.map((line) => previewView(line, currency)),
    subtotal: formatMinor(drafted.subtotalMinor, currency),
    credit: formatMinor(drafted.creditMinor, currency),
    total: formatMinor(drafted.totalMinor, currency),
  }
}

function previewView(line: InvoiceLine, currency: string): Omit<InvoiceLineResource, 'seq'> {
  return {
    kind: line.kind,
    metric: line.metric,
    planId: line.planId,
    description: line.description,
    quantity: line.quantity === null ? null : Number(line.quantity),
    exact: formatUnitNanos(line.exactNanos),
    amount: formatMinor(line.amountMinor, currency),
    detail: line.detail,
    fromAt: timeOrNull(line.fromAt),
    untilAt: timeOrNull(line.untilAt),
  }
}

function recordView(record: ExplainedRecord): ExplainedLineResource['items'][number] {
  return {
    id: record.id,
    kind: record.kind,
    runId: record.runId,
    agentId: record.agentId,
    workflowId: record.workflowId,
    modelCallId: record.modelCallId,
    model: record.model,
    quantity: record.quantity,
    inputTokens: record.inputTokens,
    cachedInputTokens: record.cachedInputTokens,
    cacheWriteTokens: record.cacheWriteTokens,
    outputTokens: record.outputTokens,
    costState: record.costState,
    costUsd: record.costNanos === null ? null : formatUsd(record.costNanos),
    priceId: record.priceId,
    occurredAt: formatTime(record.occurredAt),
    acceptedAt: formatTime(record.acceptedAt),
  }
}
