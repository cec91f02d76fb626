// Where the built-in HTTP tools may send requests, by their definition.

import { AppError } from '../../../base/errors.ts'
import type { Json, JsonObject } from '../../../base/json.ts'
import { textOf, textsOf } from '../input.ts'

/** Narrows the server's outbound policy; it can never widen it. */
export interface HttpTarget {
  /** The URL for what the model asked. Throws `tool.input-invalid`. */
  resolve(url: string, query: Json | undefined): URL
  /** Why the URL may not be called, or undefined; asked for redirects as well. */
  refuse(url: URL): string | undefined
  /** Sent with every request: by the definition, so the model neither sees nor changes them. */
  readonly headers: Readonly<Record<string, string>>
}

export const HTTP_CONFIG_SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    base_url: {
      type: 'string',
      format: 'uri',
      pattern: '^https?://',
      description: 'Relative URLs begin here.',
    },
    allowed_hosts: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      description:
        'The only hosts that may be called, such as "api.example.com", "*.example.com", "localhost:8080".',
    },
    headers: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description:
        'Sent with each request. Needs base_url or allowed_hosts, so that they reach no other server.',
    },
  },
  additionalProperties: false,
}

export function httpTarget(config: JsonObject): HttpTarget {
  const base = textOf(config.base_url)
  const baseUrl = base === undefined ? undefined : URL.parse(base.endsWith('/') ? base : `${base}/`)
  const hosts = Array.isArray(config.allowed_hosts)
    ? config.allowed_hosts.map((host) => String(host).toLowerCase())
    : undefined
  const headers = textsOf(config.headers)
  if (baseUrl === null) throw new AppError('definition.invalid', 'The base_url of an HTTP tool is not a URL.')
  if (Object.keys(headers).length > 0 && baseUrl === undefined && hosts === undefined) {
    const advice = 'Set base_url or allowed_hosts, so that they are sent to no other server.'
    throw new AppError('definition.invalid', `The headers of an HTTP tool need a place to go. ${advice}`)
  }
  return {
    resolve: (url, query) => resolve(url, query, baseUrl),
    refuse: (url) => {
      if (baseUrl === undefined && hosts === undefined) return undefined
      if (baseUrl !== undefined && isBelow(url, baseUrl)) return undefined
      if (hosts?.some((host) => matchesHost(url, host)) === true) return undefined
      return `this tool may only call ${hosts?.join(', ') ?? baseUrl?.href}`
    },
    headers,
  }
}

function resolve(text: string, query: Json | undefined, base: URL | undefined): URL {
  // A leading slash would drop the base's path: "/orders" below "https://host/v1/" is "https://host/v1/orders".
  const relative = base !== undefined && /^\/(?!\/)/.test(text) ? text.slice(1) : text
  const url = URL.parse(relative, base)
  if (url === null) {
    const wanted =
      base === undefined ? 'a complete URL such as https://example.com/path' : 'a path or a complete URL'
    throw new AppError(
      'tool.input-invalid',
      `The url ${JSON.stringify(text.slice(0, 100))} is not ${wanted}.`,
    )
  }
  for (const [name, value] of Object.entries(textsOf(query))) url.searchParams.append(name, value)
  return url
}

/** The URL parser has removed `..` steps, the encoded ones included. */
function isBelow(url: URL, base: URL): boolean {
  return url.origin === base.origin && `${url.pathname}/`.startsWith(base.pathname)
}

function matchesHost(url: URL, host: string): boolean {
  const actual = host.includes(':') && !host.startsWith('[') ? url.host : url.hostname
  return host.startsWith('*.') ? actual.endsWith(host.slice(1)) : actual === host
}
