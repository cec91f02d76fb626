// What a scripted model server answers, said once and written in each provider's wire format by the wire files.

import type { Json } from '../../../src/base/json.ts'

export type ReplyPart =
  | { readonly text: string }
  /** Reasoning that the provider shows; `signature` is what it wants back (Anthropic, Google, OpenAI). */
  | { readonly reasoning: string; readonly signature?: string }
  /** Arguments given as text are sent as they are, so that they may be malformed. */
  | { readonly tool: string; readonly arguments: Json; readonly callId?: string; readonly signature?: string }
  | { readonly refusal: string }

/** Disjoint counts, as in `contract/usage.ts`; each wire adds them up the way that its provider does. */
export interface ReplyUsage {
  readonly input: number
  readonly output: number
  readonly cached?: number
  readonly cacheWrite?: number
  readonly reasoning?: number
}

export interface AnswerReply {
  readonly type: 'answer'
  readonly parts: readonly ReplyPart[]
  /** `absent` leaves usage out entirely. Default: 10 in, 5 out. */
  readonly usage?: ReplyUsage | 'absent'
  readonly finish?: 'stop' | 'length' | 'content_filter' | 'refusal'
  /** Characters per streamed piece. Default 8. */
  readonly chunkChars?: number
  /** How long the server thinks before its first byte of the body. */
  readonly firstChunkMs?: number
  /** Waits `ms` before the event with that index (0 is the first). */
  readonly stall?: { readonly beforeEvent: number; readonly ms: number }
  /** Ends the stream before that event: by closing the body properly (`end`) or by resetting the connection. */
  readonly cut?: { readonly beforeEvent: number; readonly how: 'end' | 'reset' }
  /** Sends an event that is not JSON before the event with that index. */
  readonly corruptBefore?: number
  /** Sends the provider's error event before the event with that index, and nothing after it. */
  readonly errorBefore?: number
}

export type ErrorCause = 'plain' | 'context_too_long' | 'quota'

export type Reply =
  | AnswerReply
  | {
      readonly type: 'error'
      readonly status: number
      readonly cause?: ErrorCause
      readonly message?: string
      /** Sent as they are, e.g. `{ 'retry-after': '2' }`. */
      readonly headers?: Readonly<Record<string, string>>
    }
  | { readonly type: 'html'; readonly status: number }
  | { readonly type: 'redirect'; readonly location: string }
  /** Closes the connection without an answer. */
  | { readonly type: 'hang_up' }

export function answer(...parts: readonly ReplyPart[]): AnswerReply {
  return { type: 'answer', parts }
}

/** The arguments of a tool call as the wire carries them: text stays as it is, other values become JSON. */
export function argumentsText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Cuts a text into pieces of `size` characters; an empty text has none. */
export function pieces(text: string, size: number): readonly string[] {
  const cut: string[] = []
  for (let at = 0; at < text.length; at += size) cut.push(text.slice(at, at + size))
  return cut
}

export function usageOf(reply: AnswerReply): Required<ReplyUsage> | undefined {
  if (reply.usage === 'absent') return undefined
  return { cached: 0, cacheWrite: 0, reasoning: 0, input: 10, output: 5, ...reply.usage }
}
