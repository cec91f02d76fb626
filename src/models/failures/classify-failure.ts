// From what a provider package throws or streams as an error to our failure kinds. Pure but for the clock passed in.

import { APICallError, InvalidResponseDataError } from '@ai-sdk/provider'
import { isJsonObject } from '../../base/json.ts'
import type { ModelFailure } from '../model.ts'
import { plainMessage } from './plain-message.ts'
import { readRetryAfter } from './retry-after.ts'

export interface FailureContext {
  readonly provider: string
  readonly secrets: readonly string[]
  /** Whether any of the answer had arrived. Then the attempt may have been billed, whatever is said afterwards. */
  readonly begun: boolean
  readonly nowMs: number
}

export interface Classified {
  readonly failure: ModelFailure
  /** `none`: certainly not billed. */
  readonly billed: 'maybe' | 'none'
}

/** Failures before a connection stood: nothing was sent. */
const NOT_SENT_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_INVALID_URL',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
])
const CAUSE_DEPTH_MAX = 8

export function classifyFailure(error: unknown, context: FailureContext): Classified {
  const status = statusOf(error)
  if (status !== undefined && status !== 200) return fromStatus(error, status, context)
  if (InvalidResponseDataError.isInstance(error)) {
    // A compatible server's stream that ended without a finish reason is reported as a problem of no particular data.
    return error.data === undefined ? streamCut(context) : malformed(context)
  }
  if (isErrorFrame(error)) return fromFrame(error, context)
  const code = networkCode(error)
  if (code !== undefined || isBrokenConnection(error)) {
    if (context.begun || status === 200) return streamCut(context)
    const text = code === undefined ? 'the connection broke' : code
    const failure: ModelFailure = {
      kind: 'network',
      message: `${context.provider} could not be reached: ${text}.`,
    }
    return { failure, billed: code !== undefined && NOT_SENT_CODES.has(code) ? 'none' : 'maybe' }
  }
  if (status === 200 || isParseError(error)) return malformed(context)
  // Thrown by the provider package before it sent anything: a request that it cannot express.
  const failure: ModelFailure = {
    kind: 'bad_request',
    message: line(context, 'does not accept this request', textOf(error)),
  }
  return { failure, billed: context.begun ? 'maybe' : 'none' }
}

export function streamCut({ provider }: FailureContext): Classified {
  return {
    failure: { kind: 'stream_cut', message: `${provider} broke off in the middle of its answer.` },
    billed: 'maybe',
  }
}

export function malformed({ provider, begun }: FailureContext): Classified {
  const message = begun
    ? `${provider} sent something in its answer that cannot be read.`
    : `${provider} answered with something that is not its protocol; check the base URL.`
  return { failure: { kind: 'malformed_response', message }, billed: 'maybe' }
}

function fromStatus(error: unknown, status: number, context: FailureContext): Classified {
  const said = textOf(error)
  const kind = kindOf(status, `${said} ${bodyOf(error)}`)
  const retryAfterMs = APICallError.isInstance(error)
    ? readRetryAfter(error.responseHeaders, context.nowMs)
    : undefined
  const failure: ModelFailure = {
    kind,
    message: line(context, `answered ${status}`, said),
    httpStatus: status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
  return { failure, billed: !context.begun && isUnbilled(status) ? 'none' : 'maybe' }
}

/** An error that a compatible server streams: it is passed on as it came. */
interface ErrorFrame {
  readonly message: string
  readonly code?: unknown
  readonly type?: unknown
}

function isErrorFrame(error: unknown): error is ErrorFrame {
  return isJsonObject(error) && !(error instanceof Error) && typeof error.message === 'string'
}

function fromFrame(frame: ErrorFrame, context: FailureContext): Classified {
  const words = `${String(frame.code)} ${String(frame.type)}`
  const status = Number(frame.code)
  if (Number.isInteger(status) && status >= 400 && status <= 599) return fromStatus(frame, status, context)
  if (/rate_limit/i.test(words)) return fromStatus(frame, 429, context)
  if (/overload/i.test(words)) return fromStatus(frame, 503, context)
  if (/invalid_request|context_length/i.test(words)) return fromStatus(frame, 400, context)
  return {
    failure: { kind: 'server_error', message: line(context, 'failed', frame.message) },
    billed: 'maybe',
  }
}

function kindOf(status: number, text: string): ModelFailure['kind'] {
  if (isContextTooLong(status, text)) return 'context_too_long'
  // A spent quota comes as 429 but no waiting helps: only another key or provider does, as with a wrong key.
  if (status === 402 || isQuotaSpent(text)) return 'unauthorized'
  if (status === 429) return 'rate_limited'
  if (status === 503 || status === 529) return 'overloaded'
  if (status === 401 || status === 403) return 'unauthorized'
  if (status === 404) return 'not_found'
  if (status === 408 || status === 499 || status === 504 || status === 524) return 'timeout'
  if (status === 409 || status >= 500) return 'server_error'
  return 'bad_request'
}

/** OpenAI and vLLM, Anthropic, Google, llama.cpp, in this order. No provider has a status of its own for it. */
function isContextTooLong(status: number, text: string): boolean {
  if (status === 413) return true
  if (status !== 400 && status !== 422) return false
  return /context_length_exceeded|maximum context length|prompt is too long|exceed\w* (?:the |context )?(?:limit|maximum number of tokens)|exceeds the available context size|context[_ ]window/i.test(
    text,
  )
}

function isQuotaSpent(text: string): boolean {
  return /insufficient_quota|billing_hard_limit|credit balance is too low/i.test(text)
}

/**
 * Refusals before work began. A gateway answers 408, 499, 502, 503 and 504 also when the model behind it had worked,
 * so those may have been billed; 529 is Anthropic's own word for not having started.
 */
function isUnbilled(status: number): boolean {
  return status === 529 || (status < 500 && status !== 408 && status !== 499)
}

/** The HTTP status, or what the provider package derives from an error event inside a stream. */
function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined
  return typeof error.statusCode === 'number' ? error.statusCode : undefined
}

function textOf(error: unknown): string {
  if (error instanceof Error) return error.message
  if (isJsonObject(error) && typeof error.message === 'string') return error.message
  return ''
}

function bodyOf(error: unknown): string {
  return APICallError.isInstance(error) ? (error.responseBody ?? '').slice(0, 2_000) : ''
}

function line({ provider, secrets }: FailureContext, what: string, said: string): string {
  const plain = plainMessage(said, secrets)
  return plain === '' ? `${provider} ${what}.` : `${provider} ${what}: ${plain}`
}

function isParseError(error: unknown): boolean {
  return (
    error instanceof Error && (error.name === 'AI_JSONParseError' || error.name === 'AI_TypeValidationError')
  )
}

/** A call that got no status never reached a server, whatever the reason is called. */
function isBrokenConnection(error: unknown): boolean {
  if (APICallError.isInstance(error) && error.statusCode === undefined) return true
  return someCause(error, (cause) =>
    /terminated|socket hang up|other side closed|fetch failed|premature close/i.test(cause.message),
  )
}

function networkCode(error: unknown): string | undefined {
  let found: string | undefined
  someCause(error, (cause) => {
    if (!('code' in cause) || typeof cause.code !== 'string' || !/^[A-Z][A-Z0-9_]+$/.test(cause.code))
      return false
    found = cause.code
    return true
  })
  return found
}

function someCause(error: unknown, test: (cause: Error) => boolean): boolean {
  let current = error
  for (let depth = 0; depth < CAUSE_DEPTH_MAX && current instanceof Error; depth++) {
    if (test(current)) return true
    current = current.cause
  }
  return false
}
