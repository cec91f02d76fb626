// Budgets as they are written and answered: what may be spent, on what, in which time.

import { z } from 'zod'
import { NAME_CHARS_MAX } from '../base/limits.ts'
import { jsonObject } from './definition.ts'
import { duration } from './duration.ts'
import { line, time, usd } from './fields.ts'
import { BUDGET_MODES, BUDGET_PERIODS, BUDGET_SCOPES } from './money.ts'

export const THRESHOLDS_MAX = 10
/** In percent of the limit. */
export const THRESHOLD_PERCENT_MAX = 1_000
const REASON_CHARS_MAX = 500

export const budgetScopeType = z
  .enum(BUDGET_SCOPES)
  .meta({ description: 'What the budget is on. All budgets that apply to a run hold at once.' })
export const budgetState = z.enum(['active', 'archived'])
const mode = z.enum(BUDGET_MODES).meta({
  description:
    'What becomes of a call that would pass the limit: `hard` refuses it, `ask` lets the run wait until somebody tops up, `soft` only tells of it.',
})
const period = z.enum(BUDGET_PERIODS).meta({
  description:
    'A period of the calendar in `time_zone` (a week begins on Monday), a window that rolls along, or `once` for all time.',
})
const timeZone = z
  .string()
  .min(1)
  .max(64)
  .meta({ description: 'An IANA time zone.', examples: ['Europe/Berlin'] })
const onFailure = z.enum(['closed', 'open']).meta({
  description: 'What holds while the budget cannot be asked: `closed` refuses calls, `open` lets them pass.',
})
const thresholds = z.array(z.int().min(1).max(THRESHOLD_PERCENT_MAX)).max(THRESHOLDS_MAX).meta({
  description: 'Percents of the limit, rising. Each is told of once in a period.',
})

const amount = z
  .string()
  .regex(
    /^\d{1,9}(\.\d{1,9})?$/,
    'must be an amount of USD from 0 to 999999999.999999999 as text, with at most nine decimals, for example "12.50"',
  )
  .meta({ description: 'USD as decimal text, exact. Zero means zero.', examples: ['250.00'] })

const reason = line(REASON_CHARS_MAX).meta({ description: 'Why: kept in the history of the budget.' })

export const createBudget = z.strictObject({
  name: line(NAME_CHARS_MAX),
  scope: z.strictObject({
    type: budgetScopeType,
    id: line(200).optional().meta({
      description:
        'An id; of an agent, a workflow or a project also its name. Left out for the tenant, and only there.',
    }),
  }),
  limitUsd: amount,
  mode: mode.optional(),
  period,
  timeZone: timeZone.optional(),
  window: duration.optional().meta({
    description: 'Of a rolling budget: how far it looks back, one hour to 366 days.',
    examples: ['24h'],
  }),
  startsAt: time.optional(),
  endsAt: time.optional(),
  thresholds: thresholds.optional(),
  onFailure: onFailure.optional(),
})

/** What is left out stays as it is. What it is on and what its periods are never changes. */
export const updateBudget = z.strictObject({
  name: line(NAME_CHARS_MAX).optional(),
  limitUsd: amount.optional(),
  mode: mode.optional(),
  thresholds: thresholds.optional(),
  onFailure: onFailure.optional(),
})

export const topUpBudget = z.strictObject({ amountUsd: amount, reason: reason.optional() })

export const transferBudget = z.strictObject({
  toBudgetId: z.string().min(1).max(64),
  amountUsd: amount,
  reason: reason.optional(),
})

/** Where a budget stands now. */
export const budgetStatus = z.object({
  /** The period: `2026-11`, `2026-W47`, `rolling` … */
  period: z.string(),
  startsAt: time.nullable(),
  endsAt: time.nullable(),
  /** With what is topped up. */
  limitUsd: usd,
  /** Topped up for this period alone. */
  extraUsd: usd,
  settledUsd: usd,
  /** Set aside for calls that are being made. */
  heldUsd: usd,
  /** What may still be set aside; never below zero. */
  leftUsd: usd,
  /** Settled and held, in percent of limit and extra; null where those are zero. */
  percent: z.int().nullable(),
  /** The thresholds that were told of in this period. */
  crossed: z.array(z.int()),
})

export const budget = z.object({
  id: z.string(),
  name: z.string(),
  scope: z.object({
    type: budgetScopeType,
    id: z.string(),
    /** Of an agent, a workflow, a project or a key. */
    name: z.string().nullable(),
  }),
  mode,
  limitUsd: usd,
  period,
  timeZone: z.string(),
  /** Of a rolling budget. */
  window: z.string().nullable(),
  startsAt: time.nullable(),
  endsAt: time.nullable(),
  thresholds: z.array(z.int()),
  onFailure,
  state: budgetState,
  /** Null where it does not count now: it is archived, begins later or has ended, or the server does not know its time zone. */
  now: budgetStatus.nullable(),
  createdBy: z.string(),
  createdAt: time,
  updatedAt: time,
})

export const budgetDetail = budget.extend({
  /** Runs that wait until it has room again, the longest waiting first. */
  waiting: z.array(z.object({ runId: z.string(), step: z.int(), neededUsd: usd, since: time })),
})

/** A fact of a budget's history. */
export const budgetEvent = z.object({
  seq: z.string(),
  type: z.string(),
  actor: z.string(),
  data: jsonObject,
  requestId: z.string().nullable(),
  occurredAt: time,
})

export const budgetPeriod = z.object({
  period: z.string(),
  startsAt: time.nullable(),
  endsAt: time.nullable(),
  settledUsd: usd,
  heldUsd: usd,
  extraUsd: usd,
  /** The highest threshold that was told of, in percent; 0: none. */
  crossed: z.int(),
  updatedAt: time,
})

export type BudgetState = z.infer<typeof budgetState>
export type CreateBudget = z.infer<typeof createBudget>
export type UpdateBudget = z.infer<typeof updateBudget>
export type TopUpBudget = z.infer<typeof topUpBudget>
export type TransferBudget = z.infer<typeof transferBudget>
export type BudgetStatus = z.infer<typeof budgetStatus>
export type Budget = z.infer<typeof budget>
export type BudgetDetail = z.infer<typeof budgetDetail>
export type BudgetEvent = z.infer<typeof budgetEvent>
export type BudgetPeriodRecord = z.infer<typeof budgetPeriod>
