// One request through one route: who, may they, what do they say, the answer. Everything that can be made ready
// is made when the server starts; a request does only what depends on it.

import type { Context } from 'hono'
import { AppError, isAppError } from '../base/errors.ts'
import type { TenantId } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import { codecOf } from '../contract/codec.ts'
import type { FileContent } from '../contract/fields.ts'
import type { Principal } from '../contract/principal.ts'
import { queryCodecOf } from '../contract/query.ts'
import { fullPath, type Route } from '../contract/route.ts'
import type { RouteId } from '../contract/routes.ts'
import { admit } from './admit.ts'
import type { ApiDeps } from './api-deps.ts'
import type { Answer, RequestFacts } from './call.ts'
import { requireFeatureOf } from './feature-gate.ts'
import { knownError, problemResponse } from './problem-response.ts'
import { readBody, readRawBody } from './request/request-body.ts'
import { requestIdOf, traceparentOf } from './request/request-headers.ts'

/** A handler as the pipeline sees it: the exact types were checked where the handlers were put together. */
export type AnyHandler = (call: AnyCall) => Promise<Answer<unknown> | Response>

export interface AnyCall {
  readonly route: Route & { readonly id: RouteId }
  readonly principal: Principal | undefined
  readonly params: Readonly<Record<string, string>>
  readonly query: unknown
  readonly body: unknown
  readonly request: RequestFacts
}

export interface Bindings {
  /** The server's own, which it sends faster than the global one. */
  readonly Response?: typeof Response
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string | undefined } } | undefined
}
type HonoContext = Context<{ Bindings: Bindings }>

/** An answer that took longer asks again who is there. */
const UNASKED_MS_MAX = 500

/** Sent with every answer. */
export const SAFE_HEADERS = {
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

/** The function that answers requests of that route. */
export function routeHandler(
  deps: ApiDeps,
  route: Route & { readonly id: RouteId },
  handler: AnyHandler,
): (context: HonoContext) => Promise<Response> {
  const parse = partsOf(route)
  const encoders = encodersOf(route)
  const path = fullPath(route)

  const bodyOf = async (context: HonoContext): Promise<unknown> => {
    if (!route.body) return undefined
    const { raw } = context.req
    return route.body.raw ? readRawBody(raw) : parse.body(await readBody(raw, route.body))
  }

  const answer = async (context: HonoContext, facts: RequestFacts, seen: Seen): Promise<Response> => {
    if (deps.stopping.aborted && !route.outside) {
      throw new AppError('server.stopping', 'The server is stopping. Try again.', { retryAfterMs: 1_000 })
    }
    const principal = await admit(deps, route, facts)
    seen.tenantId = principal?.tenantId
    await requireFeatureOf(deps, route, principal)
    const params = parse.params(context)
    const query = parse.query(context.req.url)
    const body = await bodyOf(context)
    const call = { route, principal, params, query, body, request: facts }
    const answered = await handler(call).catch((error: unknown) => refused(deps, call, error))
    // Whoever waited for a run may have lost the right to it meanwhile.
    if (performance.now() - seen.startedAt > UNASKED_MS_MAX) await admit(deps, route, facts)
    if (!('value' in answered)) return withIds(answered, facts)
    const headers: Record<string, string> = {
      ...SAFE_HEADERS,
      ...answered.headers,
      'x-request-id': facts.requestId,
    }
    if (seen.traceparent !== undefined) headers.traceparent = seen.traceparent
    const encode = encoders[answered.status]
    const Made = context.env?.Response ?? Response
    if (route.kind === 'file') {
      const { bytes, mediaType, name } = answered.value as FileContent
      headers['content-type'] = mediaType
      headers['content-disposition'] = `attachment; filename="${name}"`
      return new Made(bytes, { status: answered.status, headers })
    }
    if (!encode) return new Made(null, { status: answered.status, headers })
    headers['content-type'] = 'application/json'
    return new Made(JSON.stringify(encode(answered.value)), { status: answered.status, headers })
  }

  return async (context) => {
    const startedAt = performance.now()
    const { req } = context
    const traceparent = traceparentOf(req.header('traceparent'))
    const requestId = requestIdOf(req.header('x-request-id'))
    const { method } = req
    const watch = deps.observe?.started({ requestId, route: route.id, method, path, traceparent })
    const seen: Seen = { startedAt, traceparent: watch?.traceparent ?? traceparent, tenantId: undefined }
    const facts = factsOf(context, requestId, seen.traceparent)
    let response: Response
    try {
      const work = (): Promise<Response> => answer(context, facts, seen)
      response = await (watch?.around ? watch.around(work) : work())
    } catch (error) {
      response = failed(deps, route, facts, error)
    }
    const durationMs = performance.now() - startedAt
    watch?.ended({ status: response.status, durationMs, tenantId: seen.tenantId })
    const fields = {
      request_id: requestId,
      route: route.id,
      method,
      status: response.status,
      duration_ms: durationMs,
    }
    if (method === 'GET' && response.status < 400) deps.log.debug(fields, 'request')
    else deps.log.info({ ...fields, tenant_id: seen.tenantId }, 'request')
    return response
  }
}

/** A rule of the thing itself said no to somebody who holds the permission: on record like any denial. */
async function refused(
  deps: ApiDeps,
  { route, principal, request }: AnyCall,
  error: unknown,
): Promise<never> {
  const { permission } = route
  const isRight = permission !== 'public' && permission !== 'authenticated'
  if (principal && isRight && isAppError(error, 'approval.not-yours'))
    await deps.identity.recordRefusal(principal, permission, request)
  throw error
}

/** What the end of a request is told of. */
interface Seen {
  readonly startedAt: number
  readonly traceparent: string | undefined
  tenantId: TenantId | undefined
}

function factsOf(context: HonoContext, requestId: string, traceparent: string | undefined): RequestFacts {
  const { req } = context
  return {
    requestId,
    traceparent,
    ip: context.env?.incoming?.socket?.remoteAddress,
    method: req.method,
    path: req.path,
    header: (name) => req.header(name),
    signal: () => req.raw.signal,
  }
}

/** A response of the handler's own, told apart like every other. */
function withIds(response: Response, { requestId, traceparent }: RequestFacts): Response {
  response.headers.set('x-request-id', requestId)
  if (traceparent !== undefined) response.headers.set('traceparent', traceparent)
  return response
}

function failed(
  deps: ApiDeps,
  route: { readonly id: RouteId },
  facts: RequestFacts,
  error: unknown,
): Response {
  const known = knownError(error)
  const headers: Record<string, string> = { ...SAFE_HEADERS, 'x-request-id': facts.requestId }
  if (facts.traceparent !== undefined) headers.traceparent = facts.traceparent
  const response = problemResponse(known, { requestId: facts.requestId, headers })
  if (response.status >= 500) {
    const fields = {
      request_id: facts.requestId,
      route: route.id,
      code: known.code,
      err: known.cause ?? known,
    }
    deps.log.error(fields, 'request failed')
  }
  return response
}

interface Parts {
  params(context: HonoContext): Readonly<Record<string, string>>
  query(url: string): unknown
  body(wire: Json): unknown
}

const NONE = {}

/** The readers of a route's parts, compiled. */
function partsOf(route: Route): Parts {
  const params = Object.entries(route.params ?? {})
  const query = route.query && queryCodecOf(route.query)
  const body = route.body && codecOf(route.body.schema)
  return {
    params(context) {
      if (params.length === 0) return NONE
      const values: Record<string, string> = {}
      for (const [name, { form, missing }] of params) {
        const text = context.req.param(name) ?? ''
        if (!form.test(text)) throw new AppError(missing, 'There is nothing of that name here.')
        values[name] = text
      }
      return values
    },
    query(url) {
      const at = url.indexOf('?')
      const search = at < 0 ? '' : url.slice(at + 1)
      if (!query) {
        if (search !== '') throw new AppError('request.invalid', 'This route takes no query parameters.')
        return NONE
      }
      const decoded = query.decode(search)
      if (decoded.ok) return decoded.value
      throw new AppError('request.invalid', 'The query is wrong; see errors.', { errors: decoded.errors })
    },
    body(wire) {
      if (!body) return undefined
      const decoded = body.decode(wire)
      if (decoded.ok) return decoded.value
      throw new AppError('request.invalid', 'The body is wrong; see errors.', { errors: decoded.errors })
    },
  }
}

type Encode = (value: unknown) => Json

function encodersOf(route: Route): Readonly<Record<number, Encode | undefined>> {
  if (route.kind === 'file') return {}
  return Object.fromEntries(
    Object.entries(route.responses).map(([status, schema]) => [
      status,
      schema ? codecOf(schema).encode : undefined,
    ]),
  )
}
