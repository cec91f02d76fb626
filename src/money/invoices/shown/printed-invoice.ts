// An invoice as a document: a PDF for people, a CSV for programs.

import { formatMinor, formatUnitNanos } from '../../../base/currency.ts'
import { type EpochMs, formatTime } from '../../../base/time.ts'
import { printCsv } from '../../documents/csv.ts'
import { type PrintedDocument, printPdf } from '../../documents/pdf-page.ts'
import type { BillingAccount, InvoiceLineRow, InvoiceRow } from '../invoice.ts'

export interface PrintedInvoice {
  readonly invoice: InvoiceRow
  readonly lines: readonly InvoiceLineRow[]
  readonly account: BillingAccount
  /** Who sends it. */
  readonly supplier: string
}

const MEDIA = { pdf: 'application/pdf', csv: 'text/csv; charset=utf-8' } as const

export interface PrintedFile {
  readonly name: string
  readonly mediaType: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

export async function printInvoice(printed: PrintedInvoice, format: 'pdf' | 'csv'): Promise<PrintedFile> {
  const { invoice } = printed
  const bytes =
    format === 'pdf' ? await printPdf(documentOf(printed)) : new TextEncoder().encode(csvOf(printed))
  return { name: `${invoice.number ?? invoice.id}.${format}`, mediaType: MEDIA[format], bytes }
}

/** A row for each line, and one for the total. */
export function csvOf({ invoice, lines }: PrintedInvoice): string {
  const { currency } = invoice
  const head = [
    'invoice',
    'seq',
    'kind',
    'metric',
    'description',
    'from',
    'until',
    'quantity',
    'exact',
    'amount',
    'currency',
  ]
  const name = invoice.number ?? invoice.id
  const rows = lines.map((line) => [
    name,
    String(line.seq),
    line.kind,
    line.metric ?? '',
    line.description,
    timeText(line.fromAt),
    timeText(line.untilAt),
    line.quantity === null ? '' : String(line.quantity),
    formatUnitNanos(line.exactNanos ?? 0n),
    formatMinor(line.amountMinor, currency),
    currency,
  ])
  const total = [
    name,
    '',
    'total',
    '',
    '',
    '',
    '',
    '',
    '',
    formatMinor(invoice.totalMinor, currency),
    currency,
  ]
  return printCsv([head, ...rows, total])
}

/** What is printed, as data. */
export function documentOf({ invoice, lines, account, supplier }: PrintedInvoice): PrintedDocument {
  const { currency } = invoice
  const amount = (minor: bigint): string => formatMinor(minor, currency)
  const day = (at: EpochMs | null): string => dayText(at, account.timeZone)
  return {
    title: invoice.number === null ? 'Draft of an invoice' : `Invoice ${invoice.number}`,
    subtitle: `${supplier} to ${account.name}`,
    at: invoice.finalisedAt ?? invoice.updatedAt,
    foot: `${invoice.number ?? invoice.id}, ${account.name}`,
    author: supplier,
    blocks: [
      {
        kind: 'facts',
        facts: [
          ['Supplier', supplier],
          ['Customer', account.email === null ? account.name : `${account.name} (${account.email})`],
          ['Number', invoice.number ?? 'none: this is a draft'],
          ['State', invoice.state],
          ['Date', day(invoice.finalisedAt)],
          ['Due', day(invoice.dueAt)],
          ...(invoice.paidAt === null ? [] : [['Paid', day(invoice.paidAt)] as const]),
          ['Usage of', `${day(invoice.periodStart)} until ${day(invoice.periodEnd)} (not included)`],
          ['Currency', currency],
        ],
      },
      {
        kind: 'table',
        columns: [
          { title: 'Description', share: 5 },
          { title: 'From', share: 2 },
          { title: 'Until', share: 2 },
          { title: 'Quantity', share: 2, align: 'right' },
          { title: `Amount (${currency})`, share: 2, align: 'right' },
        ],
        rows: lines.map((line) => [
          line.description,
          line.fromAt === null ? '' : day(line.fromAt),
          line.untilAt === null ? '' : day(line.untilAt),
          line.quantity === null ? '' : String(line.quantity),
          amount(line.amountMinor),
        ]),
        foot: ['Total', '', '', '', amount(invoice.totalMinor)],
      },
      {
        kind: 'facts',
        facts: [
          ['Subtotal', `${amount(invoice.subtotalMinor)} ${currency}`],
          ['Credits', `${amount(-invoice.creditMinor)} ${currency}`],
          ['Total', `${amount(invoice.totalMinor)} ${currency}`],
        ],
      },
      {
        kind: 'text',
        text:
          account.collection === 'stripe'
            ? 'Tax is not worked out here: it is added by Stripe, which collects this invoice, and stands on its receipt.'
            : 'Tax is not worked out here. Where it is due, it is left to Stripe Tax or to your own accounts.',
      },
    ],
  }
}

function timeText(at: EpochMs | null): string {
  return at === null ? '' : formatTime(at)
}

/** The day by the account's calendar. */
function dayText(at: EpochMs | null, timeZone: string): string {
  if (at === null) return 'none yet'
  // The Swedish form is that of ISO 8601.
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(at)
}
