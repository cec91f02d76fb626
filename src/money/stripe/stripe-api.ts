// What is asked of Stripe, and its SDK behind it. The SDK is loaded when it is first needed. Nothing here is stored or
// decided; each call that makes something takes a key, under which Stripe makes it once.

import type { Stripe } from 'stripe'
import { currencyDigits } from '../../base/currency.ts'
import { AppError, isAppError } from '../../base/errors.ts'
import type { EpochMs } from '../../base/time.ts'

/** How long Stripe may take to answer. */
const CALL_MS_MAX = 20_000
/** How old a signed event may be. */
const SIGNED_SECONDS_MAX = 300
const MS_PER_SECOND = 1_000
/** Without decimals at Stripe, whatever the data of this host says (docs.stripe.com/currencies); of the others most have two. */
const NO_DECIMALS: ReadonlySet<string> = new Set(
  'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' '),
)
/** Of currencies with three decimals Stripe takes the last one only as zero. */
const THREE_DECIMALS: ReadonlySet<string> = new Set(['BHD', 'JOD', 'KWD', 'OMR', 'TND'])

export interface StripeConfig {
  readonly secretKey: string
  /** Without it no event is taken. */
  readonly webhookSecret: string | undefined
  /** Another server that behaves like Stripe's. */
  readonly apiUrl?: URL | undefined
}

export type StripeInvoice = Stripe.Invoice
export type StripeSubscription = Stripe.Subscription
export type StripeSession = Stripe.Checkout.Session
export type StripeEvent = Stripe.Event

export interface NewStripeInvoice {
  readonly customerId: string
  readonly currency: string
  readonly lines: readonly { readonly description: string; readonly amountMinor: bigint }[]
  readonly description: string
  readonly metadata: Readonly<Record<string, string>>
}

export interface CheckoutInput {
  readonly customerId: string
  readonly tenantId: string
  /** Where Stripe has the plan's price it bills the plan itself; else the session only saves how to pay. */
  readonly plan: { readonly id: string; readonly priceId: string; readonly seats: number } | undefined
  readonly currency: string
  readonly successUrl: string
  readonly cancelUrl: string
}

export interface MeterEvent {
  readonly eventName: string
  readonly customerId: string
  readonly value: string
  readonly identifier: string
  readonly at: EpochMs
}

export interface StripeApi {
  createCustomer(of: { tenantId: string; name: string; email: string | null }, key: string): Promise<string>
  createCheckout(input: CheckoutInput, key: string): Promise<{ readonly id: string; readonly url: string }>
  createPortal(customerId: string, returnUrl: string): Promise<string>
  sendMeterEvent(event: MeterEvent): Promise<void>
  /** What Stripe has summed up of a meter; undefined where it has no meter of that name. */
  meterSum(eventName: string, customerId: string, from: EpochMs, until: EpochMs): Promise<number | undefined>
  /** Makes an invoice of its lines and lets Stripe collect it. Called again with the same key it goes on where it stopped. */
  createInvoice(invoice: NewStripeInvoice, key: string): Promise<string>
  invoice(id: string): Promise<StripeInvoice>
  subscription(id: string): Promise<StripeSubscription>
  session(id: string): Promise<StripeSession>
  /** The event of a body that Stripe signed. Throws `stripe.signature-invalid`. */
  verify(body: string, signature: string, at: EpochMs): Promise<StripeEvent>
}

/** Stripe by its SDK. Throws nothing until it is asked. */
export function openStripe(config: StripeConfig): StripeApi {
  let opened: Promise<Stripe> | undefined
  const client = (): Promise<Stripe> => {
    opened ??= load(config)
    return opened
  }
  return {
    async createCustomer({ tenantId, name, email }, idempotencyKey) {
      const stripe = await client()
      const fields = { name, metadata: { tenant_id: tenantId }, ...(email === null ? {} : { email }) }
      return (await stripe.customers.create(fields, { idempotencyKey })).id
    },
    async createCheckout(input, idempotencyKey) {
      const stripe = await client()
      const session = await stripe.checkout.sessions.create(checkoutOf(input), { idempotencyKey })
      if (session.url === null)
        throw new AppError('stripe.failed', 'Stripe made a checkout without an address.')
      return { id: session.id, url: session.url }
    },
    async createPortal(customer, returnUrl) {
      const stripe = await client()
      return (await stripe.billingPortal.sessions.create({ customer, return_url: returnUrl })).url
    },
    async sendMeterEvent({ eventName, customerId, value, identifier, at }) {
      const stripe = await client()
      await stripe.billing.meterEvents.create(
        {
          event_name: eventName,
          payload: { stripe_customer_id: customerId, value },
          identifier,
          timestamp: Math.floor(at / MS_PER_SECOND),
        },
        { idempotencyKey: identifier },
      )
    },
    async meterSum(eventName, customer, from, until) {
      const stripe = await client()
      for await (const meter of stripe.billing.meters.list({ status: 'active', limit: 100 })) {
        if (meter.event_name !== eventName) continue
        let sum = 0
        const window = { start_time: from / MS_PER_SECOND, end_time: until / MS_PER_SECOND }
        const summaries = stripe.billing.meters.listEventSummaries(meter.id, { customer, ...window })
        for await (const { aggregated_value } of summaries) sum += aggregated_value
        return sum
      }
      return undefined
    },
    async createInvoice(invoice, key) {
      const stripe = await client()
      const { customerId: customer, currency, description, metadata, lines } = invoice
      const code = currency.toLowerCase()
      // Refused before anything is made.
      const amounts = lines.map((line) => amountAtStripe(line.amountMinor, currency))
      const made = await stripe.invoices.create(
        {
          customer,
          currency: code,
          collection_method: 'charge_automatically',
          // Stripe would collect a draft that waits for its lines.
          auto_advance: false,
          pending_invoice_items_behavior: 'exclude',
          description,
          metadata: { ...metadata },
        },
        { idempotencyKey: `${key}-invoice` },
      )
      for (const [n, line] of lines.entries()) {
        const item = { customer, invoice: made.id, currency: code, amount: amounts[n] ?? 0 }
        await stripe.invoiceItems.create(
          { ...item, description: line.description },
          { idempotencyKey: `${key}-line-${n}` },
        )
      }
      await stripe.invoices.finalizeInvoice(
        made.id,
        { auto_advance: true },
        { idempotencyKey: `${key}-finalise` },
      )
      return made.id
    },
    invoice: async (id) => (await client()).invoices.retrieve(id),
    subscription: async (id) => (await client()).subscriptions.retrieve(id),
    session: async (id) => (await client()).checkout.sessions.retrieve(id),
    async verify(body, signature, at) {
      const { webhookSecret } = config
      if (webhookSecret === undefined)
        throw new AppError('stripe.not-configured', 'Set STRIPE_WEBHOOK_SECRET to take events of Stripe.')
      const stripe = await client()
      try {
        return await stripe.webhooks.constructEventAsync(
          body,
          signature,
          webhookSecret,
          SIGNED_SECONDS_MAX,
          undefined,
          at,
        )
      } catch (cause) {
        const message = 'The event is not signed as Stripe signs, or was signed too long ago.'
        throw new AppError('stripe.signature-invalid', message, { cause })
      }
    },
  }
}

async function load({ secretKey, apiUrl }: StripeConfig): Promise<Stripe> {
  const { default: Client } = await import('stripe').catch((cause: unknown) => {
    throw new AppError('stripe.not-configured', 'Stripe needs the package "stripe": npm install stripe.', {
      cause,
    })
  })
  const own =
    apiUrl === undefined
      ? {}
      : {
          host: apiUrl.hostname,
          protocol: apiUrl.protocol === 'http:' ? ('http' as const) : ('https' as const),
          ...(apiUrl.port === '' ? {} : { port: apiUrl.port }),
        }
  // What is tried again is the outbox's business: it knows what was stored.
  return new Client(secretKey, { maxNetworkRetries: 0, timeout: CALL_MS_MAX, telemetry: false, ...own })
}

function checkoutOf(input: CheckoutInput): Stripe.Checkout.SessionCreateParams {
  const { plan } = input
  const shared = {
    customer: input.customerId,
    client_reference_id: input.tenantId,
    success_url: input.successUrl,
    cancel_url: input.cancelUrl,
  }
  const metadata = { tenant_id: input.tenantId, ...(plan === undefined ? {} : { plan_id: plan.id }) }
  if (plan === undefined)
    return { ...shared, mode: 'setup', currency: input.currency.toLowerCase(), metadata }
  return {
    ...shared,
    mode: 'subscription',
    line_items: [{ price: plan.priceId, quantity: plan.seats }],
    metadata,
    subscription_data: { metadata },
  }
}

/** An amount as Stripe counts it. Throws where it cannot be said there. */
export function amountAtStripe(minor: bigint, currency: string): number {
  const ours = 10n ** BigInt(currencyDigits(currency))
  const theirs = NO_DECIMALS.has(currency) ? 1n : THREE_DECIMALS.has(currency) ? 1_000n : 100n
  if ((minor * theirs) % ours !== 0n)
    throw new AppError('stripe.failed', `Stripe takes ${currency} with fewer decimals than this amount has.`)
  const amount = (minor * theirs) / ours
  if (THREE_DECIMALS.has(currency) && amount % 10n !== 0n)
    throw new AppError('stripe.failed', `Stripe takes ${currency} in steps of 0.010; ${amount} fils is none.`)
  if (amount > BigInt(Number.MAX_SAFE_INTEGER) || amount < -BigInt(Number.MAX_SAFE_INTEGER))
    throw new AppError('stripe.failed', 'The amount is larger than Stripe takes.')
  return Number(amount)
}

export type Failure =
  /** Stripe has it already: as good as sent. */
  | { readonly kind: 'duplicate' }
  /** It may work later; nothing is known of whether it had its effect, so the same key goes along again. */
  | {
      readonly kind: 'later'
      readonly message: string
      readonly afterMs: number | undefined
      /** Stripe answered that it did nothing. */
      readonly hadNoEffect: boolean
    }
  /** It will never be taken like this. */
  | { readonly kind: 'refused'; readonly message: string }

/** What a failed call means for what comes next. Codes and types as docs.stripe.com/error-handling has them. */
export function failureOf(error: unknown): Failure {
  // Other failures of ours are of the moment: a busy database, a package that is missing here.
  if (isAppError(error, 'stripe.failed')) return { kind: 'refused', message: error.message }
  const { type = '', statusCode, code, message = '', headers } = error as Partial<Stripe.errors.StripeError>
  if (code === 'duplicate_meter_event' || /already exists with identifier/i.test(message))
    return { kind: 'duplicate' }
  const final = statusCode !== undefined && statusCode >= 400 && statusCode < 500
  if (final && ![401, 403, 409, 429].includes(statusCode))
    return { kind: 'refused', message: `${type} ${statusCode}: ${message}` }
  const seconds = Number((headers as Record<string, string> | undefined)?.['retry-after'])
  const afterMs = Number.isFinite(seconds) && seconds >= 0 ? seconds * MS_PER_SECOND : undefined
  return {
    kind: 'later',
    message: message === '' ? 'Stripe does not answer.' : `${type}: ${message}`,
    afterMs,
    hadNoEffect: final && statusCode !== 409,
  }
}
