// The one outbound fetch for everything that a tenant can name: tools, webhooks, identity providers.
// Owns a pool of connections that reach the public internet and listed exceptions only.
// Never reads the environment, retries or follows a proxy. Called by runtime/, webhooks and identity/.

import { Agent } from 'undici'
import { AppError, isAppError } from '../base/errors.ts'
import { createGuardedConnector, type Resolve, systemResolve } from './connector.ts'
import type { OutboundRequest, OutboundResponse } from './outbound-request.ts'
import { checkOutboundUrl, hostAndPort, refused, type UrlRules } from './outbound-url.ts'
import { redirected } from './redirect.ts'
import { checkRequest, sentHeaders } from './request-headers.ts'
import { readBody } from './response-body.ts'

export interface OutboundPolicy {
  /** Default: `https` only. */
  readonly schemes?: readonly ('https' | 'http')[]
  /** Default: 443 and 80. */
  readonly ports?: readonly number[]
  /** Exceptions as `host:port` (`127.0.0.1:8787`, `[::1]:8787`): http and any address are fine there. */
  readonly allowHosts?: readonly string[]
  readonly redirectsMax?: number
  readonly requestBytesMax?: number
  readonly responseBytesMax?: number
  readonly responseHeaderBytesMax?: number
  /** For the whole exchange: name, connection, redirects and body. */
  readonly timeoutMs?: number
  /** Injected by tests; the system's resolver otherwise. */
  readonly resolve?: Resolve
}

/**
 * Sends one request and reads its whole answer, whatever the status. Throws `outbound.refused` when the target,
 * the request or a redirect is not allowed, `outbound.failed` when there is no usable answer (name, connection,
 * TLS, time, size), and the signal's reason when the caller aborts. Dispose it to close its connections.
 */
export interface GuardedFetch extends AsyncDisposable {
  (request: OutboundRequest, signal?: AbortSignal): Promise<OutboundResponse>
}

const REDIRECTS_MAX = 5
const REQUEST_BYTES_MAX = 1_048_576
const RESPONSE_BYTES_MAX = 2_097_152
const RESPONSE_HEADER_BYTES_MAX = 16_384
const TIMEOUT_MS = 30_000
const CONNECTIONS_PER_ORIGIN_MAX = 32

type Settled = Required<Omit<OutboundPolicy, keyof UrlRules | 'resolve'>> & { readonly rules: UrlRules }

export function createGuardedFetch(policy: OutboundPolicy = {}): GuardedFetch {
  const settled: Settled = {
    redirectsMax: policy.redirectsMax ?? REDIRECTS_MAX,
    requestBytesMax: policy.requestBytesMax ?? REQUEST_BYTES_MAX,
    responseBytesMax: policy.responseBytesMax ?? RESPONSE_BYTES_MAX,
    responseHeaderBytesMax: policy.responseHeaderBytesMax ?? RESPONSE_HEADER_BYTES_MAX,
    timeoutMs: policy.timeoutMs ?? TIMEOUT_MS,
    rules: {
      schemes: policy.schemes ?? ['https'],
      ports: policy.ports ?? [443, 80],
      allowHosts: new Set((policy.allowHosts ?? []).map((host) => host.toLowerCase())),
    },
  }
  const agent = new Agent({
    connect: createGuardedConnector(
      policy.resolve ?? systemResolve,
      (host) => settled.rules.allowHosts.has(host),
      settled.timeoutMs,
    ),
    connections: CONNECTIONS_PER_ORIGIN_MAX,
    maxHeaderSize: settled.responseHeaderBytesMax,
    headersTimeout: settled.timeoutMs,
    bodyTimeout: settled.timeoutMs,
  })
  const send = async (request: OutboundRequest, signal?: AbortSignal): Promise<OutboundResponse> => {
    signal?.throwIfAborted()
    const timeout = AbortSignal.timeout(settled.timeoutMs)
    const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
    try {
      return await follow(agent, settled, request, either)
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      if (timeout.aborted) throw failed(request, `took longer than ${settled.timeoutMs} ms`, error)
      throw asOutboundError(request, error)
    }
  }
  return Object.assign(send, { [Symbol.asyncDispose]: () => agent.destroy() })
}

async function follow(
  agent: Agent,
  policy: Settled,
  first: OutboundRequest,
  signal: AbortSignal,
): Promise<OutboundResponse> {
  let request = first
  for (let redirects = 0; ; redirects++) {
    const url = checkOutboundUrl(request.url, policy.rules)
    const reason = request.refuseUrl?.(url)
    if (reason !== undefined) throw refused(url.host, reason)
    checkRequest(request, url, policy.requestBytesMax)
    const answer = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: request.method,
      headers: sentHeaders(request),
      body: request.body ?? null,
      signal,
    })
    const headers = flatHeaders(answer.headers)
    const next = redirected(request, url, answer.statusCode, headers.location)
    if (next === undefined) {
      const bytesMax = Math.min(request.responseBytesMax ?? policy.responseBytesMax, policy.responseBytesMax)
      const encoding = request.method === 'HEAD' ? undefined : headers['content-encoding']
      const read = await readBody(answer.body, encoding, bytesMax, request.onTooLong ?? 'refuse')
      return {
        status: answer.statusCode,
        url: url.href,
        headers,
        body: read.bytes,
        truncated: read.truncated,
      }
    }
    await answer.body.dump({ limit: policy.responseHeaderBytesMax, signal })
    if (redirects >= policy.redirectsMax) {
      throw refused(hostAndPort(url), `it redirected more than ${policy.redirectsMax} times`)
    }
    request = next
  }
}

function flatHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const flat: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return flat
}

/** What may be said of a failure. Texts of the system are not passed on: they contain resolved addresses. */
const REASON_BY_CODE: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name does not exist',
  EAI_AGAIN: 'the name server did not answer',
  ECONNREFUSED: 'nothing answers on that port',
  ECONNRESET: 'the connection was closed early',
  EPIPE: 'the connection was closed early',
  UND_ERR_SOCKET: 'the connection was closed early',
  ETIMEDOUT: 'the connection could not be opened in time',
  UND_ERR_CONNECT_TIMEOUT: 'the connection could not be opened in time',
  UND_ERR_HEADERS_TIMEOUT: 'the answer did not begin in time',
  UND_ERR_BODY_TIMEOUT: 'the answer did not continue in time',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of the answer are too long',
  UND_ERR_DESTROYED: 'the server is stopping',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not trusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}

function asOutboundError(request: OutboundRequest, error: unknown): AppError {
  if (isAppError(error)) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code.startsWith('HPE_')) return failed(request, 'failed: it did not answer in HTTP', error)
  if (code.startsWith('Z_') || code.startsWith('ERR_BROTLI')) {
    return failed(request, 'failed: its answer is not compressed as it says', error)
  }
  return failed(request, `failed: ${REASON_BY_CODE[code] ?? 'the connection failed'}`, error)
}

function failed(request: OutboundRequest, what: string, cause: unknown): AppError {
  const host = URL.parse(request.url)?.host ?? 'the target'
  return new AppError('outbound.failed', `The request to ${JSON.stringify(host)} ${what}.`, { cause })
}
