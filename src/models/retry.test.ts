import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ModelFailure } from './model.ts'
import {
  ATTEMPTS_PER_MODEL_MAX,
  BACKOFF_BASE_MS,
  BACKOFF_MAX_MS,
  type NextAttempt,
  nextAttempt,
  RETRY_AFTER_MAX_MS,
} from './retry.ts'

const RETRIED = [
  'rate_limited',
  'overloaded',
  'server_error',
  'network',
  'timeout',
  'stream_cut',
  'malformed_response',
  'empty',
] as const
const PERMANENT = ['bad_request', 'unauthorized', 'not_found', 'context_too_long'] as const

function next(
  kind: ModelFailure['kind'],
  attempt: number,
  modelIndex = 0,
  retryAfterMs?: number,
  random = 0.5,
): NextAttempt {
  const failure: ModelFailure = {
    kind,
    message: '.',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
  return nextAttempt({ failure, attempt, modelIndex, modelCount: 2, random: () => random })
}

describe('what comes after a failed attempt', () => {
  for (const kind of RETRIED) {
    test(`${kind}: again with a growing pause, then the next model, then the end`, () => {
      assert.deepEqual(next(kind, 1), { action: 'retry', afterMs: BACKOFF_BASE_MS / 2 })
      assert.deepEqual(next(kind, 2), { action: 'retry', afterMs: BACKOFF_BASE_MS })
      assert.deepEqual(next(kind, ATTEMPTS_PER_MODEL_MAX), { action: 'fallback' })
      assert.deepEqual(next(kind, ATTEMPTS_PER_MODEL_MAX, 1), { action: 'fail' })
    })
  }

  for (const kind of PERMANENT) {
    test(`${kind}: the next model at once`, () => {
      assert.deepEqual(next(kind, 1), { action: 'fallback' })
      assert.deepEqual(next(kind, 1, 1), { action: 'fail' })
    })
  }

  test('cancelled: the end, whatever models are left', () => {
    assert.deepEqual(next('cancelled', 1), { action: 'fail' })
  })

  test('Retry-After is waited for; one that is too long is not', () => {
    assert.deepEqual(next('rate_limited', 1, 0, 3_000, 0), { action: 'retry', afterMs: 3_000 })
    assert.deepEqual(next('rate_limited', 1, 0, RETRY_AFTER_MAX_MS + 1), { action: 'fallback' })
    assert.deepEqual(next('rate_limited', 1, 1, RETRY_AFTER_MAX_MS + 1), { action: 'fail' })
  })

  test('any sequence ends after attempts times models, and no pause is longer than its limit', () => {
    const arbitrary = fc.record({
      kind: fc.constantFrom(...RETRIED, ...PERMANENT),
      retryAfterMs: fc.option(fc.integer({ min: 0, max: 200_000 }), { nil: undefined }),
      random: fc.double({ min: 0, max: 0.999_999, noNaN: true }),
    })
    fc.assert(
      fc.property(fc.infiniteStream(arbitrary), fc.integer({ min: 1, max: 4 }), (failures, modelCount) => {
        let attempt = 1
        let modelIndex = 0
        for (let made = 1; ; made++) {
          assert.ok(made <= ATTEMPTS_PER_MODEL_MAX * modelCount)
          const { kind, retryAfterMs, random } = failures.next().value
          const failure: ModelFailure = {
            kind,
            message: '.',
            ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
          }
          const step = nextAttempt({ failure, attempt, modelIndex, modelCount, random: () => random })
          if (step.action === 'fail') return
          if (step.action === 'retry') {
            attempt += 1
            assert.ok(step.afterMs >= (retryAfterMs ?? 0))
            assert.ok(step.afterMs <= Math.max(BACKOFF_MAX_MS, RETRY_AFTER_MAX_MS + BACKOFF_BASE_MS))
          } else {
            attempt = 1
            modelIndex += 1
            assert.ok(modelIndex < modelCount)
          }
        }
      }),
    )
  })
})
