// Our messages in the SDK's form. Each message object is converted once, so that a growing history costs only its new messages.

import type { LanguageModelV4Message, LanguageModelV4Prompt, SharedV4ProviderOptions } from '@ai-sdk/provider'
import { isJsonObject } from '../../base/json.ts'
import type {
  AssistantPart,
  Message,
  ProviderMetadata,
  ToolCallPart,
  ToolResult,
} from '../../contract/message.ts'
import type { ModelRequest } from '../model.ts'

type AssistantContent = Extract<LanguageModelV4Message, { role: 'assistant' }>['content'][number]
type ToolContent = Extract<LanguageModelV4Message, { role: 'tool' }>['content'][number]

/** Messages are immutable, so one conversion serves every provider and every later call. */
const converted = new WeakMap<Message, LanguageModelV4Message>()

export function toPrompt(
  request: ModelRequest,
  systemOptions?: SharedV4ProviderOptions,
): LanguageModelV4Prompt {
  const prompt: LanguageModelV4Prompt = []
  if (request.instructions !== '') {
    const options = systemOptions === undefined ? {} : { providerOptions: systemOptions }
    prompt.push({ role: 'system', content: request.instructions, ...options })
  }
  for (const message of request.messages) prompt.push(convert(message))
  return prompt
}

function convert(message: Message): LanguageModelV4Message {
  const known = converted.get(message)
  if (known !== undefined) return known
  const fresh = toSdkMessage(message)
  converted.set(message, fresh)
  return fresh
}

function toSdkMessage(message: Message): LanguageModelV4Message {
  switch (message.role) {
    case 'user':
      return { role: 'user', content: [{ type: 'text', text: message.text }] }
    case 'assistant':
      return { role: 'assistant', content: message.parts.map(toAssistantContent) }
    case 'tool':
      return { role: 'tool', content: message.results.map(toToolContent) }
    default:
      return message satisfies never
  }
}

function toAssistantContent(part: AssistantPart): AssistantContent {
  const options = metadataOptions(part.providerMetadata)
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return { type: part.type, text: part.text, ...options }
    case 'tool_call':
      return {
        type: 'tool-call',
        toolCallId: part.callId,
        toolName: part.tool,
        input: replayInput(part.arguments),
        ...options,
      }
    default:
      return part satisfies never
  }
}

function toToolContent(result: ToolResult): ToolContent {
  const output =
    result.output.type === 'error'
      ? ({ type: 'error-text', value: result.output.message } as const)
      : ({ type: 'json', value: result.output.value } as const)
  return { type: 'tool-result', toolCallId: result.callId, toolName: result.tool, output }
}

/** Anthropic and Google accept only objects as arguments, so what the model got wrong goes back inside one. */
function replayInput(args: ToolCallPart['arguments']): unknown {
  if ('malformed' in args) return { invalid_arguments: args.malformed }
  return isJsonObject(args.json) ? args.json : { invalid_arguments: JSON.stringify(args.json) }
}

/** What a provider said about a part, keyed by provider: exactly the shape that it wants back as options. */
function metadataOptions(metadata: ProviderMetadata | undefined): {
  providerOptions?: SharedV4ProviderOptions
} {
  return metadata === undefined ? {} : { providerOptions: metadata as SharedV4ProviderOptions }
}
