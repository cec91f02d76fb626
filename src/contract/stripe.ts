// Stripe: links to pay and to manage, how things stand with it, and what was told of usage.

import { z } from 'zod'
import { time } from './fields.ts'
import { METRICS } from './money.ts'
import { SEATS_MAX } from './subscription.ts'

const URL_CHARS_MAX = 2_000
const page = z
  .url({ protocol: /^https?$/ })
  .max(URL_CHARS_MAX)
  .meta({
    description: 'A page of yours that Stripe leads back to.',
    examples: ['https://app.example.com/billing'],
  })

export const stripeCheckout = z.strictObject({
  plan: z.string().min(1).max(64).optional().meta({
    description:
      'The id of a version, or the key of a plan, that has a price at Stripe: Stripe then bills it. Without it the page only saves how to pay, and our invoices are handed on to Stripe.',
  }),
  seats: z.int().min(1).max(SEATS_MAX).optional(),
  successUrl: page,
  cancelUrl: page,
})

export const stripePortal = z.strictObject({ returnUrl: page })

export const stripeLink = z.object({ url: z.string() })

const counts = z.object({ pending: z.int(), sent: z.int(), refused: z.int(), dead: z.int() })

export const stripeStatus = z.object({
  /** Whether the platform has a key of Stripe. */
  configured: z.boolean(),
  customerId: z.string().nullable(),
  collection: z.enum(['manual', 'stripe']).nullable(),
  /** Until when usage was put in the outbox. */
  meteredUntil: time.nullable(),
  outbox: counts,
  /** What could not be told, the newest first. */
  failed: z.array(
    z.object({
      identifier: z.string(),
      kind: z.string(),
      state: z.string(),
      error: z.string(),
      createdAt: time,
    }),
  ),
})

export const stripeReconcile = z.strictObject({
  from: time,
  to: time,
  fix: z.boolean().optional().meta({ description: 'Tell Stripe what is missing there.' }),
})

export const stripeReconciled = z.object({
  items: z.array(
    z.object({
      metric: z.enum(METRICS),
      /** By our own records; all quantities are whole numbers as texts. */
      used: z.string(),
      told: z.string(),
      pending: z.string(),
      refused: z.string(),
      /** Null where Stripe has no meter `agent_factory_<metric>`. */
      atStripe: z.number().nullable(),
      agrees: z.boolean(),
    }),
  ),
  /** How many metrics were put right. */
  told: z.int(),
})

export type StripeCheckout = z.infer<typeof stripeCheckout>
export type StripePortal = z.infer<typeof stripePortal>
export type StripeLink = z.infer<typeof stripeLink>
export type StripeReconcile = z.infer<typeof stripeReconcile>
export type StripeStatusView = z.infer<typeof stripeStatus>
export type StripeReconciledView = z.infer<typeof stripeReconciled>
