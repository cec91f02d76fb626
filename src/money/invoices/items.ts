// Credits and adjustments: what is taken up by the next invoice. Each is written with an audit fact.

import {
  currencyDigits,
  formatMinor,
  isCurrency,
  isHoldable,
  parseMinor,
  UNITS_OF_AMOUNT_MAX,
} from '../../base/currency.ts'
import { AppError, type FieldError } from '../../base/errors.ts'
import type { BillingItemId, TenantId } from '../../base/ids.ts'
import { newId } from '../../base/ids.ts'
import { type Clock, formatTime, parseTime } from '../../base/time.ts'
import type { CreateAdjustment, CreateCredit } from '../../contract/invoice.ts'
import { actorOf, type Principal } from '../../contract/principal.ts'
import { appendAudit } from '../../events/append.ts'
import type { Database } from '../../storage/database.ts'
import type { BillingContext } from '../plans/plans.ts'
import { accountOrThrow } from '../subscriptions/accounts.ts'
import { accountOf, insertItem } from '../subscriptions/subscription-store.ts'
import type { BillingItem } from './invoice.ts'
import { itemById } from './invoice-store.ts'

export interface ItemDeps {
  readonly db: Database
  readonly clock: Clock
}

export interface ItemFilter {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly open?: boolean | undefined
}

export type NewItem =
  | (CreateCredit & { readonly kind: 'credit' })
  | (CreateAdjustment & { readonly kind: 'adjustment' })

export function createItem(
  deps: ItemDeps,
  principal: Principal,
  tenantId: TenantId,
  asked: NewItem,
  context: BillingContext,
): Promise<BillingItem> {
  const at = deps.clock()
  return deps.db.tenant(tenantId).write(async (tx) => {
    const { currency } = accountOrThrow(await tx.first(accountOf, {}))
    const amountMinor = amountOf(asked, currency)
    const expiresAt = asked.kind === 'credit' ? expiryOf(asked, at) : null
    const id = newId('billingItem', at)
    await tx.run(insertItem, {
      id,
      kind: asked.kind,
      currency,
      amountMinor,
      remainingMinor: amountMinor,
      description: asked.description,
      detail: '{}',
      factKey: `given:${id}`,
      expiresAt,
      createdBy: actorOf(principal),
      createdAt: at,
    })
    await appendAudit(tx, {
      type: 'billing-item.created',
      actor: actorOf(principal),
      subject: id,
      data: {
        before: null,
        after: {
          kind: asked.kind,
          amount: formatMinor(amountMinor, currency),
          currency,
          description: asked.description,
          expires_at: expiresAt === null ? null : formatTime(expiresAt),
        },
      },
      requestId: context.requestId,
      at,
    })
    await context.inTransaction?.(tx, id)
    return foundItem(await tx.first(itemById, { id }), id)
  })
}

/** A page of the account's items, newest first. */
export async function listItems(
  db: Database,
  tenantId: TenantId,
  { limit, cursor, open }: ItemFilter,
): Promise<{ readonly items: readonly BillingItem[]; readonly nextCursor: string | undefined }> {
  const rows = await db.tenant(tenantId).read((reader) =>
    reader.query((builder, tenant) => {
      let query = builder.selectFrom('billingItems').selectAll().where('tenantId', '=', tenant)
      if (cursor !== undefined) query = query.where('id', '<', cursor as BillingItemId)
      if (open === true) query = query.where('remainingMinor', '<>', 0n)
      if (open === false) query = query.where('remainingMinor', '=', 0n)
      return query.orderBy('id', 'desc').limit(limit + 1)
    }),
  )
  const items = rows.slice(0, limit)
  return { items, nextCursor: rows.length > limit ? items.at(-1)?.id : undefined }
}

export async function getItem(db: Database, tenantId: TenantId, id: BillingItemId): Promise<BillingItem> {
  return foundItem(await db.tenant(tenantId).read((reader) => reader.first(itemById, { id })), id)
}

function foundItem(item: BillingItem | undefined, id: string): BillingItem {
  if (item === undefined) throw new AppError('billing-item.not-found', `There is no billing item "${id}".`)
  return item
}

function amountOf(
  asked: {
    readonly kind: 'credit' | 'adjustment'
    readonly amount: string
    readonly currency?: string | undefined
  },
  currency: string,
): bigint {
  if (asked.currency !== undefined && asked.currency !== currency) {
    const message = isCurrency(asked.currency)
      ? `must be the currency of the account, ${currency}`
      : 'must be the ISO 4217 code of a currency, such as USD'
    throw invalid({ path: '/currency', message })
  }
  const amount = parseMinor(asked.amount, currency)
  if (amount === undefined)
    throw invalid({
      path: '/amount',
      message: `must have at most ${currencyDigits(currency)} decimals, as ${currency} has`,
    })
  if (!isHoldable(amount, currency))
    throw invalid({ path: '/amount', message: `must be at most ${UNITS_OF_AMOUNT_MAX}` })
  if (amount === 0n) throw invalid({ path: '/amount', message: 'must not be zero' })
  if (asked.kind === 'credit' && amount < 0n)
    throw invalid({ path: '/amount', message: 'must be more than zero: a credit lowers what is to pay' })
  return amount
}

function expiryOf(asked: { readonly expiresAt?: string | undefined }, at: number): number | null {
  if (asked.expiresAt === undefined) return null
  const expiresAt = parseTime(asked.expiresAt)
  if (expiresAt === undefined || expiresAt <= at)
    throw invalid({ path: '/expires_at', message: 'must be a time to come' })
  return expiresAt
}

function invalid(error: FieldError): AppError {
  return new AppError('request.invalid', `${error.path.slice(1)} ${error.message}.`, { errors: [error] })
}
