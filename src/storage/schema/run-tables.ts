import type {
  AgentId,
  DefinitionId,
  ModelCallId,
  ProjectId,
  RunId,
  SessionId,
  TenantId,
  TriggerId,
  UserId,
} from '../../base/ids.ts'
import { RUN_STATES, STEP_KINDS } from '../../contract/run.ts'
import {
  integer,
  integerOrNull,
  json,
  jsonOrNull,
  money,
  moneyOrNull,
  oneOf,
  oneOfOrNull,
  table,
  text,
  textOrNull,
} from './table.ts'

export const sessions = table('sessions', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<SessionId>(),
    agentId: text<AgentId>(),
    /** The run that speaks now; a session has one at a time. */
    activeRunId: textOrNull<RunId>(),
    turnCount: integer(),
    /** What earlier turns said, once they were compacted, and the last turn that it covers. */
    summary: textOrNull({ personal: true }),
    summaryUntil: integer(),
    createdBy: text(),
    createdAt: integer(),
    updatedAt: integer(),
    /** When what was said in it was removed; null as long as it is used. */
    contentRemovedAt: integerOrNull(),
  },
  primaryKey: ['tenantId', 'id'],
  indexes: [
    {
      name: 'sessions_with_content',
      columns: ['tenantId', 'updatedAt'],
      where: 'content_removed_at is null',
    },
  ],
})

export const sessionTurns = table('session_turns', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    sessionId: text<SessionId>(),
    seq: integer(),
    runId: text<RunId>(),
    input: text({ personal: true }),
    output: text({ personal: true }),
    createdAt: integer(),
  },
  primaryKey: ['tenantId', 'sessionId', 'seq'],
  foreignKeys: [{ columns: ['tenantId', 'sessionId'], table: 'sessions', references: ['tenantId', 'id'] }],
})

export const runs = table('runs', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<RunId>(),
    kind: oneOf('agent', 'workflow'),
    definitionId: text<DefinitionId>(),
    definitionName: text(),
    definitionVersion: integer(),
    digest: text(),
    state: oneOf(...RUN_STATES),
    waitingReason: oneOfOrNull('approval', 'time', 'event', 'in_doubt', 'budget'),
    input: json({ personal: true }),
    output: jsonOrNull({ personal: true }),
    errorCode: textOrNull(),
    errorMessage: textOrNull(),
    sessionId: textOrNull<SessionId>(),
    parentRunId: textOrNull<RunId>(),
    parentStep: integerOrNull(),
    /** The run at the top, which has the job; its own id where it is the top. */
    rootRunId: text<RunId>(),
    depth: integer(),
    createdBy: text(),
    /** The user in whose name it runs: the owner of the key that started it; '' of runs from before this was kept. */
    userId: text<UserId | ''>({ defaultTo: '' }),
    projectId: textOrNull<ProjectId>(),
    /** The workflow at the top, where one is: its own id of a workflow that runs by itself. */
    workflowId: textOrNull<DefinitionId>(),
    /** JSON array: what the caller may do; the tools of the run may do no more. */
    permissions: json(),
    /** JSON: the limits in force (the definition's, narrowed by the request). */
    limits: json(),
    /** JSON: the versions of tools and sub-agents that this run uses, whatever is published meanwhile. */
    pins: json(),
    /** The fencing token of the job that may write this run. */
    fence: integer(),
    /** Events written so far: the last `run_seq`. */
    eventCount: integer(),
    stepCount: integer(),
    messageCount: integer(),
    toolCallCount: integer(),
    inputTokens: integer(),
    outputTokens: integer(),
    costNanos: money(),
    /** Attempts whose cost is not in `costNanos`: no price, or no usage. */
    unpricedCount: integer(),
    traceId: textOrNull(),
    /** The trigger that started it. */
    triggerId: textOrNull<TriggerId>(),
    /** The run that this one replays, from which step, and JSON: what is other than it was. Never a customer's usage. */
    replayOf: textOrNull<RunId>(),
    replayFrom: integerOrNull(),
    replayChanges: jsonOrNull(),
    /** The run whose dead job was taken up again by this one. */
    redriveOf: textOrNull<RunId>(),
    cancelRequestedAt: integerOrNull(),
    createdAt: integer(),
    startedAt: integerOrNull(),
    /** Since when the time limit counts: the start, or the last answer that woke it. */
    activeSince: integerOrNull(),
    finishedAt: integerOrNull(),
    /** When what was said in it was removed, because it was kept long enough. */
    contentRemovedAt: integerOrNull(),
  },
  primaryKey: ['tenantId', 'id'],
  indexes: [
    { name: 'runs_by_definition', columns: ['tenantId', 'definitionId', 'id'] },
    { name: 'runs_by_root', columns: ['tenantId', 'rootRunId'], where: 'parent_run_id is not null' },
    {
      name: 'runs_open_by_definition',
      columns: ['tenantId', 'definitionId', 'definitionVersion'],
      where: "state in ('queued', 'running', 'waiting')",
    },
    {
      name: 'runs_with_content',
      columns: ['tenantId', 'finishedAt', 'id'],
      where: 'finished_at is not null and content_removed_at is null',
    },
  ],
  foreignKeys: [
    {
      columns: ['tenantId', 'definitionId', 'definitionVersion'],
      table: 'definition_versions',
      references: ['tenantId', 'definitionId', 'version'],
    },
  ],
})

/**
 * The journal: one row per durable unit. `intended` is written before the call, an end state after it. A step that
 * a person let go ahead is `approved` until a worker intends it.
 */
export const steps = table('steps', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    runId: text<RunId>(),
    seq: integer(),
    kind: oneOf(...STEP_KINDS),
    /** The model, the tool's name, the agent's or workflow's name, or the node's id. */
    name: text(),
    /** Of a workflow's node: where it stands, with the passes of loops (`each[3].review`). Null in an agent's run. */
    path: textOrNull(),
    state: oneOf('intended', 'approved', 'waiting', 'done', 'failed', 'interrupted', 'skipped'),
    waitingReason: oneOfOrNull('approval', 'in_doubt', 'time', 'event', 'budget'),
    /** Of a waiting step: when it goes on by itself. */
    dueAt: integerOrNull(),
    /** Of a model step or a node: which attempt this is, from 1. */
    attempt: integer(),
    /** Of a tool step: the model's id for the call, and the model step that asked for it. */
    callId: textOrNull(),
    parentStep: integerOrNull(),
    effect: oneOfOrNull('read', 'idempotent', 'once'),
    /** Stable over retries and restarts; the tool receives it. */
    idempotencyKey: textOrNull(),
    input: jsonOrNull({ personal: true }),
    /** A large input lies in `bodies`, and `input` is null. */
    inputHash: textOrNull(),
    output: jsonOrNull({ personal: true }),
    /** A large output lies in `bodies`, and `output` is null. */
    outputHash: textOrNull(),
    errorCode: textOrNull(),
    errorMessage: textOrNull(),
    childRunId: textOrNull<RunId>(),
    startedAt: integer(),
    finishedAt: integerOrNull(),
  },
  primaryKey: ['tenantId', 'runId', 'seq'],
  // Who still names a body.
  indexes: [
    { name: 'steps_by_input_body', columns: ['tenantId', 'inputHash'], where: 'input_hash is not null' },
    { name: 'steps_by_output_body', columns: ['tenantId', 'outputHash'], where: 'output_hash is not null' },
  ],
  foreignKeys: [{ columns: ['tenantId', 'runId'], table: 'runs', references: ['tenantId', 'id'] }],
})

/**
 * What was said in a run, appended: a model call's prompt is its head and the messages up to a place.
 * A tool message names its steps, whose outputs it carries; a large text lies in `bodies`.
 */
export const runMessages = table('run_messages', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    runId: text<RunId>(),
    seq: integer(),
    step: integerOrNull(),
    content: jsonOrNull({ personal: true }),
    contentHash: textOrNull(),
  },
  primaryKey: ['tenantId', 'runId', 'seq'],
  indexes: [
    { name: 'run_messages_by_body', columns: ['tenantId', 'contentHash'], where: 'content_hash is not null' },
  ],
  foreignKeys: [{ columns: ['tenantId', 'runId'], table: 'runs', references: ['tenantId', 'id'] }],
})

/** The prompt log: one row per attempt at a model. */
export const modelCalls = table('model_calls', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<ModelCallId>(),
    runId: text<RunId>(),
    step: integer(),
    attempt: integer(),
    model: text(),
    responseModel: textOrNull(),
    responseId: textOrNull(),
    status: oneOf('answered', 'failed', 'interrupted'),
    finishReason: textOrNull(),
    failureKind: textOrNull(),
    failureMessage: textOrNull(),
    httpStatus: integerOrNull(),
    /** Body with instructions, tools, settings, output schema: the same for most calls of a run. */
    headHash: text(),
    /** The prompt is the head and the run's messages up to here; 0 where the head holds the messages itself. */
    messagesUntil: integer(),
    /** JSON: the parts that came. Null for an answer that became the run's next message: it is read from there. */
    response: jsonOrNull({ personal: true }),
    usageState: oneOf('known', 'missing', 'none'),
    inputTokens: integer(),
    cachedInputTokens: integer(),
    cacheWriteTokens: integer(),
    outputTokens: integer(),
    reasoningTokens: integer(),
    costState: oneOf('priced', 'unpriced', 'usage_missing'),
    costNanos: moneyOrNull(),
    startedAt: integer(),
    firstTokenMs: integerOrNull(),
    totalMs: integer(),
    capture: oneOf('full', 'redacted', 'metadata'),
  },
  primaryKey: ['tenantId', 'id'],
  indexes: [
    { name: 'model_calls_by_run', columns: ['tenantId', 'runId', 'step'] },
    // Heads that hold the messages themselves.
    { name: 'model_calls_by_own_head', columns: ['tenantId', 'headHash'], where: 'messages_until = 0' },
  ],
  retained: 'startedAt',
})

/** Large or repeated texts by their SHA-256, per tenant: two tenants never share a row. */
export const bodies = table('bodies', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    hash: text(),
    bytes: integer(),
    content: text({ personal: true }),
    /** When it was stored, or stored again, to the hour. */
    createdAt: integer(),
  },
  primaryKey: ['tenantId', 'hash'],
})
