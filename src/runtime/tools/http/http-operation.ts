// Calls the HTTP operation behind a tool, as made from an OpenAPI document.
// Sends through the outbound guard, to the origin of the base URL only; never retries.

import { AppError } from '../../../base/errors.ts'
import { isJsonObject, type Json } from '../../../base/json.ts'
import type { HttpImplementation } from '../../../contract/tool.ts'
import type { GuardedFetch } from '../../../outbound/guarded-fetch.ts'
import type { OutboundResponse } from '../../../outbound/outbound-request.ts'
import type { ToolContext } from '../builtin-tool.ts'
import { objectInput } from '../input.ts'
import { excerpt, HTTP_BODY_BYTES_MAX, shownBody } from './http-output.ts'
import { placeParameters } from './http-parameters.ts'

const EXCERPT_CHARS_MAX = 300
const RETRY_AFTER_MS_MAX = 3_600_000

/**
 * Sends the operation with this input; the output is `{status, body}`, and `truncated: true` where the body was
 * longer than 128 KiB. Requests other than GET and HEAD carry the call's `Idempotency-Key`.
 * Throws `tool.failed` with status and the beginning of the body for an answer outside 2xx,
 * `tool.input-invalid`, `definition.invalid`, and what the outbound guard throws.
 */
export async function callHttpOperation(
  fetch: GuardedFetch,
  operation: HttpImplementation,
  input: Json,
  context: ToolContext,
): Promise<Json> {
  const values = objectInput(input)
  const placed = placeParameters(operation.path, operation.parameters ?? [], values)
  const url = operationUrl(operation, placed.path)
  for (const [name, value] of placed.query) url.searchParams.append(name, value)
  const body =
    operation.body === undefined
      ? undefined
      : encodeBody(operation.body.mediaType, values[operation.body.property])
  const isRead = operation.method === 'GET' || operation.method === 'HEAD'
  const response = await fetch(
    {
      method: operation.method,
      url: url.href,
      headers: {
        accept: 'application/json, text/*;q=0.9, */*;q=0.5',
        ...placed.headers,
        ...lowerCase(operation.headers ?? {}),
        ...(isRead ? {} : { 'idempotency-key': context.idempotencyKey }),
        ...(body === undefined ? {} : { 'content-type': operation.body?.mediaType ?? '' }),
      },
      ...(body === undefined ? {} : { body }),
      responseBytesMax: HTTP_BODY_BYTES_MAX,
      onTooLong: 'truncate',
      refuseUrl: (target) =>
        target.origin === url.origin ? undefined : `this tool may only call ${url.host}`,
    },
    context.signal,
  )
  if (response.status < 200 || response.status > 299) throw failed(operation, response, context)
  const shown = shownBody(response)
  return { status: response.status, body: shown.body, ...(shown.truncated ? { truncated: true } : {}) }
}

function operationUrl(operation: HttpImplementation, path: string): URL {
  const base = operation.baseUrl.replace(/\/+$/, '')
  const url = URL.parse(`${base}${path.startsWith('/') ? '' : '/'}${path}`)
  const origin = URL.parse(operation.baseUrl)?.origin
  if (url === null || url.origin !== origin) {
    throw new AppError('definition.invalid', 'The base URL and the path of the operation do not make a URL.')
  }
  return url
}

function encodeBody(mediaType: string, value: Json | undefined): string | undefined {
  if (value === undefined) return undefined
  const type = mediaType.toLowerCase().split(';')[0]?.trim() ?? ''
  if (type === 'application/json' || type.endsWith('+json')) return JSON.stringify(value)
  if (type === 'application/x-www-form-urlencoded' && isJsonObject(value))
    return formOf(Object.entries(value))
  if (typeof value === 'string') return value
  throw new AppError('definition.invalid', `A body of the type ${type} cannot be made from this input.`)
}

function formOf(entries: readonly (readonly [string, Json])[]): string {
  const form = new URLSearchParams()
  for (const [name, value] of entries) {
    const items: readonly Json[] = Array.isArray(value) ? value : [value]
    for (const item of items) {
      form.append(name, typeof item === 'object' && item !== null ? JSON.stringify(item) : String(item ?? ''))
    }
  }
  return form.toString()
}

function failed(operation: HttpImplementation, response: OutboundResponse, context: ToolContext): AppError {
  const body = excerpt(response, EXCERPT_CHARS_MAX)
  const what = `${operation.method} ${operation.path} answered with status ${response.status}`
  const retryAfterMs = retryAfter(response.headers['retry-after'], context.nowMs)
  return new AppError('tool.failed', body === '' ? `${what}.` : `${what}: ${body}`, {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

/** Seconds or an HTTP date (RFC 9110, 10.2.3). */
function retryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - nowMs
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), RETRY_AFTER_MS_MAX)
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
