// Messages of a run, in our own form: stored, shown in the prompt log, and turned into each provider's form by models/.

import type { Json, JsonObject } from '../base/json.ts'

/** Opaque facts of a provider that must go back with the part (thinking signatures, item ids). */
export type ProviderMetadata = JsonObject

export interface TextPart {
  readonly type: 'text'
  readonly text: string
  readonly providerMetadata?: ProviderMetadata
}

export interface ReasoningPart {
  readonly type: 'reasoning'
  readonly text: string
  readonly providerMetadata?: ProviderMetadata
}

export interface ToolCallPart {
  readonly type: 'tool_call'
  readonly callId: string
  readonly tool: string
  /** What the model sent: parsed where it is JSON, else the raw text under `malformed`. */
  readonly arguments: { readonly json: Json } | { readonly malformed: string }
  readonly providerMetadata?: ProviderMetadata
}

export type AssistantPart = TextPart | ReasoningPart | ToolCallPart

export interface ToolResult {
  readonly callId: string
  readonly tool: string
  readonly output:
    | { readonly type: 'json'; readonly value: Json }
    | { readonly type: 'error'; readonly message: string }
}

export type Message =
  | { readonly role: 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly parts: readonly AssistantPart[] }
  | { readonly role: 'tool'; readonly results: readonly ToolResult[] }

/** The text of an assistant message, its parts joined. */
export function assistantText(parts: readonly AssistantPart[]): string {
  let text = ''
  for (const part of parts) if (part.type === 'text') text += part.text
  return text
}
