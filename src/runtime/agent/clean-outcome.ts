// What a model said, made safe to store: no character that a database refuses, no text without end.

import { withoutNul } from '../../base/json.ts'
import type { AssistantPart } from '../../contract/message.ts'
import type { ModelOutcome } from '../../models/model.ts'

/** The longest text of one part of an answer, in characters; what is beyond is cut off. */
export const ANSWER_CHARS_MAX = 1_000_000
const NAME_CHARS_MAX = 256

export function cleanOutcome(outcome: ModelOutcome): ModelOutcome {
  if (outcome.status === 'failed') {
    const failure = { ...outcome.failure, message: clean(outcome.failure.message, 1_000) }
    return { ...outcome, failure, partial: outcome.partial.map(cleanPart) }
  }
  const { responseId, responseModel } = outcome
  return {
    ...outcome,
    parts: outcome.parts.every(isClean) ? outcome.parts : outcome.parts.map(cleanPart),
    ...(responseId === undefined ? {} : { responseId: clean(responseId, NAME_CHARS_MAX) }),
    ...(responseModel === undefined ? {} : { responseModel: clean(responseModel, NAME_CHARS_MAX) }),
  }
}

function isClean(part: AssistantPart): boolean {
  if (part.type !== 'tool_call') return part.text.length <= ANSWER_CHARS_MAX && !part.text.includes('\0')
  return (
    part.tool.length <= NAME_CHARS_MAX &&
    part.callId.length <= NAME_CHARS_MAX &&
    !`${part.tool}${part.callId}`.includes('\0')
  )
}

function cleanPart(part: AssistantPart): AssistantPart {
  if (part.type !== 'tool_call') return { ...part, text: clean(part.text, ANSWER_CHARS_MAX) }
  return { ...part, tool: clean(part.tool, NAME_CHARS_MAX), callId: clean(part.callId, NAME_CHARS_MAX) }
}

function clean(text: string, charsMax: number): string {
  return withoutNul(text).slice(0, charsMax)
}
