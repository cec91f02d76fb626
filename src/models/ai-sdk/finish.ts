// Finish reasons: from the SDK's and the provider's words to ours. Pure.

import type { LanguageModelV4FinishReason } from '@ai-sdk/provider'
import type { AssistantPart } from '../../contract/message.ts'
import type { FinishReason } from '../model.ts'

/** `cut`: the stream ended without the provider's own end. `error`: the provider ended with an error. */
export function finishReasonOf(
  finish: LanguageModelV4FinishReason,
  parts: readonly AssistantPart[],
): FinishReason | 'cut' | 'error' {
  switch (finish.unified) {
    case 'stop':
    case 'tool-calls':
    case 'other':
      // Some compatible servers end a message of tool calls with "stop".
      if (parts.some((part) => part.type === 'tool_call')) return 'tool_calls'
      return finish.unified === 'other' ? 'other' : 'stop'
    case 'length':
      return 'length'
    case 'content-filter':
      return isRefusal(finish.raw) ? 'refusal' : 'content_filter'
    case 'interrupted':
      return 'cut'
    case 'error':
      return 'error'
    default:
      return finish.unified satisfies never
  }
}

/**
 * A filter of the provider names itself (`content_filter`, `SAFETY`, …). A refusal of the model itself is `refusal` at
 * Anthropic, and at OpenAI an ordinary end (`stop`, or nothing) whose text came as a refusal.
 */
function isRefusal(raw: string | undefined): boolean {
  return raw === undefined || raw === 'refusal' || raw === 'stop'
}
