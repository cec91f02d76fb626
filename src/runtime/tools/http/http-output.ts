// What an agent is shown of an HTTP answer.

import { type Json, type JsonObject, parseJson } from '../../../base/json.ts'
import type { OutboundResponse } from '../../../outbound/outbound-request.ts'

/** How much of a body is read; the JSON of the output stays below the limit for tool outputs. */
export const HTTP_BODY_BYTES_MAX = 131_072
/** Escapes can make JSON longer than the text. */
const BODY_JSON_CHARS_MAX = 200_000
const SHOWN_HEADERS = [
  'content-type',
  'content-language',
  'etag',
  'last-modified',
  'link',
  'location',
  'retry-after',
  'x-request-id',
  'x-total-count',
] as const
const HEADER_CHARS_MAX = 1_000

export interface ShownBody {
  /** Parsed where it is JSON, else text; null where there is none. */
  readonly body: Json
  readonly truncated: boolean
}

export function shownBody(response: OutboundResponse): ShownBody {
  const { body, truncated } = response
  if (body.byteLength === 0) return { body: null, truncated }
  const type = (response.headers['content-type'] ?? '').toLowerCase()
  if (isBinary(type))
    return { body: `(${body.byteLength} bytes of ${type.split(';')[0]?.trim()})`, truncated }
  const text = decoder(type).decode(body)
  if (!truncated && /[/+]json\b/.test(type)) {
    const parsed = parsedJson(text)
    if (parsed !== undefined) return { body: parsed, truncated }
  }
  return cut(text, truncated)
}

export function shownHeaders(response: OutboundResponse): JsonObject {
  const shown: Record<string, string> = {}
  for (const name of SHOWN_HEADERS) {
    const value = response.headers[name]
    if (value !== undefined) shown[name] = value.slice(0, HEADER_CHARS_MAX)
  }
  return shown
}

/** The beginning of a body on one line, for an error message. */
export function excerpt(response: OutboundResponse, charsMax: number): string {
  const type = (response.headers['content-type'] ?? '').toLowerCase()
  if (isBinary(type) || response.body.byteLength === 0) return ''
  const text = decoder(type).decode(response.body.subarray(0, charsMax * 4))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters must not reach a log
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\s]+/g, ' ').trim()
  return line.length > charsMax ? `${line.slice(0, charsMax)}…` : line
}

function parsedJson(text: string): Json | undefined {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

function cut(text: string, truncated: boolean): ShownBody {
  let shown = text
  while (JSON.stringify(shown).length > BODY_JSON_CHARS_MAX)
    shown = shown.slice(0, Math.floor(shown.length / 2))
  return { body: shown, truncated: truncated || shown.length < text.length }
}

function isBinary(type: string): boolean {
  return /^(?:image|audio|video|font)\/|^application\/(?:octet-stream|pdf|zip|gzip|x-tar|wasm|protobuf)/.test(
    type,
  )
}

function decoder(type: string): TextDecoder {
  const charset = /charset="?([\w-]{1,40})/.exec(type)?.[1] ?? 'utf-8'
  try {
    return new TextDecoder(charset)
  } catch {
    return new TextDecoder()
  }
}
