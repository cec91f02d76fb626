// Use cases with Stripe: a customer, links to pay and to manage, what was told and what is missing, events taken. Without
// Stripe everything else works: invoices are paid by hand.

import { AppError } from '../../base/errors.ts'
import type { InvoiceId, TenantId } from '../../base/ids.ts'
import type { Clock, EpochMs } from '../../base/time.ts'
import { actorOf, type Principal } from '../../contract/principal.ts'
import { appendAudit } from '../../events/append.ts'
import type { MaintenanceTask } from '../../runtime/maintenance.ts'
import type { Database, TenantTransaction } from '../../storage/database.ts'
import type { BillingAccount, InvoiceRow } from '../invoices/invoice.ts'
import { linesOfInvoice } from '../invoices/invoice-store.ts'
import { selectPlan, selectPlanByKey } from '../plans/plan-store.ts'
import { accountOrThrow } from '../subscriptions/accounts.ts'
import { type AccountRow, accountOf, subscriptionById } from '../subscriptions/subscription-store.ts'
import { setCustomer } from './account-store.ts'
import { correct, gatherUsage, hourOf, type Reconciled, reconcile } from './meter-usage.ts'
import { countOutbox, failedOutbox, tellStripe } from './outbox-store.ts'
import { sendOutbox } from './send-outbox.ts'
import { failureOf, type StripeApi } from './stripe-api.ts'
import { processEvents, receiveEvent, signatureOf } from './stripe-events.ts'

const SEND_EVERY_MS = 5_000
const GATHER_EVERY_MS = 60_000
const FAILED_SHOWN = 20

export interface StripeDeps {
  readonly db: Database
  readonly clock: Clock
  /** Undefined: no key is set. */
  readonly stripe: StripeApi | undefined
  readonly random?: (() => number) | undefined
}

interface Context {
  readonly requestId: string | undefined
}

export interface StripeStatus {
  readonly configured: boolean
  readonly customerId: string | null
  readonly collection: AccountRow['collection'] | null
  readonly meteredUntil: EpochMs | null
  readonly outbox: Readonly<Record<'pending' | 'sent' | 'refused' | 'dead', number>>
  readonly failed: readonly {
    readonly identifier: string
    readonly kind: string
    readonly state: string
    readonly error: string
    readonly createdAt: EpochMs
  }[]
}

export interface CheckoutRequest {
  /** Id or key of a plan; without one the link only saves how to pay. */
  readonly plan?: string | undefined
  readonly seats?: number | undefined
  readonly successUrl: string
  readonly cancelUrl: string
}

export interface StripeBilling {
  status(tenantId: TenantId): Promise<StripeStatus>
  /** The address of a page at Stripe where the customer pays or says how to. */
  checkout(principal: Principal, input: CheckoutRequest, context: Context): Promise<{ readonly url: string }>
  /** The address of a page at Stripe where the customer manages cards and invoices. */
  portal(principal: Principal, returnUrl: string, context: Context): Promise<{ readonly url: string }>
  /** Compares whole hours with Stripe; `fix` tells what is missing there. */
  reconcile(
    principal: Principal,
    window: { readonly from: EpochMs; readonly to: EpochMs; readonly fix: boolean },
    context: Context,
  ): Promise<{ readonly items: readonly Reconciled[]; readonly told: number }>
  /** Takes an event by its raw body and signature. */
  receive(body: string, signature: string | undefined): Promise<void>
  /** To be told of a finalised invoice, in its transaction: it is handed on to Stripe where Stripe collects. */
  finalised(tx: TenantTransaction, invoice: InvoiceRow, account: BillingAccount): Promise<void>
  readonly tasks: readonly MaintenanceTask[]
}

export function createStripeBilling(deps: StripeDeps): StripeBilling {
  const { db, clock, stripe, random = Math.random } = deps
  const api = (): StripeApi => {
    if (stripe !== undefined) return stripe
    throw new AppError('stripe.not-configured', 'Stripe is not set up: set STRIPE_SECRET_KEY.')
  }

  const customerOf = async (principal: Principal, { requestId }: Context): Promise<AccountRow> => {
    const { tenantId } = principal
    const tenant = db.tenant(tenantId)
    const read = async (): Promise<AccountRow> =>
      accountOrThrow(await tenant.read((reader) => reader.first(accountOf, {})))
    const account = await read()
    if (account.stripeCustomerId !== null) return account
    const { name, email } = account
    // Under one key for ever: two who ask at once, or one who died after asking, get one customer.
    const customerId = await asked(() =>
      api().createCustomer({ tenantId, name, email }, `customer-${tenantId}`),
    )
    const at = clock()
    await tenant.write(async (tx) => {
      if ((await tx.run(setCustomer, { customerId, meteredUntil: hourOf(at), at })) === 0) return
      const data = { after: { stripe_customer_id: customerId } }
      const actor = actorOf(principal)
      await appendAudit(tx, {
        type: 'billing.account-updated',
        actor,
        subject: tenantId,
        data,
        requestId,
        at,
      })
    })
    return read()
  }

  return {
    async status(tenantId) {
      const found = await db.tenant(tenantId).read(async (reader) => ({
        account: await reader.first(accountOf, {}),
        counts: await reader.all(countOutbox, {}),
        failed: await reader.all(failedOutbox, { limit: FAILED_SHOWN }),
      }))
      const count = (state: string): number =>
        Number(found.counts.find((row) => row.state === state)?.count ?? 0)
      return {
        configured: stripe !== undefined,
        customerId: found.account?.stripeCustomerId ?? null,
        collection: found.account?.collection ?? null,
        meteredUntil: found.account?.meteredUntil ?? null,
        outbox: {
          pending: count('pending'),
          sent: count('sent'),
          refused: count('refused'),
          dead: count('dead'),
        },
        failed: found.failed.map(({ lastError, ...row }) => ({ ...row, error: lastError ?? '' })),
      }
    },

    async checkout(principal, input, context) {
      api()
      const account = await customerOf(principal, context)
      const plan = input.plan === undefined ? undefined : await sellable(db, input.plan)
      if (plan !== undefined && plan.currency !== account.currency)
        throw refusedField('/plan', `Must be in ${account.currency}, the account's currency.`)
      const { url } = await asked(() =>
        api().createCheckout(
          {
            customerId: account.stripeCustomerId ?? '',
            tenantId: principal.tenantId,
            plan: plan && { id: plan.id, priceId: plan.stripePriceId, seats: input.seats ?? 1 },
            currency: account.currency,
            successUrl: input.successUrl,
            cancelUrl: input.cancelUrl,
          },
          `checkout-${principal.tenantId}-${context.requestId ?? crypto.randomUUID()}`,
        ),
      )
      return { url }
    },

    async portal(principal, returnUrl, context) {
      api()
      const account = await customerOf(principal, context)
      return { url: await asked(() => api().createPortal(account.stripeCustomerId ?? '', returnUrl)) }
    },

    async reconcile(principal, { from, to, fix }, context) {
      const { tenantId } = principal
      const tenant = db.tenant(tenantId)
      const account = accountOrThrow(await tenant.read((reader) => reader.first(accountOf, {})))
      if (account.stripeCustomerId === null)
        throw new AppError('stripe.not-configured', 'The account has no customer at Stripe yet.')
      const customer = { customerId: account.stripeCustomerId }
      const items = await asked(() => reconcile(db, api(), customer, from, to, tenantId))
      if (!fix) return { items, told: 0 }
      const at = clock()
      const told = await tenant.write(async (tx) => {
        const corrected = await correct(tx, customer.customerId, items, { from, until: to, at })
        const data = { from, to, told: corrected.map(({ metric, quantity }) => `${metric}: ${quantity}`) }
        const { requestId } = context
        const actor = actorOf(principal)
        await appendAudit(tx, {
          type: 'stripe.usage-corrected',
          actor,
          subject: tenantId,
          data,
          requestId,
          at,
        })
        return corrected.length
      })
      return { items, told }
    },

    async receive(body, signature) {
      const events = { db, stripe: api() }
      const at = clock()
      await receiveEvent(events, body, signatureOf(signature), at)
    },

    async finalised(tx, invoice, account) {
      if (stripe === undefined || account.collection !== 'stripe' || account.stripeCustomerId === null) return
      if (invoice.subscriptionId !== null) {
        const subscription = await tx.first(subscriptionById, { id: invoice.subscriptionId })
        // Stripe bills this one itself.
        if (subscription?.stripeSubscriptionId != null) return
      }
      await handOn(tx, invoice, account.stripeCustomerId, clock())
    },

    tasks:
      stripe === undefined
        ? []
        : [
            { name: 'stripe-usage', everyMs: GATHER_EVERY_MS, run: (at) => gatherUsage(db, at) },
            {
              name: 'stripe-outbox',
              everyMs: SEND_EVERY_MS,
              run: async (at) => void (await sendOutbox({ db, stripe, random }, at)),
            },
            { name: 'stripe-events', everyMs: SEND_EVERY_MS, run: (at) => processEvents({ db, stripe }, at) },
          ],
  }
}

/** The invoice as Stripe gets it: our lines, and a credit as a line that takes off. */
async function handOn(
  tx: TenantTransaction,
  invoice: InvoiceRow,
  customerId: string,
  at: EpochMs,
): Promise<void> {
  const lines = await tx.all(linesOfInvoice, { id: invoice.id satisfies InvoiceId })
  await tellStripe(
    tx,
    'invoice',
    `invoice-${invoice.id}`,
    {
      invoiceId: invoice.id,
      customerId,
      currency: invoice.currency,
      description: invoice.number ?? invoice.id,
      metadata: { tenant_id: tx.tenantId, invoice_id: invoice.id },
      lines: lines
        .filter(({ amountMinor }) => amountMinor !== 0n)
        .map(({ description, amountMinor }) => ({ description, amount: amountMinor.toString() })),
    },
    at,
  )
}

async function sellable(db: Database, name: string) {
  const row = await db.system.read(
    async (reader) =>
      (await reader.first(selectPlan, { id: name as never })) ??
      (await reader.first(selectPlanByKey, { key: name })),
  )
  if (row === undefined || row.state !== 'active')
    throw new AppError('plan.not-found', `There is no plan "${name}" to subscribe to.`)
  const { stripePriceId } = row
  if (stripePriceId === null)
    throw refusedField(
      '/plan',
      'The plan has no price at Stripe: subscribe to it here, and leave "plan" out to save how to pay.',
    )
  return { ...row, stripePriceId }
}

function refusedField(path: string, message: string): AppError {
  return new AppError('request.invalid', 'The checkout cannot be made; see errors.', {
    errors: [{ path, message }],
  })
}

/** A call whose failure the caller hears of. */
async function asked<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof AppError) throw error
    const failure = failureOf(error)
    const why = failure.kind === 'duplicate' ? 'It is there already.' : failure.message
    throw new AppError('stripe.failed', `Stripe did not do it: ${why}`, { cause: error })
  }
}
