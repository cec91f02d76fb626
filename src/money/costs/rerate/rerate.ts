// Re-rating: model calls of a time are rated anew with the prices that are in force for their time now. What changes is on
// record with what it was. Budgets keep what they decided by, and invoices what they said.

import { AppError } from '../../../base/errors.ts'
import { newId, type RerateId, type RunId, type TenantId } from '../../../base/ids.ts'
import type { Nanos } from '../../../base/money.ts'
import { type Clock, type EpochMs, formatTime } from '../../../base/time.ts'
import { actorOf, type Principal } from '../../../contract/principal.ts'
import { appendAudit } from '../../../events/append.ts'
import type { Database, TenantTransaction } from '../../../storage/database.ts'
import type { PriceBook } from '../../prices/price-book.ts'
import { rate } from '../../prices/rating.ts'
import { usageFromRecord } from '../../prices/recorded-usage.ts'
import type { CostContext } from '../record-costs.ts'
import {
  addToRerate,
  addToRun,
  changesByModel,
  insertChange,
  insertRerate,
  type Portioned,
  portionOf,
  type Rated,
  type RerateRow,
  rateModelCall,
  rateUsage,
  rerateById,
} from './rerate-store.ts'

export interface RerateDeps {
  readonly db: Database
  readonly clock: Clock
  readonly pricesOf: (tenantId: TenantId) => Promise<PriceBook>
}

export interface RerateInput {
  readonly from: EpochMs
  readonly to: EpochMs
  readonly model?: string | undefined
  readonly reason: string
}

export interface ModelDifference {
  readonly model: string
  records: number
  changed: number
  beforeNanos: Nanos
  afterNanos: Nanos
}

/** Of a dry run `id` is undefined. */
export interface Rerating {
  readonly row: Omit<RerateRow, 'id'> & { readonly id: RerateId | undefined }
  readonly byModel: readonly ModelDifference[]
}

/** How many records one transaction rates anew, and one read takes. */
export const PORTION_MAX = 500
/** How long a time may be. */
export const RANGE_MS_MAX = 400 * 86_400_000

/** What would change, and nothing is. */
export async function dryRerate(
  deps: RerateDeps,
  principal: Principal,
  input: RerateInput,
): Promise<Rerating> {
  check(input)
  const sums = new Map<string, ModelDifference>()
  await eachPortion(deps, principal.tenantId, input, async (changes) => {
    for (const change of changes) count(sums, change)
  })
  return {
    row: { ...rowOf(input, principal, deps.clock()), ...totalsOf(sums.values()), id: undefined },
    byModel: sorted(sums),
  }
}

/** In portions, each whole with its part of the record: one that was interrupted is finished by the next. */
export async function rerate(
  deps: RerateDeps,
  principal: Principal,
  input: RerateInput,
  context: CostContext,
): Promise<Rerating> {
  check(input)
  const { tenantId } = principal
  const row = { ...rowOf(input, principal, deps.clock()), id: newId('rerate', deps.clock()) }
  await deps.db.tenant(tenantId).write(async (tx) => {
    await tx.run(insertRerate, row)
    await audit(tx, principal, row, context)
    await context.inTransaction?.(tx, row.id)
  })
  const sums = new Map<string, ModelDifference>()
  await eachPortion(deps, tenantId, input, async (changes) => {
    const applied = await deps.db.tenant(tenantId).write((tx) => applyPortion(tx, row.id, changes))
    for (const change of applied) count(sums, change)
  })
  return { row: { ...row, ...totalsOf(sums.values()) }, byModel: sorted(sums) }
}

export async function getRerate(db: Database, tenantId: TenantId, id: RerateId): Promise<Rerating> {
  return db.tenant(tenantId).read(async (reader) => {
    const row = await reader.first(rerateById, { id })
    if (row === undefined) throw new AppError('rerate.not-found', `There is no re-rating "${id}".`)
    const changed = await reader.all(changesByModel, { id })
    const byModel = changed.map(({ model, beforeNanos, afterNanos, ...counts }) => ({
      ...counts,
      records: counts.changed,
      model: model ?? '',
      beforeNanos: beforeNanos ?? 0n,
      afterNanos: afterNanos ?? 0n,
    }))
    return { row, byModel }
  })
}

export async function listRerates(
  db: Database,
  tenantId: TenantId,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<{ readonly items: readonly RerateRow[]; readonly nextCursor: string | undefined }> {
  const rows = await db.tenant(tenantId).read((reader) =>
    reader.query((builder, tenant) => {
      let query = builder.selectFrom('rerates').selectAll().where('tenantId', '=', tenant)
      if (cursor !== undefined) query = query.where('id', '<', cursor as RerateId)
      return query.orderBy('id', 'desc').limit(limit + 1)
    }),
  )
  const items = rows.slice(0, limit)
  return { items, nextCursor: rows.length > limit ? items.at(-1)?.id : undefined }
}

interface Change {
  readonly record: Portioned
  readonly after: Rated
}

async function eachPortion(
  { db, pricesOf }: RerateDeps,
  tenantId: TenantId,
  { from, to, model }: RerateInput,
  work: (changes: readonly Change[]) => Promise<void>,
): Promise<void> {
  const book = await pricesOf(tenantId)
  let after: { readonly at: EpochMs; readonly id: string } | undefined
  for (;;) {
    const records = await db
      .tenant(tenantId)
      .read((reader) => portionOf(reader, { from, to, model, after, limit: PORTION_MAX }))
    await work(records.map((record) => ({ record, after: ratedAnew(book, record) })))
    const last = records.at(-1)
    if (last === undefined || records.length < PORTION_MAX) return
    after = { at: last.occurredAt, id: last.id }
  }
}

function ratedAnew(book: PriceBook, record: Portioned): Rated {
  const rating = rate(book, record.model ?? '', usageFromRecord(record), record.occurredAt)
  return rating.costState === 'priced'
    ? { state: 'priced', nanos: rating.costNanos, priceId: rating.priceId }
    : { state: rating.costState, nanos: null, priceId: null }
}

function isChanged({ record, after }: Change): boolean {
  return (
    record.costState !== after.state || record.costNanos !== after.nanos || record.priceId !== after.priceId
  )
}

/** The prompt log, the run and the usage record say the same, before and after. Answers what was done. */
async function applyPortion(
  tx: TenantTransaction,
  rerateId: RerateId,
  changes: readonly Change[],
): Promise<readonly Change[]> {
  const done: Change[] = []
  const sums = new Map<string, ModelDifference>()
  const ofRuns = new Map<RunId, { byNanos: Nanos; unpriced: number }>()
  for (const change of changes) {
    const { record, after } = change
    const applied = isChanged(change) && (await applyChange(tx, rerateId, change))
    // What somebody else has rated meanwhile is theirs.
    const seen = applied || !isChanged(change) ? change : { record, after: ratedAs(record) }
    done.push(seen)
    count(sums, seen)
    if (!applied || record.runId === null) continue
    const run = ofRuns.get(record.runId) ?? { byNanos: 0n, unpriced: 0 }
    run.byNanos += (after.nanos ?? 0n) - (record.costNanos ?? 0n)
    run.unpriced += Number(after.nanos === null) - Number(record.costNanos === null)
    ofRuns.set(record.runId, run)
  }
  // In one order, so that two that rate the same do not wait for each other.
  for (const [id, by] of [...ofRuns].sort(([a], [b]) => (a < b ? -1 : 1)))
    await tx.run(addToRun, { id, ...by })
  await tx.run(addToRerate, { id: rerateId, ...totalsOf(sums.values()) })
  return done
}

async function applyChange(
  tx: TenantTransaction,
  rerateId: RerateId,
  { record, after }: Change,
): Promise<boolean> {
  const rated = await tx.run(rateUsage, {
    id: record.id,
    costState: after.state,
    costNanos: after.nanos,
    priceId: after.priceId,
    wasState: record.costState,
    wasNanos: record.costNanos ?? -1n,
    wasPriceId: record.priceId ?? '',
  })
  if (rated === 0) return false
  if (record.modelCallId !== null)
    await tx.run(rateModelCall, { id: record.modelCallId, costState: after.state, costNanos: after.nanos })
  await tx.run(insertChange, {
    rerateId,
    usageId: record.id,
    beforeState: record.costState,
    beforeNanos: record.costNanos,
    beforePriceId: record.priceId,
    afterState: after.state,
    afterNanos: after.nanos,
    afterPriceId: after.priceId,
  })
  return true
}

function ratedAs({ costState, costNanos, priceId }: Portioned): Rated {
  return { state: costState, nanos: costNanos, priceId }
}

function count(sums: Map<string, ModelDifference>, change: Change): void {
  const model = change.record.model ?? ''
  const sum = sums.get(model) ?? { model, records: 0, changed: 0, beforeNanos: 0n, afterNanos: 0n }
  sum.records += 1
  if (isChanged(change)) sum.changed += 1
  sum.beforeNanos += change.record.costNanos ?? 0n
  sum.afterNanos += change.after.nanos ?? 0n
  sums.set(model, sum)
}

function totalsOf(sums: Iterable<ModelDifference>): Omit<ModelDifference, 'model'> {
  const total = { records: 0, changed: 0, beforeNanos: 0n, afterNanos: 0n }
  for (const { records, changed, beforeNanos, afterNanos } of sums) {
    total.records += records
    total.changed += changed
    total.beforeNanos += beforeNanos
    total.afterNanos += afterNanos
  }
  return total
}

function sorted(sums: ReadonlyMap<string, ModelDifference>): readonly ModelDifference[] {
  return [...sums.values()].sort((a, b) => (a.model < b.model ? -1 : 1))
}

function rowOf(input: RerateInput, principal: Principal, at: EpochMs): Omit<RerateRow, 'id'> {
  return {
    fromAt: input.from,
    untilAt: input.to,
    model: input.model ?? null,
    reason: input.reason,
    records: 0,
    changed: 0,
    beforeNanos: 0n,
    afterNanos: 0n,
    createdBy: actorOf(principal),
    createdAt: at,
  }
}

function check({ from, to }: RerateInput): void {
  const message =
    from >= to
      ? 'must be after "from"'
      : to - from > RANGE_MS_MAX
        ? `must be at most ${RANGE_MS_MAX / 86_400_000} days after "from"`
        : undefined
  if (message !== undefined)
    throw new AppError('request.invalid', `"to" ${message}.`, { errors: [{ path: '/to', message }] })
}

async function audit(
  tx: TenantTransaction,
  principal: Principal,
  row: RerateRow,
  { requestId }: CostContext,
): Promise<void> {
  const { id, fromAt, untilAt, model, reason, createdAt } = row
  await appendAudit(tx, {
    type: 'usage.rerated',
    actor: actorOf(principal),
    subject: id,
    data: { from: formatTime(fromAt), to: formatTime(untilAt), model, reason },
    requestId,
    at: createdAt,
  })
}
