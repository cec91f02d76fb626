// Model calls as the wire has them. Pure.

import { formatUsd } from '../../base/money.ts'
import { formatTime } from '../../base/time.ts'
import type { AssistantPart, Message } from '../../contract/message.ts'
import type * as wire from '../../contract/model-call.ts'
import type { ModelCall, ModelCallDetail } from '../../runtime/runtime.ts'

type WireRequest = NonNullable<wire.ModelCallDetail['request']>
type WireMessage = WireRequest['messages'][number]
type WirePart = NonNullable<wire.ModelCallDetail['response']>[number]

export function modelCallView(call: ModelCall): wire.ModelCall {
  return {
    id: call.id,
    runId: call.runId,
    step: call.step,
    attempt: call.attempt,
    model: call.model,
    responseModel: call.responseModel,
    responseId: call.responseId,
    status: call.status,
    finishReason: call.finishReason,
    failure: call.failure,
    usage: {
      state: call.usageState,
      inputTokens: call.inputTokens,
      cachedInputTokens: call.cachedInputTokens,
      cacheWriteTokens: call.cacheWriteTokens,
      outputTokens: call.outputTokens,
      reasoningTokens: call.reasoningTokens,
    },
    costState: call.costState,
    costUsd: call.costNanos === null ? null : formatUsd(call.costNanos),
    startedAt: formatTime(call.startedAt),
    firstTokenMs: call.firstTokenMs,
    totalMs: call.totalMs,
    capture: call.capture,
  }
}

export function modelCallDetailView(call: ModelCallDetail): wire.ModelCallDetail {
  const { request, response } = call
  return {
    ...modelCallView(call),
    request: request && { ...request, messages: request.messages.map(messageView) },
    response: response?.map(partView) ?? null,
  }
}

function messageView(message: Message): WireMessage {
  switch (message.role) {
    case 'user':
      return message
    case 'assistant':
      return { role: 'assistant', parts: message.parts.map(partView) }
    case 'tool':
      return { role: 'tool', results: message.results.map((result) => ({ ...result })) }
    default:
      return message satisfies never
  }
}

function partView(part: AssistantPart): WirePart {
  return part
}
