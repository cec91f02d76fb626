// Plans as they are written and answered: what the platform sells, to be subscribed to.

import { z } from 'zod'
import { DESCRIPTION_CHARS_MAX } from '../base/limits.ts'
import { line, pageQuery, time } from './fields.ts'
import { METRICS } from './money.ts'

/** What a plan may hold back. Each is checked where it is asked for; without a subscription all are there. */
export const FEATURES = ['workflows', 'triggers', 'replay', 'budgets', 'own_prices', 'audit_log'] as const
export type Feature = (typeof FEATURES)[number]

/** The limits that a plan may set; what it does not name is not limited. */
export const LIMITS = ['runs_per_minute', 'max_concurrent_jobs', 'seats', 'retention_days'] as const
export type LimitName = (typeof LIMITS)[number]

/** How many tiers an overage may have. */
export const TIERS_MAX = 50
/** The most of a metric that a plan may include or a tier may end at. */
export const UNITS_MAX = 1_000_000_000_000_000
const LIMIT_MAX = 1_000_000_000
const TRIAL_DAYS_MAX = 365
const AMOUNT_CHARS_MAX = 32
const STRIPE_PRICE_CHARS_MAX = 255
const DECIMALS = /^\d{1,12}(\.\d{1,9})?$/

export const metric = z.enum(METRICS)

/** The text of an amount that is not negative. How many decimals it may have, the currency says. */
const amount = z
  .string()
  .max(AMOUNT_CHARS_MAX)
  .regex(DECIMALS, 'must be a decimal text that is not negative, such as "29.00"')

const price = amount.meta({
  description: "In the plan's currency, with no more decimals than it has.",
  examples: ['29.00'],
})
const unitPrice = amount.meta({
  description: "Of one unit, in the plan's currency, with at most nine decimals.",
  examples: ['0.000002'],
})
const units = z.int().min(1).max(UNITS_MAX)

const tier = z.strictObject({
  upTo: units.nullable().meta({
    description: 'The last unit of the tier, counted from the first above what is included; null: no end.',
  }),
  unitPrice,
  flatPrice: price.optional().meta({ description: 'Charged once where the tier is entered.' }),
})
const tiers = z.array(tier).min(1).max(TIERS_MAX)

export const overage = z.discriminatedUnion('model', [
  z.strictObject({ metric, model: z.literal('per_unit'), unitPrice }),
  z.strictObject({ metric, model: z.literal('graduated'), tiers }),
  z.strictObject({ metric, model: z.literal('volume'), tiers }),
  z.strictObject({ metric, model: z.literal('package'), packageSize: units, packagePrice: price }),
])

const included = z.partialRecord(metric, z.int().min(0).max(UNITS_MAX)).meta({
  description: 'How much of each metric the base price includes in a period. What is not named: nothing.',
  examples: [{ token: 5_000_000 }],
})
const limits = z.partialRecord(z.enum(LIMITS), z.int().min(0).max(LIMIT_MAX)).meta({
  description: 'What the platform keeps: what is not named has no limit.',
  examples: [{ runs_per_minute: 60, max_concurrent_jobs: 10, seats: 10 }],
})
const key = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,63}$/, 'must begin with a letter and hold a-z, 0-9, "_" and "-"')
  .meta({ examples: ['pro'] })
const stripePriceId = z
  .string()
  .max(STRIPE_PRICE_CHARS_MAX)
  .regex(/^price_[A-Za-z0-9]+$/, 'must be the id of a price at Stripe, such as price_1Qx7')
  .meta({ description: 'The price at Stripe by which Stripe bills the plan.', examples: ['price_1Qx7'] })
const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be the ISO 4217 code of a currency, such as USD')
  .meta({ examples: ['USD'] })
const interval = z.enum(['month', 'year'])

/** The input of a new version of a plan. */
export const createPlan = z.strictObject({
  key,
  name: line(200),
  description: z.string().max(DESCRIPTION_CHARS_MAX).optional(),
  currency,
  interval,
  basePrice: price,
  perSeat: z.boolean().optional().meta({ description: 'The base price is for each seat.' }),
  trialDays: z.int().min(0).max(TRIAL_DAYS_MAX).optional(),
  included: included.optional(),
  overage: z.array(overage).max(METRICS.length).optional().meta({
    description: 'How what is above the included amounts is charged, once for each metric.',
  }),
  features: z.array(z.enum(FEATURES)).max(FEATURES.length).optional(),
  limits: limits.optional(),
  stripePriceId: stripePriceId.optional(),
})

const planState = z.enum(['active', 'archived'])

export const plan = z.object({
  id: z.string(),
  key: z.string(),
  version: z.int(),
  name: z.string(),
  description: z.string(),
  currency: z.string(),
  interval,
  basePrice: z.string(),
  perSeat: z.boolean(),
  trialDays: z.int(),
  included,
  overage: z.array(overage),
  features: z.array(z.enum(FEATURES)),
  limits,
  stripePriceId: z.string().nullable(),
  state: planState,
  createdAt: time,
})

export const archivePlan = z.strictObject({
  replacement: z.string().max(64).optional().meta({
    description:
      'Needed where the plan is in use: the id or key of the active plan that is offered instead. Who has the old version keeps it.',
  }),
})

export const planQuery = pageQuery.extend({ state: planState.optional(), key: key.optional() })

export type CreatePlan = z.infer<typeof createPlan>
export type PlanResource = z.infer<typeof plan>
export type OverageInput = z.infer<typeof overage>
export type ArchivePlan = z.infer<typeof archivePlan>
