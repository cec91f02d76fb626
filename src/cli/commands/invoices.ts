// `billing summary | tenant | invoices | invoice | explain`, and what the operator does: finalise, pay, void, credit, adjust.

import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import { PAGE_SIZE_MAX } from '../../base/limits.ts'
import {
  type BillingItem,
  billingItem,
  billingSummary,
  explainedLine,
  type Invoice,
  type InvoiceDetail,
  type InvoiceNote,
  invoice,
  invoiceDetail,
  invoiceState,
} from '../../contract/invoice.ts'
import type { BillingOptions } from '../../sdk/billing-client.ts'
import type { Client } from '../../sdk/client.ts'
import type { Act } from '../act.ts'
import { usage } from '../cli-failure.ts'
import { expiry, whole } from '../input/option-values.ts'
import { answer, answerList, type ListOptions } from '../output/answers.ts'
import { tableLines } from '../output/table.ts'
import { billingGroup } from './billing-group.ts'
import {
  invoiceColumns,
  itemColumns,
  recordColumns,
  showExplained,
  showInvoice,
  showItem,
  showSummary,
} from './invoice-view.ts'
import { addListOptions } from './list-options.ts'

interface TenantOption {
  readonly tenant?: string
}

const INVOICE_ID = 'the id of the invoice'
const LINES_MAX = 100_000
const RECORDS_MAX = 1_000_000
const RECORDS_DEFAULT = 20

export function addInvoiceCommands(program: Command, act: Act): void {
  const group = billingGroup(program)
  addSummaries(group, act)
  addReading(group, act)
  addExplain(group, act)
  addChanges(group, act)
  addItems(group, act)
}

function addSummaries(group: Command, act: Act): void {
  group
    .command('summary')
    .description('Show plan, period, the next invoice as it stands, balance and last invoices')
    .action(
      act(async (session) => {
        const found = await (await session.client()).getBillingSummary()
        answer(session, billingSummary, found, () => showSummary(session, found))
      }),
    )
  group
    .command('tenant')
    .description('Show the same of a tenant: your own, or any for the operator')
    .argument('<tenant>', 'the id of the tenant')
    .action(
      act(async (session, id: string) => {
        const found = await (await session.client()).getTenantBilling(id)
        answer(session, billingSummary, found, () => showSummary(session, found))
      }),
    )
}

function addReading(group: Command, act: Act): void {
  ofTenant(addListOptions(group.command('invoices').description('List invoices, newest first')))
    .addOption(new Option('--state <state>', 'only those in this state').choices(invoiceState.options))
    .action(
      act(async (session, options: ListOptions & TenantOption & { readonly state?: Invoice['state'] }) => {
        const client = await session.client()
        const filter = { state: options.state, tenantId: options.tenant }
        const find = (page: { readonly limit: number; readonly signal: AbortSignal }) =>
          client.listInvoices({ ...page, ...filter })
        await answerList(session, invoice, options, find, invoiceColumns(session))
      }),
    )
  ofTenant(group.command('invoice').description('Show an invoice with its lines, or write it to a file'))
    .argument('<invoice>', INVOICE_ID)
    .option('--pdf <file>', 'write it as PDF')
    .option('--csv <file>', 'write its lines as CSV')
    .action(
      act(
        async (
          session,
          id: string,
          options: TenantOption & { readonly pdf?: string; readonly csv?: string },
        ) => {
          const client = await session.client()
          const { pdf, csv } = options
          const of = tenantOf(options)
          if (pdf !== undefined) await write(pdf, (await client.getInvoicePdf(id, of)).bytes)
          if (csv !== undefined) await write(csv, (await client.getInvoiceCsv(id, of)).bytes)
          for (const path of [pdf, csv]) if (path !== undefined) session.note(`Wrote ${path}.`)
          if (pdf !== undefined || csv !== undefined) return
          const found = await client.getInvoice(id, of)
          answer(session, invoiceDetail, found, () => showInvoice(session, found))
        },
      ),
    )
}

function addExplain(group: Command, act: Act): void {
  ofTenant(
    group
      .command('explain')
      .description('Explain a line of an invoice: its arithmetic, and the runs and calls that it counts'),
  )
    .argument('<invoice>', INVOICE_ID)
    .argument('<line>', 'the number of the line', whole(1, LINES_MAX))
    .option(
      '--limit <number>',
      `show at most so many records (default: ${RECORDS_DEFAULT})`,
      whole(1, RECORDS_MAX),
    )
    .option('--all', 'show all records')
    .action(
      act(async (session, id: string, seq: number, options: TenantOption & ListOptions) => {
        const client = await session.client()
        const most = options.all ? Number.POSITIVE_INFINITY : (options.limit ?? RECORDS_DEFAULT)
        const limit = Math.min(most, PAGE_SIZE_MAX)
        const first = await client.explainInvoiceLine(id, seq, { ...tenantOf(options), limit })
        const items = [...first.items]
        let { nextCursor } = first
        while (nextCursor !== null && items.length < most) {
          const asked = { ...tenantOf(options), limit, cursor: nextCursor }
          const next = await client.explainInvoiceLine(id, seq, asked)
          items.push(...next.items)
          nextCursor = next.nextCursor
        }
        const whole = { ...first, items: items.slice(0, most), nextCursor }
        answer(session, explainedLine, whole, (out) => {
          showExplained(session, whole)
          if (whole.items.length === 0) return
          out.line()
          for (const line of tableLines(out, recordColumns(session), whole.items)) out.line(line)
        })
        if (nextCursor !== null || whole.items.length < items.length)
          session.err.line('There are more: --limit NUMBER or --all shows them.')
      }),
    )
}

type Change = (
  client: Client,
  id: string,
  note: InvoiceNote,
  options: BillingOptions,
) => Promise<InvoiceDetail>

const CHANGES: readonly (readonly [name: string, description: string, change: Change])[] = [
  ['finalise', 'Finalise a draft now (operator)', (client, ...rest) => client.finaliseInvoice(...rest)],
  ['pay', 'Mark an invoice as paid (operator)', (client, ...rest) => client.payInvoice(...rest)],
  [
    'void',
    'Void an invoice; its credits come back (operator)',
    (client, ...rest) => client.voidInvoice(...rest),
  ],
  [
    'uncollectible',
    'Give up an invoice; the account is restricted (operator)',
    (client, ...rest) => client.markInvoiceUncollectible(...rest),
  ],
  [
    'redraft',
    'Draft the period of a void invoice anew (operator)',
    (client, ...rest) => client.redraftInvoice(...rest),
  ],
]

function addChanges(group: Command, act: Act): void {
  for (const [name, description, change] of CHANGES) {
    ofTenant(group.command(name).description(description))
      .argument('<invoice>', INVOICE_ID)
      .option('--note <text>', 'a reference, or why')
      .action(
        act(async (session, id: string, options: TenantOption & { readonly note?: string }) => {
          const { note } = options
          const done = await change(await session.client(), id, { note }, tenantOf(options))
          answer(session, invoiceDetail, done, () => showInvoice(session, done))
        }),
      )
  }
}

interface ItemOptions extends TenantOption {
  readonly reason: string
  readonly expires?: string
}

function addItems(group: Command, act: Act): void {
  ofTenant(group.command('credit').description('Give a credit, which later invoices use up (operator)'))
    .argument('<amount>', 'in the currency of the account', amount)
    .requiredOption('--reason <text>', 'what it says on the invoice')
    .option('--expires <time>', 'a duration from now such as 90d, a date or a time', (text) => expiry(text))
    .action(
      act(async (session, given: string, options: ItemOptions) => {
        const { reason: description, expires: expiresAt } = options
        const request = { amount: given, description, expiresAt }
        const made = await (await session.client()).createCredit(request, tenantOf(options))
        answer(session, billingItem, made, () => showItem(session, made))
      }),
    )
  ofTenant(
    group.command('adjust').description('Add an amount to the next invoice (operator); see also --less'),
  )
    .argument('<amount>', 'in the currency of the account', amount)
    .requiredOption('--reason <text>', 'what it says on the invoice')
    .option('--less', 'take it off')
    .action(
      act(async (session, given: string, options: ItemOptions & { readonly less?: true }) => {
        const request = { amount: options.less ? `-${given}` : given, description: options.reason }
        const made = await (await session.client()).createAdjustment(request, tenantOf(options))
        answer(session, billingItem, made, () => showItem(session, made))
      }),
    )
  ofTenant(addListOptions(group.command('items').description('List credits, adjustments and prorations')))
    .option('--open', 'only those of which something is left')
    .action(
      act(async (session, options: ListOptions & TenantOption & { readonly open?: true }) => {
        const client = await session.client()
        const filter = { open: options.open, tenantId: options.tenant }
        const find = (page: { readonly limit: number; readonly signal: AbortSignal }) =>
          client.listBillingItems({ ...page, ...filter })
        await answerList(session, billingItem, options, find, itemColumns(session))
      }),
    )
}

function ofTenant(command: Command): Command {
  return command.option('--tenant <tenant>', 'of another tenant: for the operator of the platform')
}

function tenantOf({ tenant }: TenantOption): { readonly tenantId: string | undefined } {
  return { tenantId: tenant }
}

function amount(text: string): BillingItem['amount'] {
  if (/^\d{1,12}(\.\d{1,4})?$/.test(text)) return text
  throw new InvalidArgumentError('It must be an amount such as 12.50.')
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes)
  } catch (cause) {
    throw usage(`The file ${path} cannot be written: check the folder.`, { cause })
  }
}
