// The one interface of the four wire formats.

import type { Json } from '../../../src/base/json.ts'
import type { AnswerReply, ErrorCause } from './reply.ts'

/** One server-sent event; `event` is the name line, for the providers that have one. */
export interface WireEvent {
  readonly event?: string
  readonly data: Json | '[DONE]'
}

export interface Wire {
  readonly name: 'openai-chat' | 'openai-responses' | 'anthropic' | 'google'
  /** Whether a request with this path speaks this format. */
  matches(path: string): boolean
  /** Whether the request asks for a stream. */
  streams(path: string, body: Json): boolean
  /** The whole answer as one JSON document. */
  body(reply: AnswerReply, model: string): Json
  events(reply: AnswerReply, model: string): readonly WireEvent[]
  /** The error event inside a stream. */
  streamError(): WireEvent
  error(status: number, cause: ErrorCause, message: string | undefined): Json
}

/** The error type names that the OpenAI and Anthropic formats use for a status. */
export function errorType(status: number): string {
  switch (status) {
    case 401:
      return 'authentication_error'
    case 403:
      return 'permission_error'
    case 404:
      return 'not_found_error'
    case 413:
      return 'request_too_large'
    case 429:
      return 'rate_limit_error'
    case 529:
      return 'overloaded_error'
    default:
      return status >= 500 ? 'api_error' : 'invalid_request_error'
  }
}
