// How invoices, credits, the summary of a tenant and the explanation of a line are shown.

import type {
  BillingItem,
  BillingSummary,
  ExplainedLine,
  ExplainedRecord,
  Invoice,
  InvoiceDetail,
  InvoiceLine,
} from '../../contract/invoice.ts'
import type { Channel } from '../output/channel.ts'
import { showDetails } from '../output/details.ts'
import { type Column, tableLines } from '../output/table.ts'
import { fullTime, listTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'

export function invoiceColumns(session: Session): readonly Column<Invoice>[] {
  return [
    { title: 'ID', value: ({ id }) => id, keep: true },
    { title: 'NUMBER', value: ({ number }) => number ?? '-' },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'TOTAL', value: ({ total }) => total, align: 'right' },
    { title: 'CURRENCY', value: ({ currency }) => currency },
    { title: 'PERIOD ENDS', value: ({ periodEnd }) => listTime(session.out, periodEnd, session.now()) },
    {
      title: 'DUE',
      value: ({ dueAt }) => (dueAt === null ? '' : listTime(session.out, dueAt, session.now())),
      optional: true,
    },
  ]
}

export function itemColumns(session: Session): readonly Column<BillingItem>[] {
  return [
    { title: 'ID', value: ({ id }) => id, keep: true },
    { title: 'KIND', value: ({ kind }) => kind },
    { title: 'AMOUNT', value: ({ amount }) => amount, align: 'right' },
    { title: 'LEFT', value: ({ remaining }) => remaining, align: 'right' },
    { title: 'CURRENCY', value: ({ currency }) => currency },
    { title: 'DESCRIPTION', value: ({ description }) => description },
    {
      title: 'EXPIRES',
      value: ({ expiresAt }) => (expiresAt === null ? '' : listTime(session.out, expiresAt, session.now())),
      optional: true,
    },
  ]
}

export function showInvoice(session: Session, found: InvoiceDetail): void {
  const at = session.now()
  showDetails(session.out, [
    ['id', found.id],
    ['number', found.number ?? 'none yet'],
    ['state', found.state],
    ['usage from', fullTime(found.periodStart, at)],
    ['usage until', fullTime(found.periodEnd, at)],
    ['finalised', fullTime(found.finalisedAt, at)],
    ['due', fullTime(found.dueAt, at)],
    ['paid', fullTime(found.paidAt, at)],
    ['voided', fullTime(found.voidedAt, at)],
    ['note', found.note ?? ''],
  ])
  session.out.line()
  showLines(session.out, found.lines)
  showTotals(session.out, found)
}

export function showItem(session: Session, item: BillingItem): void {
  showDetails(session.out, [
    ['id', item.id],
    ['kind', item.kind],
    ['amount', `${item.amount} ${item.currency}`],
    ['left', `${item.remaining} ${item.currency}`],
    ['description', item.description],
    ['expires', fullTime(item.expiresAt, session.now())],
  ])
}

export function showSummary(session: Session, summary: BillingSummary): void {
  const { account, subscription, upcoming, balance, invoices } = summary
  const at = session.now()
  showDetails(session.out, [
    ['tenant', summary.tenantId],
    ['account', account?.name ?? 'none: nothing is charged'],
    ['standing', account === null ? '' : `${account.standing}, since ${fullTime(account.standingSince, at)}`],
    [
      'plan',
      subscription === null ? 'none' : `${subscription.plan.name} (version ${subscription.plan.version})`,
    ],
    ['state', subscription?.state],
    ['seats', subscription === null ? '' : String(subscription.seats)],
    ['period', subscription === null ? '' : fullTime(subscription.periodStart, at)],
    ['period ends', subscription === null ? '' : fullTime(subscription.periodEnd, at)],
    ['outstanding', balance === null ? '' : `${balance.outstanding} ${balance.currency}`],
    ['overdue', balance === null ? '' : `${balance.overdue} ${balance.currency}`],
    ['credit', balance === null ? '' : `${balance.credit} ${balance.currency}`],
  ])
  if (upcoming !== null) {
    session.out.line()
    session.out.line('The next invoice, as it stands:')
    showLines(session.out, upcoming.lines)
    showTotals(session.out, upcoming)
  }
  if (invoices.length === 0) return
  session.out.line()
  for (const line of tableLines(session.out, invoiceColumns(session), invoices)) session.out.line(line)
}

export function showExplained(
  session: Session,
  { line, steps, totals, currency, number }: ExplainedLine,
): void {
  showDetails(session.out, [
    ['invoice', number ?? 'a draft'],
    ['line', `${line.seq}: ${line.description}`],
    ['amount', `${line.amount} ${currency}`],
    ['records', totals === null ? '' : String(totals.records)],
    ['quantity', totals === null ? '' : String(totals.quantity)],
    ['cost', totals === null ? '' : `$${totals.costUsd} of providers`],
    ['cost unknown', totals === null || totals.withoutCost === 0 ? '' : `${totals.withoutCost} records`],
  ])
  for (const step of steps) session.out.line(`  ${step}`)
}

export function recordColumns(session: Session): readonly Column<ExplainedRecord>[] {
  return [
    { title: 'RECORD', value: ({ id }) => id, keep: true },
    { title: 'KIND', value: ({ kind }) => kind },
    { title: 'QUANTITY', value: ({ quantity }) => String(quantity), align: 'right' },
    { title: 'RUN', value: ({ runId }) => runId ?? '', keep: true },
    { title: 'MODEL', value: ({ model }) => model ?? '' },
    { title: 'COST', value: ({ costUsd }) => (costUsd === null ? '?' : `$${costUsd}`), align: 'right' },
    { title: 'PRICE', value: ({ priceId }) => priceId ?? '', optional: true },
    { title: 'ACCEPTED', value: ({ acceptedAt }) => listTime(session.out, acceptedAt, session.now()) },
  ]
}

type ShownLine = Omit<InvoiceLine, 'seq'> & { readonly seq?: number }

function showLines(channel: Channel, lines: readonly ShownLine[]): void {
  const columns: readonly Column<ShownLine>[] = [
    { title: 'LINE', value: ({ seq }) => (seq === undefined ? '' : String(seq)), align: 'right' },
    { title: 'KIND', value: ({ kind }) => kind },
    { title: 'DESCRIPTION', value: ({ description }) => description },
    {
      title: 'QUANTITY',
      value: ({ quantity }) => (quantity === null ? '' : String(quantity)),
      align: 'right',
    },
    { title: 'EXACT', value: ({ exact }) => exact, align: 'right', optional: true },
    { title: 'AMOUNT', value: ({ amount }) => amount, align: 'right' },
  ]
  for (const line of tableLines(channel, columns, lines)) channel.line(line)
}

function showTotals(
  channel: Channel,
  {
    subtotal,
    credit,
    total,
    currency,
  }: {
    readonly subtotal: string
    readonly credit: string
    readonly total: string
    readonly currency: string
  },
): void {
  channel.line()
  showDetails(channel, [
    ['subtotal', `${subtotal} ${currency}`],
    ['credits', `${credit} ${currency}`],
    ['total', `${total} ${currency}`],
  ])
}
