// The offline model: no key, no network, deterministic. It picks tools by comparing words, fills their arguments from the text
// and answers by quoting what they return. It says what it is. It makes demos, tests and load tests real without intelligence.
// The registry makes it; the runtime calls it like any other provider.

import type { AssistantPart } from '../../contract/message.ts'
import type { ModelDelta, ModelOutcome, ModelProvider, ModelRequest } from '../model.ts'
import { respond } from './respond.ts'
import { countTokens } from './tokens.ts'

const OFFLINE_MODEL = 'offline/extractive'

export function createOfflineProvider(): ModelProvider {
  return { name: 'offline', call: async (request, signal) => call(request, signal) }
}

function call(request: ModelRequest, signal: AbortSignal): ModelOutcome {
  const startedAt = performance.now()
  if (signal.aborted) {
    const failure = { kind: 'cancelled', message: 'The call was cancelled before it began.' } as const
    return {
      status: 'failed',
      failure,
      partial: [],
      usage: { state: 'none' },
      timing: { firstTokenMs: undefined, totalMs: 0 },
    }
  }
  if (request.model !== OFFLINE_MODEL) {
    const failure = {
      kind: 'not_found',
      message: `The offline provider has one model: ${OFFLINE_MODEL}.`,
    } as const
    return {
      status: 'failed',
      failure,
      partial: [],
      usage: { state: 'none' },
      timing: { firstTokenMs: undefined, totalMs: 0 },
    }
  }
  const parts = respond(request)
  const elapsedMs = Math.round(performance.now() - startedAt)
  if (request.onDelta !== undefined) stream(parts, request.onDelta)
  const counts = countTokens(request, parts)
  return {
    status: 'answered',
    parts,
    finishReason: parts.some((part) => part.type === 'tool_call') ? 'tool_calls' : 'stop',
    usage: { state: 'known', counts, raw: { estimate: 'characters/4', ...counts } },
    timing: { firstTokenMs: elapsedMs, totalMs: elapsedMs },
    responseModel: 'extractive',
  }
}

/** Word by word, as a model's tokens come. */
function stream(parts: readonly AssistantPart[], onDelta: (delta: ModelDelta) => void): void {
  for (const part of parts) {
    if (part.type === 'tool_call') onDelta({ type: 'tool_call', tool: part.tool })
    else for (const word of part.text.match(/\s*\S+(?:\s+$)?/g) ?? []) onDelta({ type: 'text', text: word })
  }
}
