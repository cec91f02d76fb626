// The built-in tools `http_get` and `http_request`: a call to a server on the internet, through the outbound guard.

import type { Json, JsonObject } from '../../../base/json.ts'
import type { GuardedFetch } from '../../../outbound/guarded-fetch.ts'
import type { BuiltinTool, ToolContext } from '../builtin-tool.ts'
import { objectInput, textOf, textsOf } from '../input.ts'
import { HTTP_BODY_BYTES_MAX, shownBody, shownHeaders } from './http-output.ts'
import { HTTP_CONFIG_SCHEMA, httpTarget } from './http-target.ts'

/** Reads: `GET` and `HEAD`, so that a call may be tried again. */
export function createHttpGet(fetch: GuardedFetch): BuiltinTool {
  return {
    name: 'http_get',
    description:
      'Reads a web address with GET (or HEAD) and returns status, headers and body; JSON comes parsed.',
    inputSchema: inputSchema(['GET', 'HEAD'], {}, ['url']),
    outputSchema: OUTPUT_SCHEMA,
    effect: 'read',
    untrusted: true,
    configSchema: HTTP_CONFIG_SCHEMA,
    call: (input, config, context) => send(fetch, { method: 'GET', ...objectInput(input) }, config, context),
  }
}

/** Any method. A call is never repeated by itself; it carries the call's `Idempotency-Key`. */
export function createHttpRequest(fetch: GuardedFetch): BuiltinTool {
  const body = { description: 'An object or list is sent as JSON, a string as it is. Not for GET and HEAD.' }
  return {
    name: 'http_request',
    description:
      'Sends an HTTP request that may change something (POST, PUT, PATCH, DELETE) and returns the answer.',
    inputSchema: inputSchema(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'], { body }, ['method', 'url']),
    outputSchema: OUTPUT_SCHEMA,
    effect: 'once',
    untrusted: true,
    configSchema: HTTP_CONFIG_SCHEMA,
    call: (input, config, context) => send(fetch, objectInput(input), config, context),
  }
}

async function send(
  fetch: GuardedFetch,
  input: JsonObject,
  config: JsonObject,
  context: ToolContext,
): Promise<Json> {
  const target = httpTarget(config)
  const method = textOf(input.method) ?? 'GET'
  const isRead = method === 'GET' || method === 'HEAD'
  const body = isRead ? undefined : bodyOf(input.body)
  const request = {
    method,
    url: target.resolve(textOf(input.url) ?? '', input.query).href,
    // Later ones win: what the definition sets, the model cannot change.
    headers: {
      ...lowerCase(body === undefined ? {} : { 'content-type': body.type }),
      ...lowerCase(textsOf(input.headers)),
      ...lowerCase(isRead ? {} : { 'idempotency-key': context.idempotencyKey }),
      ...lowerCase(target.headers),
    },
    ...(body === undefined ? {} : { body: body.text }),
    responseBytesMax: HTTP_BODY_BYTES_MAX,
    onTooLong: 'truncate' as const,
    refuseUrl: target.refuse,
  }
  const response = await fetch(request, context.signal)
  return { status: response.status, headers: shownHeaders(response), ...shownBody(response) }
}

function bodyOf(body: Json | undefined): { readonly text: string; readonly type: string } | undefined {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string') return { text: body, type: 'text/plain; charset=utf-8' }
  return { text: JSON.stringify(body), type: 'application/json' }
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function inputSchema(methods: readonly string[], more: JsonObject, required: readonly string[]): JsonObject {
  return {
    type: 'object',
    properties: {
      method: { type: 'string', enum: methods },
      url: {
        type: 'string',
        minLength: 1,
        maxLength: 8_000,
        description: 'A URL, or a path below the base URL.',
      },
      query: {
        type: 'object',
        additionalProperties: { type: ['string', 'number', 'boolean'] },
        description: 'Added to the query of the URL.',
      },
      headers: { type: 'object', additionalProperties: { type: 'string' } },
      ...more,
    },
    required,
    additionalProperties: false,
  }
}

const OUTPUT_SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    status: { type: 'integer' },
    headers: { type: 'object', additionalProperties: { type: 'string' } },
    body: { description: 'Parsed where it is JSON, else text; null where there is none.' },
    truncated: { type: 'boolean', description: 'The body was longer; this is its beginning.' },
  },
  required: ['status', 'headers', 'body', 'truncated'],
  additionalProperties: false,
}
