// Which headers and bodies an outbound request may carry.

import type { OutboundRequest } from './outbound-request.ts'
import { refused } from './outbound-url.ts'
import { ACCEPT_ENCODING } from './response-body.ts'

const REQUEST_HEADERS_MAX = 64
const REQUEST_HEADER_BYTES_MAX = 16_384
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Visible ASCII, spaces and tabs: no line break can split the request. */
const HEADER_VALUE = /^[\t\x20-\x7e]*$/
/** They steer the connection or name another host than the URL; the client writes them itself. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Throws `outbound.refused` for a method, header or body that may not be sent. Values are never shown. */
export function checkRequest(request: OutboundRequest, url: URL, bodyBytesMax: number): void {
  if (!METHODS.has(request.method))
    throw refused(url.host, `the method must be one of ${[...METHODS].join(', ')}`)
  const entries = Object.entries(request.headers ?? {})
  if (entries.length > REQUEST_HEADERS_MAX)
    throw refused(url.host, `it has more than ${REQUEST_HEADERS_MAX} headers`)
  let bytes = 0
  for (const [name, value] of entries) {
    if (!HEADER_NAME.test(name)) throw refused(url.host, 'a header name has characters that are not allowed')
    if (RESERVED_HEADERS.has(name.toLowerCase()))
      throw refused(url.host, `the header "${name}" may not be set`)
    if (!HEADER_VALUE.test(value)) {
      throw refused(url.host, `the header "${name}" has a line break or a character that is not ASCII`)
    }
    bytes += name.length + value.length + 4
  }
  if (bytes > REQUEST_HEADER_BYTES_MAX) {
    throw refused(url.host, `its headers are longer than ${REQUEST_HEADER_BYTES_MAX} bytes`)
  }
  if (request.body !== undefined && Buffer.byteLength(request.body) > bodyBytesMax) {
    throw refused(url.host, `its body is longer than ${bodyBytesMax} bytes`)
  }
}

/** The caller's headers and those that every request carries. */
export function sentHeaders(request: OutboundRequest): Record<string, string> {
  const sent: Record<string, string> = { 'user-agent': 'agent-factory', accept: '*/*' }
  for (const [name, value] of Object.entries(request.headers ?? {})) sent[name.toLowerCase()] = value
  sent['accept-encoding'] = ACCEPT_ENCODING
  return sent
}
