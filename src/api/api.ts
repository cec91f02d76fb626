// The API: contract routes answered by use cases. It owns HTTP (names, limits, statuses) and no rule of the product.
// It never reads the environment or opens anything. app/ makes it and serves it.

import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { AppError } from '../base/errors.ts'
import { fullPath, type Route } from '../contract/route.ts'
import { ROUTE_LIST, type RouteId } from '../contract/routes.ts'
import type { ApiDeps } from './api-deps.ts'
import type { Handlers } from './call.ts'
import { type AnyHandler, type Bindings, routeHandler, SAFE_HEADERS } from './handle-route.ts'
import { accountHandlers } from './handlers/accounts.ts'
import { agentHandlers } from './handlers/agents.ts'
import { approvalHandlers } from './handlers/approvals.ts'
import { billingHandlers } from './handlers/billing.ts'
import { budgetHandlers } from './handlers/budgets.ts'
import { costHandlers } from './handlers/costs.ts'
import { invoiceHandlers } from './handlers/invoices.ts'
import { jobHandlers } from './handlers/jobs.ts'
import { platformHandlers } from './handlers/platform.ts'
import { priceHandlers } from './handlers/prices.ts'
import { projectHandlers } from './handlers/projects.ts'
import { runHandlers } from './handlers/runs.ts'
import { sessionHandlers } from './handlers/sessions.ts'
import { stripeHandlers } from './handlers/stripe.ts'
import { toolHandlers } from './handlers/tools.ts'
import { triggerHandlers } from './handlers/triggers.ts'
import { workflowHandlers } from './handlers/workflows.ts'
import { knownError, problemResponse } from './problem-response.ts'
import { requestIdOf } from './request/request-headers.ts'

export type Api = Hono<{ Bindings: Bindings }>

/** Throws where a route has no handler or no permission, or a handler no route: such a server must not start. */
export function createApi(deps: ApiDeps): Api {
  const handlers: Handlers = {
    ...agentHandlers(deps),
    ...toolHandlers(deps),
    ...workflowHandlers(deps),
    ...runHandlers(deps),
    ...approvalHandlers(deps),
    ...sessionHandlers(deps),
    ...jobHandlers(deps),
    ...triggerHandlers(deps),
    ...budgetHandlers(deps),
    ...priceHandlers(deps),
    ...invoiceHandlers(deps),
    ...projectHandlers(deps),
    ...billingHandlers(deps),
    ...costHandlers(deps),
    ...stripeHandlers(deps),
    ...accountHandlers(deps),
    ...platformHandlers(deps),
  }
  return assemble(deps, ROUTE_LIST, handlers as unknown as Readonly<Record<string, AnyHandler>>)
}

/** The router of a table and its handlers. */
export function assemble(
  deps: ApiDeps,
  routes: readonly (Route & { readonly id: RouteId })[],
  handlers: Readonly<Record<string, AnyHandler>>,
): Api {
  checkTable(routes, handlers)
  const app: Api = new Hono()
  if (deps.corsOrigins && deps.corsOrigins.length > 0) app.use('*', crossOrigin(deps.corsOrigins))
  for (const route of routes) {
    const handler = handlers[route.id]
    if (handler) app.on(route.method, honoPath(route), routeHandler(deps, route, handler))
  }
  const methodsOf = createMethodFinder(routes)
  app.notFound((context) => {
    const allowed = methodsOf(context.req.path)
    const error =
      allowed.length > 0
        ? new AppError('request.method-not-allowed', `This path takes ${allowed.join(', ')}.`)
        : new AppError('route.not-found', 'There is nothing at this path; see /docs.')
    const requestId = requestIdOf(context.req.header('x-request-id'))
    const headers: Record<string, string> = { ...SAFE_HEADERS, 'x-request-id': requestId }
    if (allowed.length > 0) headers.allow = allowed.join(', ')
    return problemResponse(error, { requestId, headers })
  })
  app.onError((error, context) => {
    const requestId = requestIdOf(context.req.header('x-request-id'))
    deps.log.error({ request_id: requestId, err: error }, 'request failed outside a route')
    return problemResponse(knownError(error), {
      requestId,
      headers: { ...SAFE_HEADERS, 'x-request-id': requestId },
    })
  })
  return app
}

function checkTable(
  routes: readonly (Route & { readonly id: RouteId })[],
  handlers: Readonly<Record<string, AnyHandler>>,
): void {
  const ids = new Set<string>()
  const places = new Set<string>()
  for (const route of routes) {
    const place = `${route.method} ${fullPath(route)}`
    if (!route.permission) throw new Error(`The route ${place} declares no permission.`)
    if (!handlers[route.id]) throw new Error(`The route ${place} (${route.id}) has no handler.`)
    if (ids.has(route.id) || places.has(place))
      throw new Error(`The route ${place} (${route.id}) is there twice.`)
    const named = [...fullPath(route).matchAll(/\{(\w+)\}/g)].map((match) => match[1])
    if (named.join() !== Object.keys(route.params ?? {}).join()) {
      throw new Error(`The route ${place} does not declare the parts of its path.`)
    }
    ids.add(route.id)
    places.add(place)
  }
  const spare = Object.keys(handlers).find((id) => !ids.has(id))
  if (spare !== undefined) throw new Error(`The handler ${spare} has no route.`)
}

function honoPath(route: Route): string {
  return fullPath(route).replace(/\{(\w+)\}/g, ':$1')
}

/** The methods that a path takes, for 405 and its `Allow`. */
function createMethodFinder(routes: readonly Route[]): (path: string) => readonly string[] {
  const forms = routes.map((route) => ({
    method: route.method,
    form: new RegExp(
      `^${fullPath(route)
        .replaceAll('.', '\\.')
        .replace(/\{\w+\}/g, '[^/]+')}$`,
    ),
  }))
  return (path) => {
    const methods = new Set<string>(forms.filter(({ form }) => form.test(path)).map(({ method }) => method))
    if (methods.has('GET')) methods.add('HEAD')
    return [...methods].sort()
  }
}

function crossOrigin(origins: readonly string[]): ReturnType<typeof cors> {
  return cors({
    origin: [...origins],
    allowMethods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: [
      'authorization',
      'content-type',
      'idempotency-key',
      'if-match',
      'last-event-id',
      'prefer',
      'traceparent',
      'x-request-id',
    ],
    exposeHeaders: ['etag', 'location', 'retry-after', 'x-request-id', 'traceparent', 'idempotency-replayed'],
    maxAge: 600,
  })
}
