import { z } from 'zod'
import { route } from '../route.ts'
import {
  stripeCheckout,
  stripeLink,
  stripePortal,
  stripeReconcile,
  stripeReconciled,
  stripeStatus,
} from '../stripe.ts'

const shared = { tag: 'billing' } as const

export const stripeRoutes = {
  getStripeStatus: route({
    ...shared,
    method: 'GET',
    path: '/billing/stripe',
    permission: 'READ_BILLING',
    summary: 'Show how billing stands with Stripe: customer, what was told, what failed',
    responses: { 200: stripeStatus },
  }),
  createStripeCheckout: route({
    ...shared,
    method: 'POST',
    path: '/billing/stripe/checkout',
    permission: 'MANAGE_BILLING',
    summary: 'Make a link to a page of Stripe: subscribe to a plan, or save how to pay',
    body: { schema: stripeCheckout },
    responses: { 200: stripeLink },
    errors: ['stripe.not-configured', 'stripe.failed', 'billing.not-set-up', 'plan.not-found'],
    unrepeatable: true,
  }),
  createStripePortal: route({
    ...shared,
    method: 'POST',
    path: '/billing/stripe/portal',
    permission: 'MANAGE_BILLING',
    summary: 'Make a link to the page of Stripe where cards and invoices are managed',
    body: { schema: stripePortal },
    responses: { 200: stripeLink },
    errors: ['stripe.not-configured', 'stripe.failed', 'billing.not-set-up'],
    unrepeatable: true,
  }),
  reconcileStripe: route({
    ...shared,
    method: 'POST',
    path: '/billing/stripe/reconcile',
    permission: 'MANAGE_BILLING',
    summary: 'Compare the usage of whole hours with what Stripe has summed up; on request, put it right',
    body: { schema: stripeReconcile },
    responses: { 200: stripeReconciled },
    errors: ['stripe.not-configured', 'stripe.failed', 'billing.not-set-up'],
    unrepeatable: true,
  }),
  receiveStripeEvent: route({
    ...shared,
    method: 'POST',
    path: '/billing/stripe/events',
    permission: 'public',
    summary: 'Take an event of Stripe, signed by it; the address to enter at Stripe as webhook',
    body: { schema: z.string(), raw: true },
    responses: { 204: null },
    errors: ['stripe.not-configured', 'stripe.signature-invalid', 'stripe.failed'],
  }),
} as const
