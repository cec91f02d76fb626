// Invoices, put together: the use cases, and what the maintenance loop does for them. It owns invoices, their lines, what
// is credited and how accounts stand; plans and subscriptions are another part's. The API and compose call it.

import { AppError } from '../../base/errors.ts'
import type { BillingItemId, InvoiceId, TenantId } from '../../base/ids.ts'
import type { Clock } from '../../base/time.ts'
import type { InvoiceState } from '../../contract/money.ts'
import { actorOf, type Principal } from '../../contract/principal.ts'
import type { MaintenanceTask } from '../../runtime/maintenance.ts'
import type { Database, TenantReader, TenantTransaction } from '../../storage/database.ts'
import type { BillingContext } from '../plans/plans.ts'
import { accountOrThrow } from '../subscriptions/accounts.ts'
import { accountOf, lockAccount } from '../subscriptions/subscription-store.ts'
import {
  type Change,
  finaliseInvoice,
  giveUpInvoice,
  invoiceNotFound,
  type OnFinalised,
  payInvoice,
  redraftInvoice,
  voidInvoice,
} from './change-invoice.ts'
import { closePeriods } from './closing/close-periods.ts'
import { remindLate } from './closing/dunning.ts'
import { finaliseDrafts } from './closing/finalise-drafts.ts'
import type { BillingItem, InvoiceAction, InvoiceLineRow, InvoiceRow } from './invoice.ts'
import { invoiceById, linesOfInvoice } from './invoice-store.ts'
import { createItem, getItem, type ItemFilter, listItems, type NewItem } from './items.ts'
import { type ExplainedLine, type ExplainPage, explainLine } from './shown/explain.ts'
import { type PrintedFile, printInvoice } from './shown/printed-invoice.ts'
import { type BillingSummary, billingSummary } from './shown/summary.ts'

const CLOSE_EVERY_MS = 10_000
const FINALISE_EVERY_MS = 60_000
const DUNNING_EVERY_MS = 60_000

export interface InvoicesDeps {
  readonly db: Database
  readonly clock: Clock
  /** Who sends the invoices, as they print it. */
  readonly supplier?: string | undefined
  readonly onFinalised?: OnFinalised | undefined
}

export interface Invoice {
  readonly row: InvoiceRow
  readonly lines: readonly InvoiceLineRow[]
}

export interface InvoiceFilter {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly state?: InvoiceState | undefined
}

interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | undefined
}

/** What a person does with an invoice. */
export type ChangeKind = InvoiceAction | 'redraft'

/** Every call names the tenant that is billed; whoever calls has checked that the principal may act for it. */
export interface Invoices {
  list(tenantId: TenantId, filter: InvoiceFilter): Promise<Page<InvoiceRow>>
  get(tenantId: TenantId, id: InvoiceId): Promise<Invoice>
  print(tenantId: TenantId, id: InvoiceId, format: 'pdf' | 'csv'): Promise<PrintedFile>
  explain(tenantId: TenantId, id: InvoiceId, seq: number, page: ExplainPage): Promise<ExplainedLine>
  /** Throws `invoice.state-conflict` where the invoice's state does not let it be. Answers the invoice; of a redraft the new one. */
  change(
    principal: Principal,
    invoice: { readonly tenantId: TenantId; readonly id: InvoiceId },
    what: { readonly kind: ChangeKind; readonly note: string | null },
    context: BillingContext,
  ): Promise<Invoice>
  createItem(
    principal: Principal,
    tenantId: TenantId,
    item: NewItem,
    context: BillingContext,
  ): Promise<BillingItem>
  getItem(tenantId: TenantId, id: BillingItemId): Promise<BillingItem>
  listItems(tenantId: TenantId, filter: ItemFilter): Promise<Page<BillingItem>>
  summary(tenantId: TenantId): Promise<BillingSummary>
  readonly tasks: readonly MaintenanceTask[]
}

const SUPPLIER = 'Agent Factory'

export function createInvoices(deps: InvoicesDeps): Invoices {
  const { db, clock, supplier = SUPPLIER, onFinalised } = deps
  return {
    list: (tenantId, filter) => listInvoices(db, tenantId, filter),
    get: (tenantId, id) => db.tenant(tenantId).read((reader) => invoiceWithLines(reader, id)),
    print: async (tenantId, id, format) => {
      const printed = await db.tenant(tenantId).read(async (reader) => {
        const { row, lines } = await invoiceWithLines(reader, id)
        return { invoice: row, lines, account: accountOrThrow(await reader.first(accountOf, {})) }
      })
      return printInvoice({ ...printed, supplier }, format)
    },
    explain: (tenantId, id, seq, page) => explainLine(db, tenantId, id, seq, page),
    change: (principal, { tenantId, id }, { kind, note }, { requestId, inTransaction }) => {
      const change = { actor: actorOf(principal), at: clock(), requestId }
      return db.tenant(tenantId).write(async (tx) => {
        const row = await changed(tx, id, { kind, note, change, onFinalised })
        await inTransaction?.(tx, row.id)
        return { row, lines: await tx.all(linesOfInvoice, { id: row.id }) }
      })
    },
    createItem: (principal, tenantId, item, context) => createItem(deps, principal, tenantId, item, context),
    getItem: (tenantId, id) => getItem(db, tenantId, id),
    listItems: (tenantId, filter) => listItems(db, tenantId, filter),
    summary: (tenantId) => billingSummary(db, tenantId, clock()),
    tasks: [
      { name: 'billing-periods', everyMs: CLOSE_EVERY_MS, run: (at) => closePeriods(db, at) },
      {
        name: 'invoice-drafts',
        everyMs: FINALISE_EVERY_MS,
        run: (at) => finaliseDrafts(db, at, onFinalised),
      },
      { name: 'late-invoices', everyMs: DUNNING_EVERY_MS, run: (at) => remindLate(db, at) },
    ],
  }
}

/** One that Stripe collects is settled there, and told here: else it would be paid twice, or paid though it is void. */
async function checkCollector(tx: TenantTransaction, id: InvoiceId): Promise<void> {
  await tx.first(lockAccount, {})
  const row = await tx.first(invoiceById, { id })
  if (row === undefined || row.stripeInvoiceId === null) return
  throw new AppError(
    'invoice.state-conflict',
    `Stripe collects the invoice "${id}" as "${row.stripeInvoiceId}": pay or void it there, and it is taken over here.`,
  )
}

async function changed(
  tx: TenantTransaction,
  id: InvoiceId,
  asked: {
    readonly kind: ChangeKind
    readonly note: string | null
    readonly change: Change
    readonly onFinalised: OnFinalised | undefined
  },
): Promise<InvoiceRow> {
  const { kind, note, change, onFinalised } = asked
  if (kind === 'pay' || kind === 'void' || kind === 'uncollectible') await checkCollector(tx, id)
  switch (kind) {
    case 'finalise':
      return finaliseInvoice(tx, id, change, onFinalised)
    case 'pay':
      return payInvoice(tx, id, note, change)
    case 'void':
      return voidInvoice(tx, id, note, change)
    case 'uncollectible':
      return giveUpInvoice(tx, id, note, change)
    case 'redraft':
      return redraftInvoice(tx, id, change)
    default:
      return kind satisfies never
  }
}

async function invoiceWithLines(reader: TenantReader, id: InvoiceId): Promise<Invoice> {
  const row = await reader.first(invoiceById, { id })
  if (row === undefined) throw invoiceNotFound(id)
  return { row, lines: await reader.all(linesOfInvoice, { id }) }
}

async function listInvoices(
  db: Database,
  tenantId: TenantId,
  { limit, cursor, state }: InvoiceFilter,
): Promise<Page<InvoiceRow>> {
  const rows = await db.tenant(tenantId).read((reader) =>
    reader.query((builder, tenant) => {
      let query = builder.selectFrom('invoices').selectAll().where('tenantId', '=', tenant)
      if (cursor !== undefined) query = query.where('id', '<', cursor as InvoiceId)
      if (state !== undefined) query = query.where('state', '=', state)
      return query.orderBy('id', 'desc').limit(limit + 1)
    }),
  )
  const items = rows.slice(0, limit)
  return { items, nextCursor: rows.length > limit ? items.at(-1)?.id : undefined }
}
