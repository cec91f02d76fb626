// Runs and what belongs to them as the wire has them. Pure.

import { formatUsd } from '../../base/money.ts'
import { formatTime } from '../../base/time.ts'
import type { RunEvent } from '../../contract/event.ts'
import type * as wire from '../../contract/run.ts'
import type { Session as SessionResource, SessionTurn as TurnResource } from '../../contract/session.ts'
import type { Run, Session, SessionTurn, Step } from '../../runtime/runtime.ts'
import { timeOrNull } from './time-view.ts'

export function runView(run: Run): wire.Run {
  const definition = { id: run.definitionId, name: run.definitionName, version: run.definitionVersion }
  return {
    id: run.id,
    kind: run.kind,
    state: run.state,
    waitingReason: run.waitingReason,
    agent: run.kind === 'agent' ? definition : null,
    workflow: run.kind === 'workflow' ? definition : null,
    input: run.input,
    output: run.output,
    error: run.error,
    blockedBy: run.blockedBy,
    sessionId: run.sessionId,
    parentRunId: run.parentRunId,
    replayOf: run.replayOf,
    replayFrom: run.replayFrom,
    redriveOf: run.redriveOf,
    triggerId: run.triggerId,
    projectId: run.projectId,
    jobId: run.jobId,
    stepCount: run.stepCount,
    toolCallCount: run.toolCallCount,
    usage: { inputTokens: run.inputTokens, outputTokens: run.outputTokens },
    costUsd: formatUsd(run.costNanos),
    unpricedCalls: run.unpricedCount,
    traceId: run.traceId,
    createdBy: run.createdBy,
    createdAt: formatTime(run.createdAt),
    startedAt: timeOrNull(run.startedAt),
    finishedAt: timeOrNull(run.finishedAt),
  }
}

/** What a step was given and gave are said to those who may read prompts. */
export function stepView(step: Step, mayReadPrompts: boolean): wire.Step {
  return {
    seq: step.seq,
    kind: step.kind,
    name: step.name,
    state: step.state,
    path: step.path,
    waitingReason: step.waitingReason,
    dueAt: timeOrNull(step.dueAt),
    attempt: step.attempt,
    effect: step.effect,
    ...(mayReadPrompts ? { input: step.input, output: step.output } : {}),
    error: step.error,
    childRunId: step.childRunId,
    startedAt: formatTime(step.startedAt),
    finishedAt: timeOrNull(step.finishedAt),
  }
}

export function eventView(event: RunEvent): wire.RunEventResource {
  const { type, runId, runSeq, actor, data, occurredAt } = event
  return { type, runId, runSeq, actor, data, occurredAt: formatTime(occurredAt) }
}

export function sessionView(session: Session): SessionResource {
  return {
    id: session.id,
    agentId: session.agentId,
    turnCount: session.turnCount,
    activeRunId: session.activeRunId,
    createdAt: formatTime(session.createdAt),
    updatedAt: formatTime(session.updatedAt),
  }
}

export function turnView(turn: SessionTurn): TurnResource {
  return { ...turn, createdAt: formatTime(turn.createdAt) }
}
