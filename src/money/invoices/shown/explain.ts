// Why a line asks for what it asks for: the steps of its arithmetic, and the usage records that it counts.

import { sql } from 'kysely'
import { formatMinor, formatUnitNanos } from '../../../base/currency.ts'
import { AppError } from '../../../base/errors.ts'
import type { InvoiceId, TenantId, UsageId } from '../../../base/ids.ts'
import type { Nanos } from '../../../base/money.ts'
import type { EpochMs } from '../../../base/time.ts'
import type { UsageKind } from '../../../contract/money.ts'
import type { Database, TenantReader } from '../../../storage/database.ts'
import type { RowOf } from '../../../storage/schema/tables.ts'
import { type Bind, statement } from '../../../storage/statement.ts'
import { invoiceNotFound } from '../change-invoice.ts'
import type { InvoiceLineRow, InvoiceRow } from '../invoice.ts'
import { invoiceById, linesOfInvoice } from '../invoice-store.ts'
import { KINDS_OF_METRIC } from '../usage-sums.ts'

type ShownColumns =
  | 'id'
  | 'kind'
  | 'runId'
  | 'agentId'
  | 'workflowId'
  | 'modelCallId'
  | 'model'
  | 'quantity'
  | 'inputTokens'
  | 'cachedInputTokens'
  | 'cacheWriteTokens'
  | 'outputTokens'
  | 'costState'
  | 'costNanos'
  | 'priceId'
  | 'occurredAt'
  | 'acceptedAt'
export type ExplainedRecord = Pick<RowOf<'usageRecords'>, ShownColumns>

export interface LineTotals {
  readonly records: number
  readonly quantity: number
  readonly costNanos: Nanos
  /** Records whose cost nobody knows. */
  readonly withoutCost: number
}

export interface ExplainedLine {
  readonly invoice: InvoiceRow
  readonly line: InvoiceLineRow
  readonly steps: readonly string[]
  /** With the first page. */
  readonly totals: LineTotals | undefined
  readonly items: readonly ExplainedRecord[]
  readonly nextCursor: string | undefined
}

export interface ExplainPage {
  readonly limit: number
  readonly cursor?: string | undefined
}

/** Throws `invoice.not-found` where there is no such invoice or line. */
export function explainLine(
  db: Database,
  tenantId: TenantId,
  id: InvoiceId,
  seq: number,
  page: ExplainPage,
): Promise<ExplainedLine> {
  return db.tenant(tenantId).read(async (reader) => {
    const invoice = await reader.first(invoiceById, { id })
    if (invoice === undefined) throw invoiceNotFound(id)
    const line = (await reader.all(linesOfInvoice, { id })).find((one) => one.seq === seq)
    if (line === undefined) throw new AppError('invoice.not-found', `The invoice "${id}" has no line ${seq}.`)
    const totals = page.cursor === undefined ? await totalsOf(reader, line) : undefined
    const { items, nextCursor } = await recordsOf(reader, line, page)
    return { invoice, line, steps: stepsOf(invoice, line), totals, items, nextCursor }
  })
}

/** What `detail` of a line of usage holds. */
interface UsageDetail {
  readonly included: string
  readonly above: string
  readonly model: string
  readonly package_size?: string
  readonly part_of_period?: { readonly part_ms: number; readonly whole_ms: number }
  readonly parts: readonly {
    readonly quantity: string
    readonly unit_price: string
    readonly flat: string
    readonly amount: string
  }[]
}

const DAY_MS = 86_400_000

/** The arithmetic of a line in words, from what was written when it was worked out. */
export function stepsOf({ currency }: Pick<InvoiceRow, 'currency'>, line: InvoiceLineRow): readonly string[] {
  const exact = formatUnitNanos(line.exactNanos ?? 0n)
  const last = `exactly ${exact} ${currency}, on the invoice ${formatMinor(line.amountMinor, currency)} ${currency}`
  if (line.kind !== 'usage') return [...otherSteps(line), last]
  const detail = JSON.parse(line.detail) as UsageDetail
  const { part_of_period: part } = detail
  return [
    `${line.quantity ?? 0} used`,
    ...(part === undefined
      ? []
      : [`the period is ${days(part.part_ms)} of ${days(part.whole_ms)} days, and includes as much less`]),
    `${detail.included} included, ${detail.above} above`,
    ...(detail.model === 'trial' ? ['a trial is not charged'] : []),
    ...(detail.model === 'not_charged' ? ['the plan does not charge for it'] : []),
    ...detail.parts.map(
      ({ quantity, unit_price, flat, amount }) =>
        `${quantity} ${detail.package_size === undefined ? '' : `packages of ${detail.package_size} `}× ${unit_price}${flat === '0' ? '' : ` + ${flat}`} = ${amount} (${detail.model})`,
    ),
    last,
  ]
}

function otherSteps({ kind, detail }: InvoiceLineRow): readonly string[] {
  const facts = JSON.parse(detail) as Readonly<Record<string, unknown>>
  if (kind === 'base' && typeof facts.seats === 'number')
    return [`${facts.seats} seats × ${facts.base}, in advance`]
  if (kind === 'base') return [`${facts.base} for the period, in advance`]
  if (kind === 'credit') return [`of a credit with ${facts.before} left; ${facts.left} stay`]
  if (facts.carried !== undefined)
    return [`the lines above came to less than nothing: ${facts.carried} is a credit now`]
  return [`as it was given: ${facts.item_id}`]
}

function days(ms: number): string {
  return (ms / DAY_MS).toFixed(2).replace(/\.?0+$/, '')
}

async function totalsOf(reader: TenantReader, line: InvoiceLineRow): Promise<LineTotals | undefined> {
  const { metric, fromAt: from, untilAt: until } = line
  if (line.kind !== 'usage' || metric === null || from === null || until === null) return undefined
  let [records, quantity, costNanos, withoutCost] = [0, 0, 0n, 0]
  for (const kind of KINDS_OF_METRIC[metric]) {
    const found = await reader.first(totalsOfKind, { kind, from, until })
    records += Number(found?.records ?? 0)
    quantity += Number(found?.quantity ?? 0)
    costNanos += BigInt(found?.costNanos ?? '0')
    withoutCost += Number(found?.withoutCost ?? 0)
  }
  return { records, quantity, costNanos, withoutCost }
}

/** A place in the records of a line: its kinds come one after the other, each in the order of acceptance. */
interface Place {
  readonly kind: UsageKind
  readonly acceptedAt: EpochMs
  readonly id: UsageId
}

async function recordsOf(
  reader: TenantReader,
  line: InvoiceLineRow,
  { limit, cursor }: ExplainPage,
): Promise<{ readonly items: readonly ExplainedRecord[]; readonly nextCursor: string | undefined }> {
  const { metric, fromAt, untilAt } = line
  if (line.kind !== 'usage' || metric === null || fromAt === null || untilAt === null)
    return { items: [], nextCursor: undefined }
  const after = cursor === undefined ? undefined : placeOf(cursor)
  const kinds = KINDS_OF_METRIC[metric]
  const begun = after === undefined ? 0 : kinds.indexOf(after.kind)
  if (begun < 0) throw badCursor()
  const found: ExplainedRecord[] = []
  for (const kind of kinds.slice(begun)) {
    const wanted = limit + 1 - found.length
    if (wanted <= 0) break
    const from = after?.kind === kind ? after : { kind, acceptedAt: fromAt - 1, id: '' as UsageId }
    const bound = {
      kind,
      from: fromAt,
      until: untilAt,
      afterAt: from.acceptedAt,
      afterId: from.id,
      limit: wanted,
    }
    found.push(...(await reader.all(recordsOfKind, bound)))
  }
  const items = found.slice(0, limit)
  const last = items.at(-1)
  const more = found.length > limit && last !== undefined
  return { items, nextCursor: more ? `${last.kind} ${last.acceptedAt} ${last.id}` : undefined }
}

function placeOf(cursor: string): Place {
  const [kind, acceptedAt, id] = cursor.split(' ')
  if (!kind || !id || !Number.isSafeInteger(Number(acceptedAt))) throw badCursor()
  return { kind: kind as UsageKind, acceptedAt: Number(acceptedAt), id: id as UsageId }
}

function badCursor(): AppError {
  return new AppError('cursor.invalid', 'The cursor is not one of this list. Begin again without a cursor.')
}

interface KindInPeriod {
  readonly kind: UsageKind
  readonly from: EpochMs
  readonly until: EpochMs
}

const totalsOfKind = statement('invoices.totals-of-kind', (db, p: Bind<KindInPeriod>) =>
  db
    .selectFrom('usageRecords')
    .select((eb) => [
      eb.fn.countAll<number>().as('records'),
      sql<string>`cast(coalesce(${eb.fn.sum('quantity')}, 0) as text)`.as('quantity'),
      sql<string>`cast(coalesce(${eb.fn.sum('costNanos')}, 0) as text)`.as('costNanos'),
      eb.fn.countAll<number>().filterWhere('costState', '<>', 'priced').as('withoutCost'),
    ])
    .where('tenantId', '=', p.tenantId)
    .where('replay', '=', 0)
    .where('kind', '=', p.kind)
    .where('acceptedAt', '>=', p.from)
    .where('acceptedAt', '<', p.until),
)

export const recordsOfKind = statement(
  'invoices.records-of-kind',
  (
    db,
    p: Bind<KindInPeriod & { readonly afterAt: EpochMs; readonly afterId: UsageId; readonly limit: number }>,
  ) =>
    db
      .selectFrom('usageRecords')
      .select([
        'id',
        'kind',
        'runId',
        'agentId',
        'workflowId',
        'modelCallId',
        'model',
        'quantity',
        'inputTokens',
        'cachedInputTokens',
        'cacheWriteTokens',
        'outputTokens',
        'costState',
        'costNanos',
        'priceId',
        'occurredAt',
        'acceptedAt',
      ])
      .where('tenantId', '=', p.tenantId)
      .where('replay', '=', 0)
      .where('kind', '=', p.kind)
      .where('acceptedAt', '>=', p.from)
      .where('acceptedAt', '<', p.until)
      .where('acceptedAt', '>=', p.afterAt)
      .where((eb) =>
        eb.or([
          eb('acceptedAt', '>', p.afterAt),
          eb.and([eb('acceptedAt', '=', p.afterAt), eb('id', '>', p.afterId)]),
        ]),
      )
      .orderBy('acceptedAt')
      .orderBy('id')
      .limit(p.limit),
)
