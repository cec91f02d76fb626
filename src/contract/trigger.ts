// Triggers (schedules, webhooks, events that start runs) and named events, as they are written and answered.

import { z } from 'zod'
import { agentName } from './definition.ts'
import { json, line, time } from './fields.ts'

/** The largest data of a named event, in characters of JSON. */
export const SIGNAL_CHARS_MAX = 65_536
const CRON_CHARS_MAX = 200
const EXPRESSION_CHARS_MAX = 2_000

export const triggerKind = z.enum(['schedule', 'webhook', 'event'])
const missed = z.enum(['skip', 'last', 'all']).meta({
  description:
    'What becomes of ticks that nobody was there for: none is made up for, only the last one is, or each (up to 100).',
})
const cron = z
  .string()
  .min(1)
  .max(CRON_CHARS_MAX)
  .meta({
    description:
      'Five fields, six with seconds first, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.',
    examples: ['30 7 * * mon-fri'],
  })
const timezone = z
  .string()
  .min(1)
  .max(64)
  .meta({ description: 'An IANA time zone.', examples: ['Europe/Berlin'] })
const expression = z.string().min(1).max(EXPRESSION_CHARS_MAX)
const input = expression.meta({
  description:
    'CEL over `trigger`: the input of the run, a text or an object. `trigger` has `id`, `name`, `kind`, `at`, and of a schedule `scheduled_at`, of a webhook `payload`, `headers`, `received_at`, of an event `event` (`id`, `name`, `correlation`, `data`).',
  examples: ['{"question": trigger.payload.text}'],
})
const condition = expression.meta({
  description: 'CEL over `event` (`name`, `correlation`, `data`): starts a run only where it is true.',
  examples: ['event.data.amount > 100'],
})

/** The name of an event, and what it is about. */
export const eventName = line(200)
const correlation = z
  .string()
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must be one line without control characters')

/** Whose published version runs. */
export const triggerTarget = z.union([
  z.strictObject({ agent: agentName }),
  z.strictObject({ workflow: agentName }),
])

const shared = { name: agentName, target: triggerTarget, input: input.optional() }

export const triggerInput = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('schedule'),
    ...shared,
    cron,
    timezone: timezone.optional(),
    missed: missed.optional(),
  }),
  z.strictObject({ kind: z.literal('webhook'), ...shared }),
  z.strictObject({ kind: z.literal('event'), ...shared, eventName, condition: condition.optional() }),
])

/** What is left out stays as it is. */
export const triggerChange = z.strictObject({
  state: z.enum(['active', 'paused']).optional(),
  target: triggerTarget.optional(),
  input: input.optional(),
  cron: cron.optional(),
  timezone: timezone.optional(),
  missed: missed.optional(),
  eventName: eventName.optional(),
  condition: condition.nullable().optional(),
})

export const trigger = z.object({
  id: z.string(),
  name: z.string(),
  kind: triggerKind,
  target: triggerTarget,
  input: z.string(),
  state: z.enum(['active', 'paused']),
  cron: z.string().nullable(),
  timezone: z.string().nullable(),
  missed: missed.nullable(),
  eventName: z.string().nullable(),
  condition: z.string().nullable(),
  /** Of a webhook: where deliveries go, below the server's address. */
  path: z.string().nullable(),
  nextAt: time.nullable(),
  /** The ticks to come of an active schedule. */
  nextTicks: z.array(time),
  lastAt: time.nullable(),
  lastRunId: z.string().nullable(),
  /** Why its last tick started nothing. */
  lastError: z.string().nullable(),
  /** In whose name its runs start. */
  ownerId: z.string(),
  createdBy: z.string(),
  createdAt: time,
  updatedAt: time,
})

export const createdTrigger = trigger.extend({
  secret: z
    .string()
    .nullable()
    .meta({ description: 'Of a webhook, shown this once. Sign deliveries with it (Standard Webhooks).' }),
})

export const rotatedSecret = z.object({
  secret: z.string(),
  /** Until then the secret before counts as well. */
  previousUntil: time,
})

export const delivered = z.object({ runId: z.string() })

export const sendEvent = z.strictObject({
  name: eventName,
  correlation: correlation.optional(),
  data: json.optional(),
})

export const sentEvent = z.object({
  id: z.string(),
  name: z.string(),
  correlation: z.string(),
  createdAt: time,
})

export type TriggerInput = z.infer<typeof triggerInput>
export type TriggerChange = z.infer<typeof triggerChange>
export type TriggerTarget = z.infer<typeof triggerTarget>
export type Trigger = z.infer<typeof trigger>
export type CreatedTrigger = z.infer<typeof createdTrigger>
export type RotatedSecret = z.infer<typeof rotatedSecret>
export type SendEvent = z.infer<typeof sendEvent>
export type SentEvent = z.infer<typeof sentEvent>
