// The events of a run over HTTP: a stream that can be resumed, or a page.

import { AppError } from '../base/errors.ts'
import type { RunId } from '../base/ids.ts'
import type { PageQuery } from '../contract/fields.ts'
import type { Principal } from '../contract/principal.ts'
import type { Route } from '../contract/route.ts'
import { type RunEventResource, TERMINAL_STATES } from '../contract/run.ts'
import { isStillAdmitted } from './admit.ts'
import type { ApiDeps } from './api-deps.ts'
import { type Answer, ok, type RequestFacts } from './call.ts'
import { numberedPage } from './paging.ts'
import { runStream } from './run-stream.ts'
import { eventView } from './views/run-view.ts'

interface EventsCall {
  readonly route: Route
  readonly principal: Principal
  readonly query: PageQuery & { readonly after?: number | undefined }
  readonly request: RequestFacts
}
type EventPage = { items: RunEventResource[]; nextCursor: string | null }

export async function runEvents(
  deps: ApiDeps,
  runId: RunId,
  { route, principal, query, request }: EventsCall,
): Promise<Answer<EventPage> | Response> {
  const { runtime } = deps
  const { tenantId } = principal
  // First of all: whether the run is there, and this tenant's.
  const run = await runtime.get(tenantId, runId)
  const find = (page: { readonly limit: number; readonly after: number }) =>
    runtime.events(tenantId, runId, page)
  if (!wantsStream(request.header('accept'))) {
    return ok(
      await numberedPage(`events ${runId}`, tenantId, query, find, (event) => event.runSeq, eventView),
    )
  }
  const after = resumeFrom(request.header('last-event-id')) ?? query.after ?? 0
  const headers: Record<string, string> = {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  }
  if (TERMINAL_STATES.has(run.state) && (await find({ limit: 1, after })).length === 0) {
    // To a browser's EventSource this says: do not come again.
    return new Response(null, { status: 204, headers })
  }
  headers['content-type'] = 'text/event-stream; charset=utf-8'
  headers['x-accel-buffering'] = 'no'
  if (request.method === 'HEAD') return new Response(null, { status: 200, headers })
  const stop = AbortSignal.any([request.signal(), deps.stopping])
  const body = runStream((signal) => runtime.tail(tenantId, runId, after, signal), {
    stop,
    mayGoOn: () => isStillAdmitted(deps, route, request),
    mayReadPrompts: principal.permissions.has('READ_PROMPTS'),
    heartbeatMs: deps.heartbeatMs,
    onFailure: (error) =>
      deps.log.error({ request_id: request.requestId, run_id: runId, err: error }, 'stream failed'),
  })
  return new Response(body, { status: 200, headers })
}

/** JSON for those who accept it and no stream; a stream for all others. */
function wantsStream(accept: string | undefined): boolean {
  if (accept === undefined) return true
  return accept.includes('text/event-stream') || !/application\/(json|\*)/.test(accept)
}

function resumeFrom(header: string | undefined): number | undefined {
  if (header === undefined || header === '') return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header)
  throw new AppError('request.invalid', 'Last-Event-ID must be the id of an event of this run: a number.')
}
