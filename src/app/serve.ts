// The Node server: one port for everything the API answers. Owns the socket and the way to stop; knows no route.
// Called by start, dev and the command `serve`.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener, RequestError } from '@hono/node-server'
import { knownError, problemResponse } from '../api/problem-response.ts'
import { AppError } from '../base/errors.ts'
import { newId } from '../base/ids.ts'
import type { Logger } from '../operations/logging/logger.ts'
import { LightResponse } from './light-response.ts'

/** What is served: a fetch handler, told when to stop. */
export interface Served {
  readonly fetch: (request: Request, env: object) => Response | Promise<Response>
  readonly log: Logger
  /** From now on `/readyz` says no, and event streams end. */
  stopping(): void
}

export interface ListenOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** How long `stop` waits for requests under way. */
  readonly shutdownTimeoutMs: number
}

export interface RunningServer {
  /** How to reach it from this machine: `http://127.0.0.1:8787`. */
  readonly url: string
  readonly port: number
  /** Stops accepting, lets requests under way finish, closes what is left after the time. Answers the same promise again. */
  stop(): Promise<void>
}

/** From the first byte of a request to the end of its headers. */
const HEADERS_MS_MAX = 10_000
/** To the end of its body. */
const REQUEST_MS_MAX = 60_000
/** Longer than the idle time of common load balancers (60 s), so that it is they who close. */
const KEEP_ALIVE_MS = 65_000
/** How often connections are looked at for these limits. */
const LIMITS_POLL_MS = 5_000
const HEADER_BYTES_MAX = 16_384
const HEADERS_MAX = 100
/** How often connections that have become idle are closed during a stop. */
const DRAIN_POLL_MS = 25

/** Listens. Throws `settings.invalid` with one line where the address cannot be used. */
export async function serve(served: Served, options: ListenOptions): Promise<RunningServer> {
  const fetch = (request: Request, env: object) =>
    served.fetch(request, Object.assign(env, { Response: LightResponse }))
  const answer = getRequestListener(fetch, {
    overrideGlobalObjects: false,
    // Of an old client that names none.
    hostname: 'localhost',
    errorHandler: (error) => refusal(served.log, error),
  })
  const limits = {
    headersTimeout: HEADERS_MS_MAX,
    requestTimeout: REQUEST_MS_MAX,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: LIMITS_POLL_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
  }
  const server = createServer(limits, (incoming, outgoing) => void answer(incoming, outgoing))
  server.maxHeadersCount = HEADERS_MAX
  await listen(server, options)
  const { port } = server.address() as AddressInfo
  let stopped: Promise<void> | undefined
  return {
    url: `http://${reachableHost(options.host)}:${port}`,
    port,
    stop: () => {
      stopped ??= drain(server, served, options.shutdownTimeoutMs)
      return stopped
    },
  }
}

/**
 * Calls `stop` at the first SIGTERM or SIGINT; a second one ends the process at once. Answers when `stop` is done,
 * after which the process ends by itself, with code 0.
 */
export async function untilSignal(stop: (signal: NodeJS.Signals) => Promise<void>): Promise<void> {
  const signals = ['SIGTERM', 'SIGINT'] as const
  const first = Promise.withResolvers<NodeJS.Signals>()
  for (const name of signals) process.once(name, first.resolve)
  const signal = await first.promise
  // Without a handler the next signal has its usual effect.
  for (const name of signals) process.removeListener(name, first.resolve)
  await stop(signal)
}

/** For a request whose address cannot be read, or a handler that fails, which ours does not. */
function refusal(log: Logger, error: unknown): Response {
  const requestId = newId('request')
  const known =
    error instanceof RequestError
      ? new AppError('request.malformed', 'The address of the request, or its Host header, is not valid.')
      : knownError(error)
  if (known.code === 'internal') log.error('request failed outside the API', { request_id: requestId, error })
  const headers = {
    'x-request-id': requestId,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  }
  return problemResponse(known, { requestId, headers })
}

function listen(server: Server, { host, port }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(cause, host, port)))
    server.listen(port, host, () => resolve())
  })
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): AppError {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} is in use: stop the other program, or choose another port with PORT.`,
    EACCES: `Port ${port} may not be opened by this user: choose one above 1023 with PORT.`,
    EADDRNOTAVAIL: `This machine does not have the address ${host}: change HOST.`,
    ENOTFOUND: `The host name ${host} is not known: change HOST.`,
  }
  const text =
    reasons[cause.code ?? ''] ??
    `The server cannot listen on ${host}:${port} (${cause.code ?? 'unknown reason'}).`
  return new AppError('settings.invalid', text, { cause })
}

async function drain(server: Server, served: Served, timeoutMs: number): Promise<void> {
  served.stopping()
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A connection that was busy when the stop began is idle once it has its answer, and nobody else closes it.
  const idle = setInterval(() => server.closeIdleConnections(), DRAIN_POLL_MS)
  const late = setTimeout(() => {
    served.log.warn('requests were cut off', { after_ms: timeoutMs })
    server.closeAllConnections()
  }, timeoutMs)
  try {
    await closed
  } finally {
    clearInterval(idle)
    clearTimeout(late)
  }
}

function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
