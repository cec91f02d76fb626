// Use cases of a billing account: who is billed, in which currency, by which clock.

import { isCurrency } from '../../base/currency.ts'
import { AppError, type FieldError } from '../../base/errors.ts'
import type { TenantId } from '../../base/ids.ts'
import type { Clock } from '../../base/time.ts'
import { actorOf, type Principal } from '../../contract/principal.ts'
import type { PutBillingAccount } from '../../contract/subscription.ts'
import { appendAudit } from '../../events/append.ts'
import type { Database, TenantTransaction } from '../../storage/database.ts'
import type { BillingContext } from '../plans/plans.ts'
import { isTimeZone } from './periods.ts'
import {
  type AccountRow,
  accountOf,
  anyInvoice,
  insertAccount,
  lastSubscription,
  lockAccount,
  updateAccount,
} from './subscription-store.ts'

export interface Accounts {
  get(tenantId: TenantId): Promise<AccountRow>
  /** Makes the account or changes it. Its currency stays once something was billed or subscribed to in it. */
  put(principal: Principal, input: PutBillingAccount, context: BillingContext): Promise<AccountRow>
}

export function createAccounts({ db, clock }: { readonly db: Database; readonly clock: Clock }): Accounts {
  return {
    get: async (tenantId) =>
      accountOrThrow(await db.tenant(tenantId).read((reader) => reader.first(accountOf, {}))),

    put: async (principal, input, context) => {
      const at = clock()
      check(input)
      const actor = actorOf(principal)
      return db.tenant(principal.tenantId).write(async (tx) => {
        const given = { ...input, email: input.email ?? null, timeZone: input.timeZone ?? 'UTC', at }
        const isNew = (await tx.run(insertAccount, given)) === 1
        const before = accountOrThrow(await tx.first(lockAccount, {}))
        if (!isNew) {
          if (input.currency !== before.currency) await checkCurrencyFree(tx, before)
          const { email = before.email, timeZone = before.timeZone } = input
          await tx.run(updateAccount, { ...given, email, timeZone })
        }
        const after = accountOrThrow(await tx.first(accountOf, {}))
        const data = { before: isNew ? null : factsOf(before), after: factsOf(after) }
        const { requestId } = context
        const subject = principal.tenantId
        await appendAudit(tx, { type: 'billing.account-updated', actor, subject, data, requestId, at })
        await context.inTransaction?.(tx, subject)
        return after
      })
    },
  }
}

/** Throws `billing.not-set-up` where there is none. */
export function accountOrThrow(account: AccountRow | undefined): AccountRow {
  if (account !== undefined) return account
  throw new AppError(
    'billing.not-set-up',
    'The tenant has no billing account yet: say who is billed and in which currency with PUT /billing/account.',
  )
}

function check({ currency, timeZone }: PutBillingAccount): void {
  const errors: FieldError[] = []
  if (!isCurrency(currency))
    errors.push({
      path: '/currency',
      message: `There is no currency "${currency}". Allowed: codes of ISO 4217.`,
    })
  if (timeZone !== undefined && !isTimeZone(timeZone))
    errors.push({ path: '/time_zone', message: `There is no time zone "${timeZone}". Allowed: IANA names.` })
  if (errors.length > 0)
    throw new AppError('request.invalid', 'The account cannot be like this; see errors.', { errors })
}

async function checkCurrencyFree(tx: TenantTransaction, { currency }: AccountRow): Promise<void> {
  const last = await tx.first(lastSubscription, {})
  const isUsed =
    (last !== undefined && last.state !== 'cancelled') || (await tx.first(anyInvoice, {})) !== undefined
  if (!isUsed) return
  const message = `It stays ${currency}: there is a subscription or an invoice in it.`
  throw new AppError('request.invalid', 'The currency cannot be changed any more; see errors.', {
    errors: [{ path: '/currency', message }],
  })
}

/** For the audit log, which keeps no name and no address. */
function factsOf({ currency, timeZone, collection }: AccountRow) {
  return { currency, time_zone: timeZone, collection }
}
