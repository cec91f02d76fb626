// Which request of this process began the work of a trace: a run's row keeps the trace, not the span that asked for it.

import type { TraceContext } from './trace-context.ts'

export interface TraceParents {
  remember(context: TraceContext): void
  /** The one request of that trace; undefined where it is unknown, or where several would do. */
  of(traceId: string | undefined): TraceContext | undefined
}

const TRACES_MAX = 2_000

export function createTraceParents(): TraceParents {
  const requests = new Map<string, TraceContext | 'several'>()
  return {
    remember(context) {
      requests.set(context.traceId, requests.has(context.traceId) ? 'several' : context)
      if (requests.size <= TRACES_MAX) return
      const [oldest] = requests.keys()
      if (oldest !== undefined) requests.delete(oldest)
    },
    of(traceId) {
      const known = traceId === undefined ? undefined : requests.get(traceId)
      return known === 'several' ? undefined : known
    },
  }
}
