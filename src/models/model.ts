// The port to models. models/ owns provider protocols; it never stores, prices or retries: the runtime journals each attempt.

import type { JsonObject } from '../base/json.ts'
import type { AssistantPart, Message } from '../contract/message.ts'
import type { ModelUsage } from '../contract/usage.ts'

export interface ModelTool {
  readonly name: string
  readonly description: string
  /** JSON Schema 2020-12. */
  readonly inputSchema: JsonObject
}

export interface ModelSettings {
  readonly temperature?: number
  readonly topP?: number
  readonly maxOutputTokens?: number
  readonly stopSequences?: readonly string[]
  readonly seed?: number
  readonly presencePenalty?: number
  readonly frequencyPenalty?: number
  readonly reasoningEffort?: 'minimal' | 'low' | 'medium' | 'high'
  /** Passed to the provider as they are, by provider name. */
  readonly providerOptions?: JsonObject
}

export interface ModelTimeouts {
  readonly firstTokenMs: number
  readonly betweenChunksMs: number
  readonly totalMs: number
}

export type ModelDelta =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'tool_call'; readonly tool: string }

export interface ModelRequest {
  /** `provider/model`, e.g. `openai/gpt-5-mini`, `offline/extractive`. */
  readonly model: string
  readonly instructions: string
  readonly messages: readonly Message[]
  readonly tools: readonly ModelTool[]
  readonly settings: ModelSettings
  /** JSON Schema that the final text must follow. */
  readonly outputSchema?: JsonObject
  readonly timeouts: ModelTimeouts
  readonly onDelta?: (delta: ModelDelta) => void
}

export type FinishReason = 'stop' | 'tool_calls' | 'length' | 'content_filter' | 'refusal' | 'other'

export interface ModelTiming {
  /** From the request to the first content; undefined where none came. */
  readonly firstTokenMs: number | undefined
  readonly totalMs: number
}

/** Why an attempt failed. `kind` decides what the runtime may do next. */
export interface ModelFailure {
  readonly kind:
    | 'rate_limited'
    | 'overloaded'
    | 'server_error'
    | 'network'
    | 'timeout'
    | 'stream_cut'
    | 'bad_request'
    | 'unauthorized'
    | 'not_found'
    | 'context_too_long'
    | 'malformed_response'
    | 'empty'
    | 'cancelled'
  /** One line for a user, without secrets. */
  readonly message: string
  readonly httpStatus?: number
  readonly retryAfterMs?: number
}

export type ModelOutcome =
  | {
      readonly status: 'answered'
      readonly parts: readonly AssistantPart[]
      readonly finishReason: FinishReason
      readonly usage: ModelUsage
      readonly timing: ModelTiming
      /** What the provider said of itself: its id for the response, the exact model that answered. */
      readonly responseId?: string
      readonly responseModel?: string
    }
  | {
      readonly status: 'failed'
      readonly failure: ModelFailure
      /** What came before the failure. */
      readonly partial: readonly AssistantPart[]
      readonly usage: ModelUsage
      readonly timing: ModelTiming
    }

/** One provider. `call` makes exactly one attempt and never throws for a provider's failure. */
export interface ModelProvider {
  readonly name: string
  call(request: ModelRequest, signal: AbortSignal): Promise<ModelOutcome>
}

/** Finds the provider of a `provider/model` text. */
export interface ModelRegistry {
  /** Throws `model.unknown` (no such provider, lists those there are) or `model.not-configured` (names the missing setting). */
  provider(model: string): Promise<ModelProvider>
  /** For doctor and pages: each provider, whether it can be used now, and the setting that is missing. */
  list(): readonly { readonly name: string; readonly configured: boolean; readonly needs?: string }[]
}
