// What a scripted model says, turn by turn.

import type { Json } from '../../base/json.ts'
import type { ModelUsage, TokenCounts } from '../../contract/usage.ts'
import type { FinishReason, ModelFailure, ModelRequest } from '../model.ts'

export interface ScriptedToolCall {
  readonly tool: string
  readonly arguments: Json | { readonly malformed: string }
  /** Default: `call_<messages so far>_<index>`, unique in a run and the same when it is replayed. */
  readonly callId?: string
}

export interface ScriptedAnswer {
  readonly text?: string
  readonly reasoning?: string
  readonly toolCalls?: readonly ScriptedToolCall[]
  readonly finishReason?: FinishReason
  /** Counts that are left out are zero; `missing` says that the provider told nothing. Default: `SCRIPTED_COUNTS`. */
  readonly usage?: Partial<TokenCounts> | 'missing'
  /** How long the model thinks before its first word. Default 0: it answers at once. */
  readonly delayMs?: number
  /** Streams the text in pieces of so many characters. Default: one piece. */
  readonly chunkChars?: number
  /** The pause between pieces. Default 0. */
  readonly chunkDelayMs?: number
}

export interface ScriptedFailure {
  readonly failure: ModelFailure
  /** What comes before the failure. */
  readonly partialText?: string
  /** Default `none`. */
  readonly usage?: ModelUsage
  readonly delayMs?: number
}

export type ScriptedTurn = ScriptedAnswer | ScriptedFailure

/**
 * A list answers call after call, in order. A function sees the request and the number of the call, from 0; it is the
 * form to use where a process may die and start again, because it can decide by the messages alone.
 */
export type Script = readonly ScriptedTurn[] | ((request: ModelRequest, call: number) => ScriptedTurn)

/** The usage of a turn that does not say any: fixed, so that a call costs the same whatever the history. */
export const SCRIPTED_COUNTS: TokenCounts = {
  inputTokens: 10,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 5,
  reasoningTokens: 0,
}
