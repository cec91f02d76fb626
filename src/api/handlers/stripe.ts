import { formatTime, parseTime } from '../../base/time.ts'
import type { Reconciled } from '../../money/stripe/meter-usage.ts'
import type { ApiDeps } from '../api-deps.ts'
import { type Handlers, NO_CONTENT, ok } from '../call.ts'

type StripeRoutes = typeof import('../../contract/routes/stripe.ts').stripeRoutes

export function stripeHandlers(deps: ApiDeps): Pick<Handlers, keyof StripeRoutes> {
  const { stripe } = deps.money
  return {
    async getStripeStatus({ principal }) {
      const { meteredUntil, failed, ...status } = await stripe.status(principal.tenantId)
      return ok({
        ...status,
        meteredUntil: meteredUntil === null ? null : formatTime(meteredUntil),
        failed: failed.map((row) => ({ ...row, createdAt: formatTime(row.createdAt) })),
      })
    },
    createStripeCheckout: async ({ principal, body, request }) =>
      ok(await stripe.checkout(principal, body, { requestId: request.requestId })),
    createStripePortal: async ({ principal, body, request }) =>
      ok(await stripe.portal(principal, body.returnUrl, { requestId: request.requestId })),
    async reconcileStripe({ principal, body, request }) {
      const window = { from: atOf(body.from), to: atOf(body.to), fix: body.fix === true }
      const { items, told } = await stripe.reconcile(principal, window, { requestId: request.requestId })
      return ok({ items: items.map(reconciledView), told })
    },
    async receiveStripeEvent({ body, request }) {
      await stripe.receive(body, request.header('stripe-signature'))
      return NO_CONTENT
    },
  }
}

/** The schema has seen that it is a time. */
function atOf(text: string): number {
  return parseTime(text) ?? Number.NaN
}

function reconciledView({ metric, used, told, pending, refused, atStripe }: Reconciled) {
  return {
    metric,
    used: used.toString(),
    told: told.toString(),
    pending: pending.toString(),
    refused: refused.toString(),
    atStripe: atStripe ?? null,
    agrees: atStripe === undefined ? used === 0n : BigInt(Math.round(atStripe)) === used,
  }
}
