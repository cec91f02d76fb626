// The signals of a run as server-sent events: pulled by the reader, so that a slow one slows only itself.

import type { Json } from '../base/json.ts'
import { codecOf } from '../contract/codec.ts'
import { TERMINAL_EVENTS } from '../contract/event.ts'
import { modelDelta, runEvent } from '../contract/run.ts'
import type { RunSignal } from '../runtime/runtime.ts'
import { eventView } from './views/run-view.ts'

export interface RunStreamOptions {
  /** Ends the stream: the client is gone, or the server stops. */
  readonly stop: AbortSignal
  /** Asked before each signal: whoever has lost the right to the run hears no more of it. */
  readonly mayGoOn: () => Promise<boolean>
  /** Without it the model's reasoning is left out, as it is from the steps. */
  readonly mayReadPrompts: boolean
  readonly heartbeatMs?: number | undefined
  readonly onFailure: (error: unknown) => void
}

const HEARTBEAT_MS = 15_000
/** How long a browser waits before it comes again, in ms. */
const RETRY_MS = 1_000

/**
 * `event: <type>`, `id: <run_seq>`, `data: {…}` for each event; `event: model.delta` without an id for passing text;
 * a comment when nothing has been said for a while. Ends after the run's last event.
 */
export function runStream(
  open: (signal: AbortSignal) => AsyncIterable<RunSignal>,
  options: RunStreamOptions,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const gone = new AbortController()
  const signal = AbortSignal.any([options.stop, gone.signal])
  const signals = open(signal)[Symbol.asyncIterator]()
  let next: Promise<IteratorResult<RunSignal>> | undefined
  const leave = (): void => {
    gone.abort()
    // What is still awaited ends with the signal, in whatever way: nobody listens to it any more.
    next?.catch(() => undefined)
    signals.return?.().catch(() => undefined)
  }
  /** What is to be sent next; undefined where the stream is over. */
  const nextText = async (): Promise<string | undefined> => {
    for (;;) {
      next ??= signals.next()
      const result = await firstOf(next, options.heartbeatMs ?? HEARTBEAT_MS, signal)
      if (result === 'stopped' || !(await options.mayGoOn())) return undefined
      if (result === 'silence') return ': still here\n\n'
      next = undefined
      if (result.done) return undefined
      if (!isHidden(result.value, options)) {
        over = isLast(result.value)
        return formatSignal(result.value)
      }
    }
  }
  let over = false
  const finish = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    const isCancelled = gone.signal.aborted
    leave()
    if (!isCancelled) controller.close()
  }
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\n\n`)),
      async pull(controller) {
        try {
          const text = await nextText()
          if (text !== undefined && !gone.signal.aborted) controller.enqueue(encoder.encode(text))
          if (text === undefined || over) finish(controller)
        } catch (error) {
          // The stream ends without the run's last event, which tells the client to resume.
          if (!signal.aborted) options.onFailure(error)
          finish(controller)
        }
      },
      cancel: leave,
    },
    { highWaterMark: 1 },
  )
}

/** What comes first: a signal, a silence that is too long, or the end of the stream from outside. */
async function firstOf(
  next: Promise<IteratorResult<RunSignal>>,
  silenceMs: number,
  signal: AbortSignal,
): Promise<IteratorResult<RunSignal> | 'silence' | 'stopped'> {
  if (signal.aborted) return 'stopped'
  const { promise, resolve } = Promise.withResolvers<'silence' | 'stopped'>()
  const timer = setTimeout(() => resolve('silence'), silenceMs)
  const stop = (): void => resolve('stopped')
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([next, promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

function isHidden(signal: RunSignal, { mayReadPrompts }: RunStreamOptions): boolean {
  return !mayReadPrompts && signal.type === 'delta' && signal.delta.type === 'reasoning'
}

function formatSignal(signal: RunSignal): string {
  if (signal.type === 'event') {
    const { event } = signal
    return `event: ${event.type}\nid: ${event.runSeq}\ndata: ${text(codecOf(runEvent).encode(eventView(event)))}\n\n`
  }
  const { step, attempt, delta } = signal
  return `event: model.delta\ndata: ${text(codecOf(modelDelta).encode({ step, attempt, delta }))}\n\n`
}

/** JSON has no line breaks, so it is one line of data. */
function text(json: Json): string {
  return JSON.stringify(json)
}

function isLast(signal: RunSignal): boolean {
  return signal.type === 'event' && TERMINAL_EVENTS.has(signal.event.type)
}
