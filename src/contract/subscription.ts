// Who is billed, what is subscribed to, what that allows, and usage that is told from outside.

import { z } from 'zod'
import { OPAQUE } from './definition.ts'
import { idText, line, time } from './fields.ts'
import { type Metric, SUBSCRIPTION_STATES } from './money.ts'
import { FEATURES, metric } from './plan.ts'

/** How many records one request may bring. */
export const USAGE_BATCH_MAX = 5_000
export const SEATS_MAX = 100_000

const timeZone = z
  .string()
  .min(1)
  .max(64)
  .meta({
    description: 'An IANA time zone: periods are counted by its calendar.',
    examples: ['Europe/Berlin'],
  })
const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be the ISO 4217 code of a currency, such as USD')
  .meta({ description: 'Stays as it is once there is a subscription or an invoice.', examples: ['USD'] })
const EMAIL = /^[^\s@\p{Cc}]{1,64}@[^\s@\p{Cc}]{1,190}$/u

export const putBillingAccount = z.strictObject({
  name: line(200),
  email: z.string().regex(EMAIL, 'must be an e-mail address').nullable().optional(),
  currency,
  timeZone: timeZone.optional(),
})

export const billingAccount = z.object({
  name: z.string(),
  email: z.string().nullable(),
  currency: z.string(),
  timeZone: z.string(),
  collection: z.enum(['manual', 'stripe']),
  standing: z.enum(['active', 'grace', 'restricted']),
  standingSince: time,
  createdAt: time,
  updatedAt: time,
})

const planRef = z
  .string()
  .min(1)
  .max(64)
  .meta({
    description: 'The id of a version, or the key of a plan: its newest active version.',
    examples: ['pro'],
  })
const seats = z.int().min(1).max(SEATS_MAX)
const when = z.enum(['now', 'period_end'])
const revision = z
  .int()
  .min(1)
  .optional()
  .meta({ description: 'The revision that you saw: refused where somebody changed it since.' })
const tenantId = idText('tenant')
  .optional()
  .meta({ description: 'Of another tenant: for the operator of the platform only.' })

export const createSubscription = z.strictObject({
  plan: planRef,
  seats: seats.optional(),
  trial: z
    .boolean()
    .optional()
    .meta({ description: 'False begins without the trial of the plan. A tenant has one trial.' }),
  tenantId,
})

export const changeSubscription = z.strictObject({
  plan: planRef.optional(),
  seats: seats.optional(),
  when: when.optional().meta({
    description:
      'Left out: what costs more holds now, with proration; what costs less from the next period on.',
  }),
  revision,
  tenantId,
})

export const cancelSubscription = z.strictObject({
  when: when.optional(),
  creditUnused: z
    .boolean()
    .optional()
    .meta({ description: 'With `now`: what was paid for the rest of the period becomes a credit.' }),
  revision,
  tenantId,
})

export const subscriptionStep = z.strictObject({ revision, tenantId })

const planShort = z.object({ id: z.string(), key: z.string(), version: z.int(), name: z.string() })

export const subscription = z.object({
  id: z.string(),
  plan: planShort,
  seats: z.int(),
  state: z.enum(SUBSCRIPTION_STATES),
  periodStart: time,
  periodEnd: time,
  trialEndsAt: time.nullable(),
  cancelAtPeriodEnd: z.boolean(),
  /** The plan and the seats from the next period on, where they change. */
  nextPlan: planShort.nullable(),
  nextSeats: z.int().nullable(),
  pausedAt: time.nullable(),
  endedAt: time.nullable(),
  revision: z.int(),
  createdBy: z.string(),
  createdAt: time,
  updatedAt: time,
})

const limit = z.int().nullable()

export const entitlements = z.object({
  /** Null without a subscription: then nothing is limited. */
  plan: planShort.nullable(),
  subscriptionState: z.enum(SUBSCRIPTION_STATES).nullable(),
  standing: z.enum(['active', 'grace', 'restricted']),
  /** Whether new runs are accepted as far as billing is concerned. */
  acceptsRuns: z.boolean(),
  features: z.array(z.enum(FEATURES)),
  /** Null: no limit. */
  limits: z.object({
    runsPerMinute: limit,
    maxConcurrentJobs: limit,
    seats: limit,
    retentionDays: limit,
  }),
})

/** A usage record as it is sent; in wire names, because each is checked by itself. */
export interface UsageRecordInput {
  readonly event_id: string
  readonly metric: Metric
  readonly quantity: number
  readonly occurred_at?: string
  readonly run_id?: string
  readonly agent_id?: string
  readonly workflow_id?: string
  readonly user_id?: string
  readonly project_id?: string
}

/** The most of a metric in one record. */
export const QUANTITY_MAX = 1_000_000_000_000

/** What each record of a batch must be. */
export const usageRecord = z.strictObject({
  eventId: line(200),
  metric,
  quantity: z.int().min(0).max(QUANTITY_MAX),
  occurredAt: time.optional(),
  runId: idText('run').optional(),
  agentId: idText('agent').optional(),
  workflowId: idText('workflow').optional(),
  userId: idText('user').optional(),
  projectId: idText('project').optional(),
})

const anyRecord = z
  .custom<UsageRecordInput>((value) => value !== undefined)
  .meta({
    [OPAQUE]: true,
    description:
      'An object of `event_id` (yours; with the metric it says which fact it is), `metric`, `quantity` (a whole number from 0), and if you like `occurred_at`, `run_id`, `agent_id`, `workflow_id`, `user_id`, `project_id`. One that is wrong is refused, the others are taken.',
    examples: [{ event_id: 'job-17', metric: 'storage', quantity: 12 }],
  })

export const ingestUsage = z.strictObject({ records: z.array(anyRecord).min(1).max(USAGE_BATCH_MAX) })

const fieldError = z.object({ path: z.string(), message: z.string() })

export const ingestedUsage = z.object({
  accepted: z.int(),
  /** Facts that were there already; the first one stays. */
  duplicates: z.int(),
  refused: z.int(),
  /** Why records were refused, by their place in the batch. */
  errors: z.array(z.object({ index: z.int(), errors: z.array(fieldError) })),
  /** Duplicates that say another quantity than the fact that stays. */
  conflicts: z.array(
    z.object({ index: z.int(), eventId: z.string(), quantity: z.int(), storedQuantity: z.int() }),
  ),
})

export const usageQuery = z.strictObject({
  from: time.optional(),
  until: time.optional(),
  metric: metric.optional(),
})

export const usageSummary = z.object({
  periodStart: time,
  periodEnd: time,
  metrics: z.array(
    z.object({
      metric,
      quantity: z.int(),
      /** Null without a plan. */
      included: z.int().nullable(),
      left: z.int().nullable(),
      /** What it comes to at the end of the period if it goes on like this. */
      projected: z.int(),
    }),
  ),
})

export type PutBillingAccount = z.infer<typeof putBillingAccount>
export type BillingAccountResource = z.infer<typeof billingAccount>
export type CreateSubscription = z.infer<typeof createSubscription>
export type ChangeSubscription = z.infer<typeof changeSubscription>
export type CancelSubscription = z.infer<typeof cancelSubscription>
export type SubscriptionStep = z.infer<typeof subscriptionStep>
export type SubscriptionResource = z.infer<typeof subscription>
export type EntitlementsResource = z.infer<typeof entitlements>
export type UsageRecord = z.infer<typeof usageRecord>
export type IngestedUsage = z.infer<typeof ingestedUsage>
export type UsageSummaryResource = z.infer<typeof usageSummary>
