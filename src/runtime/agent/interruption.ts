// How a run is stopped from outside: by a person, by its time limit, by the worker's end, or because the lease went.

import { setMaxListeners } from 'node:events'

export type StopReason = 'cancelled' | 'deadline' | 'shutdown' | 'lost'

/** The run must not go on; `reason` says how it ends. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
  readonly reason: StopReason

  constructor(reason: StopReason) {
    super(`The run was stopped: ${reason}.`)
    this.reason = reason
  }
}

export interface Interruption {
  readonly signal: AbortSignal
  /** Aborts as soon as the run must not go on to its next step: what only waits need wait no longer. */
  readonly resting: AbortSignal
  /** The first reason stays. */
  stop(reason: StopReason): void
  /** Stops at the next step, and lets what runs now come to its end. */
  drain(): void
  /** Throws `Stopped` where a reason was given. */
  check(): void
  reason(): StopReason | undefined
}

/** Below `outer`, it drains with it; who drives below hands on the reasons. */
export function createInterruption(outer?: Interruption): Interruption {
  const controller = new AbortController()
  // As many listen as calls are made at a time; each leaves when its call has ended.
  setMaxListeners(0, controller.signal)
  let reason: StopReason | undefined
  const rest = new AbortController()
  const resting = outer === undefined ? rest.signal : AbortSignal.any([rest.signal, outer.resting])
  return {
    signal: controller.signal,
    resting,
    stop(why) {
      if (reason !== undefined) return
      reason = why
      controller.abort(new Stopped(why))
      rest.abort()
    },
    drain() {
      rest.abort()
    },
    check() {
      if (reason !== undefined) throw new Stopped(reason)
      if (resting.aborted) throw new Stopped('shutdown')
    },
    reason: () => reason,
  }
}

/** An interruption of what runs below: it stops with `outer`, and may be stopped without it. Dispose it when that has ended. */
export function interruptBelow(outer: Interruption): Interruption & Disposable {
  const inner = createInterruption(outer)
  const stop = (): void => inner.stop(outer.reason() ?? 'cancelled')
  outer.signal.addEventListener('abort', stop, { once: true })
  if (outer.signal.aborted) stop()
  return { ...inner, [Symbol.dispose]: () => outer.signal.removeEventListener('abort', stop) }
}

/** Waits; ends early where the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || ms <= 0) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}

export type Timed<T> =
  | { readonly status: 'done'; readonly value: T }
  | { readonly status: 'threw'; readonly error: unknown }
  | { readonly status: 'timeout' }
  /** No sign of life came for too long. */
  | { readonly status: 'idle' }
  | { readonly status: 'stopped' }

/**
 * Runs `work` with a signal that aborts at the time limit, with the run, or `idleMs` after its last sign of life
 * (`alive`). Does not wait for work that ignores its signal: what it does afterwards is no longer looked at.
 */
export async function timed<T>(
  ms: number,
  outer: AbortSignal,
  work: (signal: AbortSignal, alive: () => void) => Promise<T>,
  idleMs?: number,
): Promise<Timed<T>> {
  if (outer.aborted) return { status: 'stopped' }
  const controller = new AbortController()
  return new Promise((resolve) => {
    const finish = (result: Timed<T>): void => {
      clearTimeout(timer)
      clearTimeout(idle)
      outer.removeEventListener('abort', stop)
      resolve(result)
      if (result.status !== 'done' && result.status !== 'threw') controller.abort()
    }
    const stop = (): void => finish({ status: 'stopped' })
    const timer = setTimeout(() => finish({ status: 'timeout' }), ms)
    const idle = idleMs === undefined ? undefined : setTimeout(() => finish({ status: 'idle' }), idleMs)
    const alive = (): void => void idle?.refresh()
    outer.addEventListener('abort', stop, { once: true })
    // Foreign code may throw at once, or answer what is no promise.
    Promise.try(work, controller.signal, alive).then(
      (value) => finish({ status: 'done', value }),
      (error: unknown) => finish({ status: 'threw', error }),
    )
  })
}
