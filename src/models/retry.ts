// What to do after a failed attempt: again, the next model, or give up. Pure: the runtime waits and journals.

import type { ModelFailure } from './model.ts'

/** Attempts per model, the first included. */
export const ATTEMPTS_PER_MODEL_MAX = 3
export const BACKOFF_BASE_MS = 500
export const BACKOFF_MAX_MS = 20_000
/** A provider that asks for a longer pause is left alone: the next model is tried at once, or the call fails. */
export const RETRY_AFTER_MAX_MS = 60_000

export interface FailedAttempt {
  readonly failure: ModelFailure
  /** Attempts made on this model so far, this one included: 1 after the first. */
  readonly attempt: number
  /** Which model of the list was called, from 0. */
  readonly modelIndex: number
  readonly modelCount: number
  /** Uniform in [0, 1). */
  readonly random: () => number
}

export type NextAttempt =
  | { readonly action: 'retry'; readonly afterMs: number }
  | { readonly action: 'fallback' }
  | { readonly action: 'fail' }

export function nextAttempt(failed: FailedAttempt): NextAttempt {
  const onward: NextAttempt =
    failed.modelIndex + 1 < failed.modelCount ? { action: 'fallback' } : { action: 'fail' }
  switch (failed.failure.kind) {
    case 'cancelled':
      return { action: 'fail' }
    // The same request to the same model fails again; another model may have another limit, key or name.
    case 'bad_request':
    case 'unauthorized':
    case 'not_found':
    case 'context_too_long':
      return onward
    case 'rate_limited':
    case 'overloaded':
    case 'server_error':
    case 'network':
    case 'timeout':
    case 'stream_cut':
    case 'malformed_response':
    case 'empty': {
      if (failed.attempt >= ATTEMPTS_PER_MODEL_MAX) return onward
      const afterMs = pauseMs(failed)
      return afterMs === undefined ? onward : { action: 'retry', afterMs }
    }
    default:
      return failed.failure.kind satisfies never
  }
}

/**
 * Exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): uniform between 0 and
 * base · 2^(attempt − 1), capped. After a Retry-After the wait is that, plus jitter so that not all callers come back at once.
 */
function pauseMs({ failure, attempt, random }: FailedAttempt): number | undefined {
  const backoffMs = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** (attempt - 1))
  if (failure.retryAfterMs === undefined) return Math.floor(random() * backoffMs)
  if (failure.retryAfterMs > RETRY_AFTER_MAX_MS) return undefined
  return failure.retryAfterMs + Math.floor(random() * BACKOFF_BASE_MS)
}
