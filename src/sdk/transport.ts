// Sends the calls of the route table: names, ids and retries are decided here, once for all methods.

import { newId } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import { codecOf } from '../contract/codec.ts'
import type { FileContent } from '../contract/fields.ts'
import { encodeQuery } from '../contract/query.ts'
import {
  type BodyOf,
  fullPath,
  type ParamsOf,
  type QueryInputOf,
  type ResponseOf,
  type Route,
} from '../contract/route.ts'
import { ApiError, ConnectionError, errorOf } from './api-error.ts'
import { pause, RETRY_DEFAULT, type RetryOptions, retryDelay } from './retry.ts'

export interface ClientOptions {
  /** Where the server is, for example `http://127.0.0.1:8080`. */
  readonly baseUrl: string
  /** An API key (`af_…`). */
  readonly apiKey?: string | undefined
  /** Another bearer credential, instead of a key. */
  readonly token?: string | undefined
  readonly fetch?: typeof fetch | undefined
  /** For one try; waiting for a run comes on top. */
  readonly timeoutMs?: number | undefined
  readonly retry?: Partial<RetryOptions> | false | undefined
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
  /** Made by the client where it is not given; kept over its retries. */
  readonly idempotencyKey?: string | undefined
}

type Sent<R extends Route> = (R extends { params: object } ? { readonly params: ParamsOf<R> } : object) &
  (R extends { query: object } ? { readonly query?: QueryInputOf<R> | undefined } : object) &
  (R extends { body: object } ? { readonly body?: BodyOf<R> | undefined } : object) & {
    readonly headers?: Readonly<Record<string, string | undefined>>
  }

/** What a route needs, without its exact types: inside the transport. */
interface LooseSent {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, unknown>> | undefined
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string | undefined>>
}

export interface Transport {
  /** Calls a route and answers its value, with the names of TypeScript. Throws `ApiError` or `ConnectionError`. */
  send<R extends Route>(route: R, sent: Sent<R>, options?: CallOptions): Promise<ResponseOf<R>>
  /** One try, the answer as it is: for streams. The time limit is only for its beginning. */
  open<R extends Route>(route: R, sent: Sent<R>, signal: AbortSignal): Promise<Response>
  readonly retry: RetryOptions
  /** Where the server is, without a slash at the end. */
  readonly baseUrl: string
  /** Aborts when the client is closed. */
  readonly closed: AbortSignal
  close(): void
}

const TIMEOUT_MS_DEFAULT = 60_000

export function createTransport(options: ClientOptions): Transport {
  const base = checkedBase(options.baseUrl)
  const doFetch = options.fetch ?? globalThis.fetch
  const closing = new AbortController()
  const attempts = options.retry === false ? { attempts: 1 } : (options.retry ?? {})
  const retry: RetryOptions = { ...RETRY_DEFAULT, ...attempts }
  const credential = options.apiKey ?? options.token

  const request = (
    route: Route,
    sent: LooseSent,
    key: string | undefined,
    signal: AbortSignal,
  ): Promise<Response> => {
    const headers: Record<string, string> = { accept: 'application/json, application/problem+json' }
    if (credential !== undefined) headers.authorization = `Bearer ${credential}`
    if (key !== undefined) headers['idempotency-key'] = key
    for (const [name, value] of Object.entries(sent.headers ?? {}))
      if (value !== undefined) headers[name] = value
    const init: RequestInit = { method: route.method, headers, signal }
    if (route.body && sent.body !== undefined) {
      headers['content-type'] = 'application/json'
      init.body = JSON.stringify(codecOf(route.body.schema).encode(sent.body))
    }
    return doFetch(`${base}${pathOf(route, sent.params ?? {})}${encodeQuery(sent.query ?? {})}`, init)
  }

  const attempt = async (
    route: Route,
    sent: LooseSent,
    call: CallOptions,
    key: string | undefined,
  ): Promise<unknown> => {
    const waits = typeof sent.query?.wait === 'number' ? sent.query.wait * 1_000 : 0
    const limit = AbortSignal.timeout((call.timeoutMs ?? options.timeoutMs ?? TIMEOUT_MS_DEFAULT) + waits)
    const stop = stopSignals(closing.signal, call.signal)
    try {
      const response = await request(route, sent, key, AbortSignal.any([limit, ...stop]))
      if (!response.ok) throw await errorOf(response)
      return await answerOf(route, response)
    } catch (error) {
      throw connectionError(error, stop)
    }
  }

  const send = async (route: Route, sent: LooseSent, call: CallOptions = {}): Promise<unknown> => {
    const key = route.idempotent ? (call.idempotencyKey ?? newId('request')) : undefined
    const stop = AbortSignal.any(stopSignals(closing.signal, call.signal))
    for (let tried = 1; ; tried++) {
      try {
        return await attempt(route, sent, call, key)
      } catch (error) {
        // The try before removed it, and its answer was lost.
        if (tried > 1 && route.method === 'DELETE' && error instanceof ApiError && error.status === 404)
          return undefined
        const delayMs = stop.aborted ? undefined : retryDelay(error, tried, retry, isRepeatable(route))
        if (delayMs === undefined) throw error
        await pause(delayMs, stop)
      }
    }
  }

  const open = async (route: Route, sent: LooseSent, signal: AbortSignal): Promise<Response> => {
    const stop = stopSignals(closing.signal, signal)
    try {
      const response = await request(route, sent, undefined, AbortSignal.any(stop))
      if (!response.ok) throw await errorOf(response)
      return response
    } catch (error) {
      throw connectionError(error, stop)
    }
  }

  return {
    // The exact types are checked where a route is named; here every route is handled alike.
    send: send as Transport['send'],
    open: open as Transport['open'],
    retry,
    baseUrl: base,
    closed: closing.signal,
    close: () => closing.abort(new ConnectionError('The client is closed.')),
  }
}

/** A repetition of these does nothing more; a POST that makes something carries its key. */
function isRepeatable(route: Route): boolean {
  return route.unrepeatable !== true
}

function stopSignals(closed: AbortSignal, signal: AbortSignal | undefined): AbortSignal[] {
  return signal ? [closed, signal] : [closed]
}

/** What was aborted by the caller is thrown as it is; a failure of the network or a timeout as ours. */
function connectionError(error: unknown, stop: readonly AbortSignal[]): unknown {
  const aborted = stop.find((signal) => signal.aborted)
  if (aborted) return aborted.reason
  if (error instanceof ApiError) return error
  const late = error instanceof Error && error.name === 'TimeoutError'
  const message = late ? 'The server did not answer in time.' : 'The connection to the server failed.'
  return new ConnectionError(message, { cause: error })
}

async function answerOf(route: Route, response: Response): Promise<unknown> {
  const schema = route.responses[response.status] ?? Object.values(route.responses)[0]
  if (response.status === 204 || !schema) return undefined
  if (route.kind === 'text' || route.kind === 'html') return response.text()
  if (route.kind === 'file') return fileOf(response)
  const wire: Json = JSON.parse(await response.text())
  return codecOf(schema).read(wire)
}

async function fileOf(response: Response): Promise<FileContent> {
  const named = /filename="([^"/\\]+)"/.exec(response.headers.get('content-disposition') ?? '')
  return {
    name: named?.[1] ?? 'file',
    mediaType: response.headers.get('content-type') ?? 'application/octet-stream',
    bytes: new Uint8Array(await response.arrayBuffer()),
  }
}

function pathOf(route: Route, params: Readonly<Record<string, string>>): string {
  return fullPath(route).replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
}

function checkedBase(baseUrl: string): string {
  const url = URL.parse(baseUrl)
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TypeError(`baseUrl must be a URL like "http://127.0.0.1:8080"; got ${JSON.stringify(baseUrl)}.`)
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}
