// Use cases of a tenant's own prices: set, withdrawn, listed. Each change is on record, and counts in this process once it
// has committed, in others within a second. The edge has checked who may.

import { AppError, type FieldError } from '../../../base/errors.ts'
import { newId, type PriceId, type TenantId } from '../../../base/ids.ts'
import type { Json } from '../../../base/json.ts'
import type { Clock, EpochMs } from '../../../base/time.ts'
import { formatTime } from '../../../base/time.ts'
import type { ComparedPrice, PriceAmounts } from '../../../contract/price.ts'
import { actorOf, type Principal } from '../../../contract/principal.ts'
import { appendAudit } from '../../../events/append.ts'
import type { Database, TenantReader, TenantTransaction } from '../../../storage/database.ts'
import { type Comparison, comparePrices } from '../diff/price-diff.ts'
import type { PriceBook } from '../price-book.ts'
import { type BookPrice, bookPriceOf, listBookPrices } from './book-prices.ts'
import {
  amountsOf,
  isOwnInForce,
  OWN_PRICES_MAX,
  type OwnPriceRow,
  readAmounts,
  unitOf,
} from './own-price.ts'
import {
  countOwnPrices,
  endOwnPrice,
  insertOwnPrice,
  lockOwnPrices,
  markWithdrawn,
  ownPriceById,
  ownPricesOfSubject,
} from './own-price-store.ts'
import { createPricesOf, type TenantPrices } from './prices-of.ts'

export interface SetPriceInput {
  readonly subject: string
  /** Now, where nothing is said. */
  readonly effectiveFrom?: EpochMs | undefined
  readonly effectiveUntil?: EpochMs | undefined
  /** Decimal texts of USD: per million tokens of a model, per unit of anything else. */
  readonly amounts: PriceAmounts
  readonly note?: string | undefined
}

export interface PriceContext {
  readonly requestId: string | undefined
  /** Called in the transaction of the change, with the id of the price. */
  readonly inTransaction?: ((tx: TenantTransaction, id: string) => Promise<void>) | undefined
}

export type FoundPrice =
  | { readonly source: 'own'; readonly row: OwnPriceRow }
  | { readonly source: 'book'; readonly price: BookPrice }

interface PageOf<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | undefined
}
interface Asked {
  readonly limit: number
  readonly cursor?: string | undefined
}

export interface OwnPrices {
  /** Throws `request.invalid` with every wrong field, `price.overlap`. */
  set(principal: Principal, input: SetPriceInput, context: PriceContext): Promise<OwnPriceRow>
  /** Throws `price.not-found`. One that is withdrawn stays as it is. */
  withdraw(principal: Principal, id: PriceId, context: PriceContext): Promise<OwnPriceRow>
  /** A tenant's own, newest first, with those that ended or were withdrawn. */
  list(
    tenantId: TenantId,
    asked: Asked & {
      readonly subject?: string | undefined
      readonly provider?: string | undefined
      /** Only those in force at this time. */
      readonly at?: EpochMs | undefined
    },
  ): Promise<PageOf<OwnPriceRow>>
  /** The product's book in force at a time, by name. */
  listBook(
    asked: Asked & {
      readonly subject?: string | undefined
      readonly provider?: string | undefined
      readonly at?: EpochMs | undefined
    },
  ): PageOf<BookPrice>
  /** Throws `price.not-found`. */
  byId(tenantId: TenantId, id: PriceId): Promise<OwnPriceRow>
  /** What holds for the tenant at a time: its own, else the book's. Throws `price.not-found`. */
  get(tenantId: TenantId, subject: string, at?: EpochMs): Promise<FoundPrice>
  /** The book beside the prices of another source. */
  compare(theirs: readonly ComparedPrice[], at: EpochMs): Comparison
  /** The tenant's prices for rating, at most a second old. */
  pricesOf(tenantId: TenantId): Promise<TenantPrices>
}

export interface OwnPricesDeps {
  readonly db: Database
  readonly clock: Clock
  readonly book: PriceBook
  /** A clock that never goes back, in milliseconds, for the ages of what is kept. */
  readonly elapsed?: Clock
}

export function createOwnPrices(deps: OwnPricesDeps): OwnPrices {
  const { db, clock, book, elapsed = () => performance.now() } = deps
  const pricesOf = createPricesOf({ db, book, elapsed })
  const changed = async <T>(tenantId: TenantId, change: (tx: TenantTransaction) => Promise<T>) => {
    try {
      return await db.tenant(tenantId).write(change)
    } finally {
      pricesOf.forget(tenantId)
    }
  }
  return {
    set: async (principal, input, context) => {
      const row = rowOf(principal, input, clock())
      return changed(principal.tenantId, (tx) => setPrice(tx, principal, row, context))
    },
    withdraw: (principal, id, context) =>
      changed(principal.tenantId, (tx) => withdraw(tx, principal, id, { context, at: clock() })),
    async list(tenantId, { limit, cursor, subject, provider, at }) {
      const rows = await db.tenant(tenantId).read((reader) =>
        reader.query((builder, tenant) => {
          let query = builder.selectFrom('tenantPrices').selectAll().where('tenantId', '=', tenant)
          if (cursor !== undefined) query = query.where('id', '<', cursor as PriceId)
          if (subject !== undefined) query = query.where('subject', '=', subject)
          // `0` comes after `/`: all that begins with the provider, without a pattern.
          if (provider !== undefined)
            query = query.where('subject', '>=', `${provider}/`).where('subject', '<', `${provider}0`)
          if (at !== undefined)
            query = query
              .where('withdrawnAt', 'is', null)
              .where('effectiveFrom', '<=', at)
              .where((eb) => eb.or([eb('effectiveUntil', 'is', null), eb('effectiveUntil', '>', at)]))
          return query.orderBy('id', 'desc').limit(limit + 1)
        }),
      )
      const items = rows.slice(0, limit)
      return { items, nextCursor: rows.length > limit ? items.at(-1)?.id : undefined }
    },
    listBook: ({ at = clock(), ...asked }) => listBookPrices(book, { ...asked, at }),
    byId: (tenantId, id) => db.tenant(tenantId).read((reader) => foundPrice(reader, id)),
    async get(tenantId, subject, at = clock()) {
      const rows = await db.tenant(tenantId).read((reader) => reader.all(ownPricesOfSubject, { subject }))
      const row = rows.find((one) => isOwnInForce(one, at))
      if (row !== undefined) return { source: 'own', row }
      const price = bookPriceOf(book, subject, at)
      if (price !== undefined) return { source: 'book', price }
      const message = `There is no price of "${subject}" at that time, neither of your own nor in the book.`
      throw new AppError('price.not-found', message)
    },
    compare: (theirs, at) => comparePrices(book, theirs, at),
    pricesOf: pricesOf.of,
  }
}

/** Throws `request.invalid` with every wrong field. */
function rowOf(principal: Principal, input: SetPriceInput, now: EpochMs): OwnPriceRow {
  const { subject, effectiveFrom = now, effectiveUntil = null } = input
  const errors: FieldError[] = []
  const unit = unitOf(subject)
  const { amounts, errors: wrong } =
    typeof unit === 'string' ? readAmounts(unit, input.amounts) : { errors: [unit] }
  errors.push(...(wrong ?? []))
  if (effectiveUntil !== null && effectiveUntil <= effectiveFrom)
    errors.push({ path: '/effective_until', message: 'must be after effective_from' })
  if (errors.length > 0)
    throw new AppError('request.invalid', 'This price cannot be set; see errors.', { errors })
  return {
    id: newId('price', now),
    subject,
    effectiveFrom,
    effectiveUntil,
    amounts: JSON.stringify(amounts),
    note: input.note ?? '',
    createdBy: actorOf(principal),
    createdAt: now,
    withdrawnAt: null,
  }
}

async function setPrice(
  tx: TenantTransaction,
  principal: Principal,
  row: OwnPriceRow,
  context: PriceContext,
): Promise<OwnPriceRow> {
  await standInLine(tx)
  const count = Number((await tx.first(countOwnPrices, {}))?.count ?? 0)
  if (count >= OWN_PRICES_MAX)
    throw new AppError(
      'request.invalid',
      `There are ${OWN_PRICES_MAX} prices already, which is the most; withdraw some.`,
    )
  const ended = await makeRoom(tx, row)
  await tx.run(insertOwnPrice, row)
  await audit(tx, principal, 'price.set', row, { ended, context, at: row.createdAt })
  await context.inTransaction?.(tx, row.id)
  return row
}

/** Ends the open price where the new one begins, and answers it. Throws `price.overlap` where that is not enough. */
async function makeRoom(tx: TenantTransaction, row: OwnPriceRow): Promise<OwnPriceRow | undefined> {
  let ended: OwnPriceRow | undefined
  for (const other of await tx.all(ownPricesOfSubject, { subject: row.subject })) {
    if (other.effectiveUntil === null && other.effectiveFrom < row.effectiveFrom) {
      ended = other
      continue
    }
    const ends = other.effectiveUntil ?? Number.POSITIVE_INFINITY
    const rowEnds = row.effectiveUntil ?? Number.POSITIVE_INFINITY
    if (other.effectiveFrom < rowEnds && row.effectiveFrom < ends) throw overlap(other)
  }
  if (ended !== undefined) await tx.run(endOwnPrice, { id: ended.id, effectiveUntil: row.effectiveFrom })
  return ended
}

async function withdraw(
  tx: TenantTransaction,
  principal: Principal,
  id: PriceId,
  { context, at }: { readonly context: PriceContext; readonly at: EpochMs },
): Promise<OwnPriceRow> {
  await standInLine(tx)
  const changes = await tx.run(markWithdrawn, { id, at })
  const row = await foundPrice(tx, id)
  if (changes > 0) await audit(tx, principal, 'price.withdrawn', row, { context, at })
  await context.inTransaction?.(tx, id)
  return row
}

function standInLine(tx: TenantTransaction): Promise<unknown> {
  return tx.first(lockOwnPrices, { key: JSON.stringify(['own-prices', tx.tenantId]) })
}

async function foundPrice(reader: TenantReader, id: PriceId): Promise<OwnPriceRow> {
  const row = await reader.first(ownPriceById, { id })
  if (row === undefined)
    throw new AppError(
      'price.not-found',
      `There is no price "${id}"; list the prices to see which there are.`,
    )
  return row
}

function overlap({ id, subject, effectiveFrom, effectiveUntil }: OwnPriceRow): AppError {
  const until = effectiveUntil === null ? 'on' : `to ${formatTime(effectiveUntil)}`
  const message = `The price ${id} of "${subject}" holds from ${formatTime(effectiveFrom)} ${until}; choose another time, or withdraw it.`
  return new AppError('price.overlap', message)
}

async function audit(
  tx: TenantTransaction,
  principal: Principal,
  type: 'price.set' | 'price.withdrawn',
  row: OwnPriceRow,
  more: {
    readonly ended?: OwnPriceRow | undefined
    readonly context: PriceContext
    readonly at: EpochMs
  },
): Promise<void> {
  const { ended, context, at } = more
  await appendAudit(tx, {
    type,
    actor: actorOf(principal),
    subject: row.id,
    data: {
      subject: row.subject,
      effectiveFrom: formatTime(row.effectiveFrom),
      effectiveUntil: row.effectiveUntil === null ? null : formatTime(row.effectiveUntil),
      amounts: jsonOf(amountsOf(row)),
      note: row.note,
      ...(ended === undefined ? {} : { ended: { id: ended.id, amounts: jsonOf(amountsOf(ended)) } }),
    },
    requestId: context.requestId,
    at,
  })
}

/** Without what is not there. */
function jsonOf(amounts: PriceAmounts): Json {
  return JSON.parse(JSON.stringify(amounts)) as Json
}
