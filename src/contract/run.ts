// Runs, their steps and events as they are answered, and what starts and resolves them.

import { z } from 'zod'
import { agentLimits, INSTRUCTIONS_CHARS_MAX } from './agent.ts'
import { jsonObject, modelName } from './definition.ts'
import { RUN_EVENT_TYPES } from './event.ts'
import { failure, idText, json, line, time, usd } from './fields.ts'
import { jobPriority } from './job.ts'
import { workflowLimits } from './workflow.ts'

/** The longest that one request waits for a run. */
export const WAIT_SECONDS_MAX = 60
const RUN_INPUT_CHARS_MAX = 262_144
const REASON_CHARS_MAX = 1_000
const DEDUP_KEY_CHARS_MAX = 200

export const RUN_STATES = ['queued', 'running', 'waiting', 'completed', 'failed', 'cancelled'] as const
export const TERMINAL_STATES: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])
export const runState = z.enum(RUN_STATES)

const definitionRef = z.object({ id: z.string(), name: z.string(), version: z.int() })

export const run = z.object({
  id: z.string(),
  kind: z.enum(['agent', 'workflow']),
  state: runState,
  waitingReason: z.enum(['approval', 'time', 'event', 'in_doubt', 'budget']).nullable(),
  /** The agent and the version that the run is pinned to; null where a workflow runs. */
  agent: definitionRef.nullable(),
  workflow: definitionRef.nullable(),
  input: json,
  /** Text, or the object of a structured answer; null until the run has completed. */
  output: json,
  error: failure.nullable(),
  /**
   * Why no worker can drive it, while it is queued: the host of none has what its definition names. Or the budget that has
   * no room for it, while it waits for one.
   */
  blockedBy: failure.nullable(),
  sessionId: z.string().nullable(),
  parentRunId: z.string().nullable(),
  /** The run that this one replays, and the run whose dead job it takes up again. */
  replayOf: z.string().nullable(),
  /** Of a replay: the step that it began at; null where it began at the beginning. */
  replayFrom: z.int().nullable(),
  redriveOf: z.string().nullable(),
  triggerId: z.string().nullable(),
  /** The project that its costs belong to. */
  projectId: z.string().nullable(),
  jobId: z.string(),
  stepCount: z.int(),
  toolCallCount: z.int(),
  usage: z.object({ inputTokens: z.int(), outputTokens: z.int() }),
  costUsd: usd,
  /** Model calls whose cost is not in `cost_usd`: no price is known, or no usage was told. */
  unpricedCalls: z.int(),
  traceId: z.string().nullable(),
  createdBy: z.string(),
  createdAt: time,
  startedAt: time.nullable(),
  finishedAt: time.nullable(),
})

export const startRun = z.strictObject({
  input: z.union([z.string().min(1).max(RUN_INPUT_CHARS_MAX), jsonObject]),
  sessionId: idText('session').optional(),
  /** The project that its costs belong to; runs below it are of the same. */
  projectId: idText('project').optional(),
  /** May only narrow the agent's own limits. */
  limits: agentLimits.optional(),
  /** Before or after other runs of the tenant; `normal` where nothing is said. */
  priority: jobPriority.optional(),
  /** It begins not before this time. */
  notBefore: time.optional(),
  dedupKey: line(DEDUP_KEY_CHARS_MAX).optional().meta({
    description: 'While a run of the same kind with this key is open, that run is answered and none is made.',
  }),
})

export const startWorkflow = z.strictObject({
  /** What its `input_schema` asks for; without it, an empty object. */
  input: startRun.shape.input.optional(),
  projectId: startRun.shape.projectId,
  /** May only narrow the workflow's own limits. */
  limits: workflowLimits.optional(),
  priority: startRun.shape.priority,
  notBefore: startRun.shape.notBefore,
  dedupKey: startRun.shape.dedupKey,
})

export const STEP_KINDS = [
  'model',
  'tool',
  'agent',
  'compaction',
  'workflow',
  'transform',
  'switch',
  'parallel',
  'race',
  'for_each',
  'loop',
  'wait',
  'approval',
] as const

export const step = z.object({
  seq: z.int(),
  kind: z.enum(STEP_KINDS),
  name: z.string(),
  /** Of a workflow's node: where it stands, with the passes of loops. */
  path: z.string().nullable(),
  state: z.enum(['intended', 'waiting', 'approved', 'done', 'failed', 'interrupted', 'skipped']),
  waitingReason: z.enum(['approval', 'in_doubt', 'time', 'event', 'budget']).nullable(),
  dueAt: time.nullable(),
  attempt: z.int(),
  effect: z.enum(['read', 'idempotent', 'once']).nullable(),
  /** Only for those who may read prompts. */
  input: json.optional(),
  output: json.optional(),
  error: failure.nullable(),
  childRunId: z.string().nullable(),
  startedAt: time,
  finishedAt: time.nullable(),
})

export const runEvent = z.object({
  type: z.enum(RUN_EVENT_TYPES),
  runId: z.string(),
  /** The place in the run, from 1, without a gap. */
  runSeq: z.int(),
  actor: z.string(),
  data: jsonObject,
  occurredAt: time,
})

/** Text as it arrives from the model: not stored, not resumed; a new attempt starts its text anew. */
export const modelDelta = z.object({
  step: z.int(),
  attempt: z.int(),
  delta: z.discriminatedUnion('type', [
    z.object({ type: z.literal('text'), text: z.string() }),
    z.object({ type: z.literal('reasoning'), text: z.string() }),
    z.object({ type: z.literal('tool_call'), tool: z.string() }),
  ]),
})

const seq = z.int().min(1).max(1_000_000_000)
const reason = z.string().max(REASON_CHARS_MAX).optional()

/** `approve` and `decline` answer a step that waits for approval; the others say what became of one in doubt. */
export const resolution = z.discriminatedUnion('outcome', [
  z.strictObject({ step: seq, outcome: z.literal('approve') }),
  z.strictObject({ step: seq, outcome: z.literal('decline'), reason }),
  z.strictObject({ step: seq, outcome: z.literal('succeeded'), output: json }),
  z.strictObject({ step: seq, outcome: z.literal('failed'), reason }),
  z.strictObject({ step: seq, outcome: z.literal('retry') }),
])

/** What to change when a run is done again; nothing: the same definition, input and tool results. */
export const replayRun = z.strictObject({
  /** A step where the run asked a model or ran a node: all before it is taken over. */
  from: seq.optional(),
  model: modelName.optional(),
  instructions: z.string().min(1).max(INSTRUCTIONS_CHARS_MAX).optional(),
  /** The number of another version of the same agent or workflow. */
  version: z.int().min(1).max(999_999_999).optional(),
  input: z.union([z.string().min(1).max(RUN_INPUT_CHARS_MAX), jsonObject]).optional(),
  /** `recorded`, the default: calls are answered from the record and nothing with an effect is done. */
  tools: z.enum(['recorded', 'live']).optional(),
})

export type ReplayRun = z.infer<typeof replayRun>
export type Run = z.infer<typeof run>
export type StartRun = z.infer<typeof startRun>
export type StartWorkflow = z.infer<typeof startWorkflow>
export type Step = z.infer<typeof step>
export type RunEventResource = z.infer<typeof runEvent>
export type ModelDeltaResource = z.infer<typeof modelDelta>
export type RunResolution = z.infer<typeof resolution>
