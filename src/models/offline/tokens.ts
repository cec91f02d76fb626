// Counts tokens of the offline model by a rule of thumb that everybody can check: one token per four characters, rounded up.

import type { AssistantPart, Message } from '../../contract/message.ts'
import type { TokenCounts } from '../../contract/usage.ts'
import type { ModelRequest, ModelTool } from '../model.ts'

const CHARS_PER_TOKEN = 4

export function countTokens(request: ModelRequest, output: readonly AssistantPart[]): TokenCounts {
  let inputChars = request.instructions.length + toolChars(request.tools)
  for (const message of request.messages) inputChars += messageChars(message)
  let outputChars = 0
  for (const part of output) outputChars += partChars(part)
  return {
    inputTokens: Math.max(1, Math.ceil(inputChars / CHARS_PER_TOKEN)),
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: Math.max(1, Math.ceil(outputChars / CHARS_PER_TOKEN)),
    reasoningTokens: 0,
  }
}

/** Messages and tools do not change, so each is measured once. */
const measuredMessages = new WeakMap<Message, number>()
const measuredTools = new WeakMap<readonly ModelTool[], number>()

function messageChars(message: Message): number {
  const known = measuredMessages.get(message)
  if (known !== undefined) return known
  const chars =
    message.role === 'user'
      ? message.text.length
      : message.role === 'assistant'
        ? message.parts.reduce((sum, part) => sum + partChars(part), 0)
        : JSON.stringify(message.results).length
  measuredMessages.set(message, chars)
  return chars
}

function toolChars(tools: readonly ModelTool[]): number {
  const known = measuredTools.get(tools)
  if (known !== undefined) return known
  const chars = tools.length === 0 ? 0 : JSON.stringify(tools).length
  measuredTools.set(tools, chars)
  return chars
}

function partChars(part: AssistantPart): number {
  return part.type === 'tool_call'
    ? part.tool.length + JSON.stringify(part.arguments).length
    : part.text.length
}
