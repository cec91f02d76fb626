// When a call is tried again, and after how long.

import { ApiError } from './api-error.ts'

export interface RetryOptions {
  /** Tries in all; 1 never repeats. */
  readonly attempts: number
  /** The longest wait before the first repetition; it doubles for each further one. */
  readonly baseMs: number
  readonly maxMs: number
  /** For tests: a number from 0 to 1. */
  readonly random: () => number
}

export const RETRY_DEFAULT: RetryOptions = { attempts: 4, baseMs: 250, maxMs: 8_000, random: Math.random }
/** A server that asks for more patience than this is not waited for. */
const RETRY_AFTER_MS_MAX = 60_000
const REPEATED: ReadonlySet<number> = new Set([429, 502, 503, 504])

/**
 * The wait before the next try, in ms; undefined where there is none. Full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), never less than `Retry-After`.
 * `repeatable` is false for a call that may have had its effect: then only a refusal for the rate is repeated.
 */
export function retryDelay(
  error: unknown,
  attempt: number,
  options: RetryOptions,
  repeatable: boolean,
): number | undefined {
  if (attempt >= options.attempts) return undefined
  const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0
  if (asked > RETRY_AFTER_MS_MAX) return undefined
  if (error instanceof ApiError && !REPEATED.has(error.status)) return undefined
  if (!repeatable && !(error instanceof ApiError && error.status === 429)) return undefined
  const jittered = options.random() * Math.min(options.maxMs, options.baseMs * 2 ** (attempt - 1))
  return Math.max(asked, jittered)
}

/** Resolves after that time; rejects with the signal's reason when it aborts before. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, ms)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}
