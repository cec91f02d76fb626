// The rules for following a redirect of an outbound request.

import type { OutboundRequest } from './outbound-request.ts'
import { refused } from './outbound-url.ts'

const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
/** The only headers that go along to another origin: the rest may be credentials under any name. */
const HARMLESS_HEADERS: ReadonlySet<string> = new Set(['accept', 'accept-language', 'user-agent'])

/**
 * The request that a redirect asks for, or undefined when the answer is not one. As in the Fetch standard
 * (4.4, HTTP-redirect fetch), 303 and a redirected POST become a GET without body. Stricter than it:
 * across origins only harmless headers go along, and a body is never sent to a second origin.
 * The new URL is not checked here.
 */
export function redirected(
  request: OutboundRequest,
  from: URL,
  status: number,
  location: string | undefined,
): OutboundRequest | undefined {
  if (!REDIRECT_STATUSES.has(status) || location === undefined) return undefined
  const to = URL.parse(location, from)
  if (to === null) throw refused(from.host, 'it answered with a redirect to something that is not a URL')
  const sameOrigin = to.origin === from.origin
  const becomesGet = changesToGet(status, request.method)
  if (request.body !== undefined && !becomesGet && !sameOrigin) {
    throw refused(
      to.host,
      `${from.host} redirected a ${request.method} request with a body to another origin`,
    )
  }
  const headers = Object.entries(request.headers ?? {}).filter(
    ([name]) =>
      (sameOrigin || HARMLESS_HEADERS.has(name.toLowerCase())) && !(becomesGet && isAboutBody(name)),
  )
  const next = { ...request, url: to.href, headers: Object.fromEntries(headers) }
  if (!becomesGet) return next
  const { body: _dropped, ...withoutBody } = next
  return { ...withoutBody, method: 'GET' }
}

function changesToGet(status: number, method: string): boolean {
  if (status === 303) return method !== 'GET' && method !== 'HEAD'
  return (status === 301 || status === 302) && method === 'POST'
}

function isAboutBody(name: string): boolean {
  return name.toLowerCase().startsWith('content-')
}
