// Rows as the rest of the product sees them.

import type { Json } from '../base/json.ts'
import { jobIdOf } from '../queue/job.ts'
import type { TenantReader } from '../storage/database.ts'
import type { RowOf } from '../storage/schema/tables.ts'
import { readText } from './journal/message-store.ts'
import type { ModelCallRow } from './journal/model-call-store.ts'
import type { RunRow } from './journal/run-store.ts'
import type { StepRow } from './journal/step-store.ts'
import type { Job, ModelCall, Run, Session, SessionTurn, Step } from './runtime.ts'
import type { SessionRow, TurnRow } from './session-store.ts'

/** `blockedBy`: what its job says of a run that no worker can drive. */
export function runView(row: RunRow, blockedBy: Run['blockedBy'] = null): Run {
  return {
    id: row.id,
    kind: row.kind,
    definitionId: row.definitionId,
    definitionName: row.definitionName,
    definitionVersion: row.definitionVersion,
    state: row.state,
    waitingReason: row.waitingReason,
    input: JSON.parse(row.input) as Json,
    output: row.output === null ? null : (JSON.parse(row.output) as Json),
    error: errorOf(row),
    blockedBy,
    sessionId: row.sessionId,
    parentRunId: row.parentRunId,
    replayOf: row.replayOf,
    replayFrom: row.replayFrom,
    redriveOf: row.redriveOf,
    triggerId: row.triggerId,
    projectId: row.projectId,
    jobId: jobIdOf(row.rootRunId),
    stepCount: row.stepCount,
    toolCallCount: row.toolCallCount,
    inputTokens: row.inputTokens,
    outputTokens: row.outputTokens,
    costNanos: row.costNanos,
    unpricedCount: row.unpricedCount,
    traceId: row.traceId,
    createdBy: row.createdBy,
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
  }
}

export async function stepView(reader: TenantReader, row: StepRow): Promise<Step> {
  const input = await readText(reader, { inline: row.input, hash: row.inputHash })
  const output = await readText(reader, { inline: row.output, hash: row.outputHash })
  return {
    seq: row.seq,
    kind: row.kind,
    name: row.name,
    state: row.state,
    waitingReason: row.waitingReason,
    path: row.path,
    dueAt: row.dueAt,
    attempt: row.attempt,
    effect: row.effect,
    input: input === null ? null : (JSON.parse(input) as Json),
    output: output === null ? null : (JSON.parse(output) as Json),
    error: errorOf(row),
    childRunId: row.childRunId,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
  }
}

export function modelCallView(row: ModelCallRow): ModelCall {
  const { failureKind, failureMessage, httpStatus } = row
  return {
    id: row.id,
    runId: row.runId,
    step: row.step,
    attempt: row.attempt,
    model: row.model,
    responseModel: row.responseModel,
    responseId: row.responseId,
    status: row.status,
    finishReason: row.finishReason,
    failure:
      failureKind === null ? null : { kind: failureKind, message: failureMessage ?? failureKind, httpStatus },
    usageState: row.usageState,
    inputTokens: row.inputTokens,
    cachedInputTokens: row.cachedInputTokens,
    cacheWriteTokens: row.cacheWriteTokens,
    outputTokens: row.outputTokens,
    reasoningTokens: row.reasoningTokens,
    costState: row.costState,
    costNanos: row.costNanos,
    startedAt: row.startedAt,
    firstTokenMs: row.firstTokenMs,
    totalMs: row.totalMs,
    capture: row.capture,
  }
}

export function sessionView(row: SessionRow): Session {
  const { id, agentId, turnCount, activeRunId, createdAt, updatedAt } = row
  return { id, agentId, turnCount, activeRunId, createdAt, updatedAt }
}

export function turnView(row: TurnRow): SessionTurn {
  const { seq, runId, input, output, createdAt } = row
  return { seq, runId, input, output, createdAt }
}

export function jobView(row: RowOf<'jobs'>): Job {
  const { id, kind, runId, state, priority, attempt, maxAttempts, leaseOwner, leaseUntil } = row
  const progress = row.progress === null ? null : (JSON.parse(row.progress) as Json)
  const { notBefore, createdAt, finishedAt } = row
  const held = { leaseOwner, leaseUntil, notBefore, progress, error: errorOf(row), createdAt, finishedAt }
  return { id, kind, runId, state, priority, attempt, maxAttempts, ...held }
}

function errorOf(row: {
  readonly errorCode: string | null
  readonly errorMessage: string | null
}): Run['error'] {
  return row.errorCode === null ? null : { code: row.errorCode, message: row.errorMessage ?? row.errorCode }
}
