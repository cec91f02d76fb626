// Costs as they are told, asked for, estimated, rated anew and reported.

import { z } from 'zod'
import { NAME_CHARS_MAX } from '../base/limits.ts'
import { modelName } from './definition.ts'
import { idText, line, pageOf, time, usd } from './fields.ts'
import { COST_TYPES } from './money.ts'

/** How many costs one request may tell. */
export const COSTS_BATCH_MAX = 500
/** The largest single cost: sums then stay exact in every column. */
export const COST_USD_MAX = 1_000_000
/** The longest input of an estimate, in characters. */
export const ESTIMATE_CHARS_MAX = 200_000

export const COST_ENTITIES = ['tenant', 'project', 'agent', 'workflow', 'user', 'key', 'run'] as const
export const COST_GROUPS = [
  'day',
  'week',
  'month',
  'type',
  'model',
  'agent',
  'workflow',
  'user',
  'project',
  'tool',
] as const

export const costType = z.enum(COST_TYPES)
export const costEntity = z.enum(COST_ENTITIES)
export const costGroup = z.enum(COST_GROUPS)
/** Of an agent or a workflow. */
export const nameOrId = z
  .string()
  .regex(/^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/, 'must be an id or a name')
  .meta({ description: 'Id or name.' })
export const projectRef = line(NAME_CHARS_MAX).meta({ description: 'Id or name of a project.' })
const amount = z
  .string()
  .regex(
    /^(?:0|[1-9]\d{0,6})(?:\.\d{1,9})?$/,
    `must be an amount like "0.00123": not negative, at most ${COST_USD_MAX} with at most 9 decimals`,
  )
  .refine((text) => Number(text) <= COST_USD_MAX, `must be at most ${COST_USD_MAX}`)
  .meta({ description: 'USD as decimal text, exact, not negative.', examples: ['0.00123'] })
export const timeZone = z
  .string()
  .min(1)
  .max(64)
  .meta({ description: 'An IANA time zone; UTC where none is given.', examples: ['Europe/Berlin'] })

const costFields = {
  type: costType,
  amountUsd: amount,
  quantity: z.int().min(0).optional(),
  unit: line(40).optional(),
  description: line(500).optional(),
  externalId: line(200).optional().meta({
    description: 'Your own id of it: told again, it is the same cost and counts once.',
  }),
  runId: idText('run').optional().meta({
    description: 'The run says whose cost it is: name nothing beside it.',
  }),
  agent: nameOrId.optional(),
  workflow: nameOrId.optional(),
  userId: idText('user').optional(),
  project: projectRef.optional(),
  occurredAt: time.optional(),
}

const RUN_ALONE = {
  message: 'is given without agent, workflow, user_id and project',
  path: ['runId'],
}

function namesRunAlone(cost: {
  readonly runId?: string | undefined
  readonly agent?: string | undefined
  readonly workflow?: string | undefined
  readonly userId?: string | undefined
  readonly project?: string | undefined
}): boolean {
  const { runId, agent, workflow, userId, project } = cost
  return runId === undefined || [agent, workflow, userId, project].every((one) => one === undefined)
}

export const costInput = z.strictObject(costFields).refine(namesRunAlone, RUN_ALONE)

/** One cost, or `entries` that are recorded all or none. One object, so that each wrong field is told by its name. */
export const recordCosts = z
  .strictObject({
    ...costFields,
    type: costType.optional(),
    amountUsd: amount.optional(),
    entries: z
      .array(costInput)
      .min(1)
      .max(COSTS_BATCH_MAX)
      .optional()
      .meta({ description: 'Several costs, and then nothing beside them.' }),
  })
  .refine(namesRunAlone, RUN_ALONE)
  .superRefine(({ entries, ...cost }, context) => {
    const given = Object.entries(cost).filter(([, value]) => value !== undefined)
    if (entries === undefined) {
      for (const field of ['type', 'amountUsd'] as const)
        if (cost[field] === undefined)
          context.addIssue({ code: 'custom', path: [field], message: 'is required' })
    } else if (given.length > 0) {
      context.addIssue({ code: 'custom', path: ['entries'], message: 'is given alone' })
    }
  })

/** The costs of a request that was checked. */
export function costsTold({ entries, ...cost }: z.infer<typeof recordCosts>): readonly CostInput[] {
  return entries ?? [costInput.parse(cost)]
}

export const costEntry = z.object({
  id: z.string(),
  type: costType,
  /** Null where it is not known: see `cost_state`. It is then no zero. */
  amountUsd: usd.nullable(),
  costState: z.enum(['priced', 'unpriced', 'usage_missing']),
  model: z.string().nullable(),
  quantity: z.number().nullable(),
  unit: z.string().nullable(),
  description: z.string(),
  externalId: z.string().nullable(),
  runId: z.string().nullable(),
  modelCallId: z.string().nullable(),
  agentId: z.string().nullable(),
  workflowId: z.string().nullable(),
  userId: z.string().nullable(),
  apiKeyId: z.string().nullable(),
  projectId: z.string().nullable(),
  priceId: z.string().nullable(),
  replay: z.boolean(),
  occurredAt: time,
  acceptedAt: time,
})
export const recordedCosts = z.object({ items: z.array(costEntry) })
export const costPage = pageOf(costEntry)

const count = z.int()
export const costSum = z.object({
  /** Of what has a price. `unpriced_calls` and `usage_missing_calls` are not in it. */
  costUsd: usd,
  modelCalls: count,
  unpricedCalls: count,
  usageMissingCalls: count,
  inputTokens: count,
  cachedInputTokens: count,
  cacheWriteTokens: count,
  outputTokens: count,
  reasoningTokens: count,
  /** Costs that are no model calls. */
  otherEntries: count,
})
const ofType = costSum.extend({ type: costType })
const ofKey = costSum.extend({ key: z.string().nullable(), name: z.string().nullable() })

export const entityCosts = z.object({
  entityType: costEntity,
  entityId: z.string(),
  from: time.nullable(),
  to: time.nullable(),
  timeZone: z.string(),
  groupBy: costGroup.nullable(),
  total: costSum,
  byType: z.array(ofType),
  groups: z.array(ofKey.extend({ from: time.nullable(), to: time.nullable() })),
  /** Groups that are not shown, the cheapest; they are in the total. */
  groupsLeftOut: count,
  /** What replays cost: not in the total. */
  replays: costSum,
})

export const hint = z.object({
  kind: z.enum(['caching-unused', 'oversize-prompt', 'failed-attempts', 'retries']),
  message: z.string(),
  savingUsd: usd,
  /** How the saving was computed. */
  basis: z.string(),
  model: z.string(),
  agentId: z.string().nullable(),
  modelCalls: count,
  tokens: count,
  /** Some of the model calls that show it. */
  modelCallIds: z.array(z.string()),
  names: z.array(z.string()),
})
export const costHints = z.object({ from: time, to: time, items: z.array(hint) })

export const costReport = z.object({
  month: z.string(),
  timeZone: z.string(),
  from: time,
  to: time,
  createdAt: time,
  total: costSum,
  byType: z.array(ofType),
  byAgent: z.array(ofKey),
  byWorkflow: z.array(ofKey),
  byUser: z.array(ofKey),
  byProject: z.array(ofKey),
  byModel: z.array(ofKey),
  /** Models with calls that have no amount. */
  unpriced: z.array(
    z.object({ model: z.string(), unpricedCalls: count, usageMissingCalls: count, tokens: count }),
  ),
  replays: costSum,
  hints: z.array(hint),
})

export const estimateCost = z
  .strictObject({
    agent: nameOrId.optional().meta({ description: 'Its published version is estimated.' }),
    model: modelName.optional(),
    input: z.string().max(ESTIMATE_CHARS_MAX),
    maxOutputTokens: z.int().min(1).max(1_000_000).optional(),
  })
  .refine(({ agent, model }) => (agent === undefined) !== (model === undefined), {
    message: 'Give an agent or a model.',
    path: ['agent'],
  })

const percentiles = z.object({ p50: z.number(), p95: z.number(), sample: count })
export const costEstimate = z.object({
  model: z.string(),
  agentId: z.string().nullable(),
  agentVersion: z.number().nullable(),
  priceState: z.enum(['priced', 'unpriced']),
  priceId: z.string().nullable(),
  /** What the first model call is sent. */
  inputTokens: z.object({
    low: count,
    expected: count,
    high: count,
    method: z.enum(['exact', 'approximate']),
    /** What the count stands on. */
    basis: z.string(),
  }),
  maxOutputTokens: z.number().nullable(),
  /** Of one model call. Low: all of the input is cached and nothing is answered. High: nothing is cached, and the longest answer. */
  callCost: z.object({ lowUsd: usd.nullable(), inputUsd: usd.nullable(), highUsd: usd.nullable() }),
  /** Whole runs of that version that ended lately, with what they called; null for a model. */
  history: z
    .object({
      costUsd: z.object({ p50: usd, p95: usd, sample: count }).nullable(),
      tokens: percentiles.nullable(),
      /** Runs without a known cost: in no percentile of the cost. */
      unpricedRuns: count,
    })
    .nullable(),
  /** What a run of the agent may cost at most, where the agent says so. */
  limitUsd: usd.nullable(),
})

export const createRerate = z.strictObject({
  from: time,
  to: time,
  model: modelName.optional(),
  reason: line(500),
  dryRun: z.boolean().optional().meta({ description: 'Shows what would change and changes nothing.' }),
})
const rerateModel = z.object({
  model: z.string(),
  records: count,
  changed: count,
  beforeUsd: usd,
  afterUsd: usd,
})
export const rerate = z.object({
  /** Null of a dry run. */
  id: z.string().nullable(),
  from: time,
  to: time,
  model: z.string().nullable(),
  reason: z.string(),
  dryRun: z.boolean(),
  records: count,
  changed: count,
  beforeUsd: usd,
  afterUsd: usd,
  createdBy: z.string(),
  createdAt: time,
})
export const rerateDetail = rerate.extend({ byModel: z.array(rerateModel) })

export type CostInput = z.infer<typeof costInput>
export type RecordCosts = CostInput | { readonly entries: readonly CostInput[] }
export type RecordedCosts = z.infer<typeof recordedCosts>
export type CostEntry = z.infer<typeof costEntry>
export type CostEntity = z.infer<typeof costEntity>
export type CostGroup = z.infer<typeof costGroup>
export type CostSum = z.infer<typeof costSum>
export type EntityCosts = z.infer<typeof entityCosts>
export type Hint = z.infer<typeof hint>
export type CostHints = z.infer<typeof costHints>
export type CostReport = z.infer<typeof costReport>
export type EstimateCost = z.infer<typeof estimateCost>
export type CostEstimate = z.infer<typeof costEstimate>
export type CreateRerate = z.infer<typeof createRerate>
export type Rerate = z.infer<typeof rerate>
export type RerateDetail = z.infer<typeof rerateDetail>
