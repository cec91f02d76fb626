// Watches a run: live, resumed after a cut, no event twice.

import type { Json } from '../base/json.ts'
import { codecOf } from '../contract/codec.ts'
import { TERMINAL_EVENTS } from '../contract/event.ts'
import { ROUTES } from '../contract/routes.ts'
import { type ModelDeltaResource, modelDelta, type RunEventResource, runEvent } from '../contract/run.ts'
import { ConnectionError } from './api-error.ts'
import { readEventStream } from './event-stream.ts'
import { pause, retryDelay } from './retry.ts'
import type { Transport } from './transport.ts'

/**
 * `event`: a stored fact of the run, once and in order. `delta`: text as it arrives from the model, for showing only:
 * what passes while the connection is cut is not repeated, and a new attempt starts its text anew.
 */
export type RunStreamItem =
  | { readonly type: 'event'; readonly event: RunEventResource }
  | ({ readonly type: 'delta' } & ModelDeltaResource)

export interface StreamOptions {
  readonly signal?: AbortSignal | undefined
  /** Only events after this `runSeq`. */
  readonly after?: number | undefined
}

/** The server sends a sign of life every 15 s. */
const SILENCE_MS_MAX = 45_000
const LASTING_MS = 10_000

/** Ends after the run's last event. Throws when the server refuses, or stays away for all tries in a row. */
export async function* streamRun(
  transport: Transport,
  runId: string,
  options: StreamOptions = {},
): AsyncGenerator<RunStreamItem> {
  const stop = AbortSignal.any(options.signal ? [transport.closed, options.signal] : [transport.closed])
  let last = options.after ?? 0
  for (let tried = 1; ; tried++) {
    const begunAt = Date.now()
    let failure: unknown = new ConnectionError('The stream ended before the run did.')
    try {
      for await (const item of connection(transport, runId, last, stop)) {
        if (item === 'over') return
        tried = 0
        if (item.type === 'event') {
          if (item.event.runSeq <= last) continue
          last = item.event.runSeq
        }
        yield item
        if (item.type === 'event' && TERMINAL_EVENTS.has(item.event.type)) return
      }
    } catch (error) {
      if (stop.aborted) throw stop.reason
      failure = error
    }
    // A connection that lasted is no failure: proxies cut those that carry nothing but signs of life.
    if (Date.now() - begunAt > LASTING_MS) tried = 0
    const delayMs = retryDelay(failure, Math.max(tried, 1), transport.retry, true)
    if (delayMs === undefined) throw failure
    await pause(delayMs, stop)
  }
}

async function* connection(
  transport: Transport,
  runId: string,
  last: number,
  stop: AbortSignal,
): AsyncGenerator<RunStreamItem | 'over'> {
  const silence = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const alive = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => silence.abort(new ConnectionError('The stream fell silent.')), SILENCE_MS_MAX)
  }
  alive()
  try {
    const headers = { accept: 'text/event-stream', 'last-event-id': last > 0 ? String(last) : undefined }
    const signal = AbortSignal.any([stop, silence.signal])
    const response = await transport.open(ROUTES.listRunEvents, { params: { id: runId }, headers }, signal)
    // 204: the run has ended and nothing comes after that event.
    if (response.status === 204 || !response.body) {
      yield 'over'
      return
    }
    for await (const { event, data } of readEventStream(response.body, alive)) {
      const wire: Json = JSON.parse(data)
      if (event === 'model.delta') yield { type: 'delta', ...codecOf(modelDelta).read(wire) }
      else yield { type: 'event', event: codecOf(runEvent).read(wire) }
    }
  } finally {
    clearTimeout(timer)
    silence.abort()
  }
}
