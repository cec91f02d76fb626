// From HTTP requests to metrics and spans. Never throws; keeps nothing of a request once it has ended.

import type { Metrics } from './metrics/metrics.ts'
import { ATTRIBUTE } from './tracing/attribute-names.ts'
import { formatTraceparent, parseTraceparent, type TraceContext } from './tracing/trace-context.ts'
import type { TraceParents } from './tracing/trace-parents.ts'
import type { Tracing } from './tracing/tracing.ts'

export interface HttpObserverDeps {
  readonly metrics: Metrics
  readonly tracing: Tracing | undefined
  readonly parents: TraceParents
  readonly clock: () => number
}

/** A request that matched a route. */
export interface HttpRequestFacts {
  /** The route's id. */
  readonly route: string
  readonly method: string
  /** The path with `{name}` parts. */
  readonly path: string
  readonly traceparent: string | undefined
}

export interface HttpEnd {
  readonly status: number
  readonly durationMs: number
}

export interface HttpWatch {
  /** The trace context for what the request starts and for its answer; undefined where no trace is made. */
  readonly traceparent: string | undefined
  ended(end: HttpEnd): void
}

export interface HttpObserver {
  started(request: HttpRequestFacts): HttpWatch
}

/** Asked so often and so much alike that their spans would hide the others. */
const UNTRACED_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics'])

export function createHttpObserver(deps: HttpObserverDeps): HttpObserver {
  const { metrics, tracing, parents, clock } = deps
  return {
    started(request) {
      const { route, method, path } = request
      const startedAt = clock()
      const parent = parseTraceparent(request.traceparent)
      const self = UNTRACED_PATHS.has(path) ? undefined : tracing?.newContext(parent)
      // Only what changes something can have asked for a run.
      if (self !== undefined && method === 'POST') parents.remember(self)
      return {
        traceparent: self === undefined ? undefined : formatTraceparent(self),
        ended({ status, durationMs }) {
          metrics.httpRequest({ route, method, status, ms: durationMs })
          if (self !== undefined)
            tracing?.record(serverSpan(request, { parent, self, startedAt, status, ms: durationMs }))
        },
      }
    },
  }
}

interface ServerSpanFacts {
  readonly parent: TraceContext | undefined
  readonly self: TraceContext
  readonly startedAt: number
  readonly status: number
  readonly ms: number
}

function serverSpan(
  { method, path }: HttpRequestFacts,
  { parent, self, startedAt, status, ms }: ServerSpanFacts,
) {
  return {
    name: `${method} ${path}`,
    kind: 'server',
    parent,
    self,
    startedAt,
    ms,
    attributes: {
      [ATTRIBUTE.httpMethod]: method,
      [ATTRIBUTE.httpRoute]: path,
      [ATTRIBUTE.httpStatus]: status,
    },
    error: status >= 500 ? String(status) : undefined,
  } as const
}
