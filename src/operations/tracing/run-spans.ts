// The spans of a run, its model calls and its tool calls, as the semantic conventions for generative AI name them.

import type { ObservedRun, RuntimeObserver } from '../../runtime/observer.ts'
import { ATTRIBUTE } from './attribute-names.ts'
import { runContext, type TraceContext } from './trace-context.ts'
import type { FinishedSpan } from './tracing.ts'

type RunEnd = Parameters<RuntimeObserver['runEnded']>[1]
type ModelCall = Parameters<RuntimeObserver['modelCalled']>[1]
type ToolCall = Parameters<RuntimeObserver['toolCalled']>[1]

/** Written when the run ends; its steps, wherever they were done, already point to it. */
export function runSpan(
  run: ObservedRun,
  end: RunEnd,
  requestedBy: TraceContext | undefined,
  now: number,
): FinishedSpan {
  const self = runContext(run.runId, run.traceId)
  const calledBy =
    run.parentRunId === undefined
      ? undefined
      : { ...self, spanId: runContext(run.parentRunId, undefined).spanId }
  return {
    name: `invoke_agent ${run.agent}`,
    kind: 'internal',
    parent: calledBy ?? requestedBy,
    self,
    startedAt: now - end.ms,
    ms: end.ms,
    attributes: {
      ...runAttributes(run),
      [ATTRIBUTE.operation]: 'invoke_agent',
      [ATTRIBUTE.runState]: end.state,
    },
    error: end.state === 'failed' ? (end.errorCode ?? 'failed') : undefined,
  }
}

export function modelSpan(run: ObservedRun, call: ModelCall, provider: string): FinishedSpan {
  const model = call.model.slice(call.model.indexOf('/') + 1)
  const { usage, timing } = call
  return {
    name: `chat ${model}`,
    kind: 'client',
    parent: runContext(run.runId, run.traceId),
    startedAt: call.startedAt,
    ms: timing.totalMs,
    attributes: {
      ...runAttributes(run),
      [ATTRIBUTE.operation]: 'chat',
      [ATTRIBUTE.provider]: provider,
      [ATTRIBUTE.requestModel]: model,
      [ATTRIBUTE.step]: call.step,
      [ATTRIBUTE.attempt]: call.attempt,
      [ATTRIBUTE.usageState]: usage.state,
      ...(timing.firstTokenMs === undefined ? {} : { [ATTRIBUTE.firstChunk]: timing.firstTokenMs / 1_000 }),
      ...(usage.state === 'known' ? tokenAttributes(usage.counts) : {}),
    },
    error: call.outcome === 'answered' ? undefined : call.outcome,
  }
}

export function toolSpan(run: ObservedRun, call: ToolCall): FinishedSpan {
  return {
    name: `execute_tool ${call.tool}`,
    kind: 'internal',
    parent: runContext(run.runId, run.traceId),
    startedAt: call.startedAt,
    ms: call.ms,
    attributes: {
      ...runAttributes(run),
      [ATTRIBUTE.operation]: 'execute_tool',
      [ATTRIBUTE.toolName]: call.tool,
      [ATTRIBUTE.step]: call.step,
    },
    error: call.outcome === 'done' ? undefined : call.outcome,
  }
}

function runAttributes(run: ObservedRun): Record<string, string> {
  return {
    [ATTRIBUTE.agentName]: run.agent,
    [ATTRIBUTE.runId]: run.runId,
    [ATTRIBUTE.tenantId]: run.tenantId,
  }
}

/** The convention counts cached tokens as input as well; our kinds do not overlap, so they are added here. */
function tokenAttributes(
  counts: Extract<ModelCall['usage'], { state: 'known' }>['counts'],
): Record<string, number> {
  return {
    [ATTRIBUTE.inputTokens]: counts.inputTokens + counts.cachedInputTokens + counts.cacheWriteTokens,
    [ATTRIBUTE.cacheReadTokens]: counts.cachedInputTokens,
    [ATTRIBUTE.cacheWriteTokens]: counts.cacheWriteTokens,
    [ATTRIBUTE.outputTokens]: counts.outputTokens,
    [ATTRIBUTE.reasoningTokens]: counts.reasoningTokens,
  }
}
