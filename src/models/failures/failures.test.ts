import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { classifyFailure } from './classify-failure.ts'
import { plainMessage } from './plain-message.ts'
import { readRetryAfter } from './retry-after.ts'

describe('messages of providers', () => {
  test('credentials are taken out, by value and by look', () => {
    const secrets = ['my-own-secret']
    for (const text of [
      'key my-own-secret',
      'sk-proj-abcdef123456',
      'Incorrect key sk-proj-****wxyz',
      'Authorization: Bearer abc.def-123456',
      'GET https://x.y/z?key=AbCdEf12345&b=1',
      'AIzaSyA1234567890abcdef',
      'https://user:pass1234@host/',
    ]) {
      const plain = plainMessage(text, secrets)
      assert.match(plain, /\[redacted\]/, text)
      assert.doesNotMatch(plain, /my-own-secret|abcdef|wxyz|abc\.def|AbCdEf|pass1234/i, plain)
    }
  })

  test('they are one bounded line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
        const plain = plainMessage(text, [])
        assert.ok(plain.length <= 300)
        assert.doesNotMatch(plain, /[\p{Cc}\p{Zl}\p{Zp}]/u)
      }),
    )
  })
})

describe('Retry-After', () => {
  const now = Date.parse('2026-11-22T13:00:00Z')
  const cases: readonly (readonly [Record<string, string>, number | undefined])[] = [
    [{ 'retry-after': '2' }, 2_000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': 'Sun, 22 Nov 2026 13:00:10 GMT' }, 10_000],
    [{ 'retry-after': 'Sun, 22 Nov 2026 12:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '-3' }, undefined],
    [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'retry-after': '99999999999' }, 86_400_000],
    [{}, undefined],
  ]
  for (const [headers, ms] of cases) {
    test(`${JSON.stringify(headers)} is ${ms}`, () => assert.equal(readRetryAfter(headers, now), ms))
  }
})

describe('failures that no server can be scripted for', () => {
  const context = { provider: 'p', secrets: [], begun: false, nowMs: 0 }

  test('a host that does not exist was not billed', () => {
    const cause = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
    const { failure, billed } = classifyFailure(new TypeError('fetch failed', { cause }), context)
    assert.deepEqual(
      [failure.kind, failure.message, billed],
      ['network', 'p could not be reached: ENOTFOUND.', 'none'],
    )
  })

  test('an error frame of a compatible server is read by its code', () => {
    assert.equal(classifyFailure({ message: 'Slow down', code: 429 }, context).failure.kind, 'rate_limited')
    assert.equal(
      classifyFailure({ message: 'x', type: 'overloaded_error' }, context).failure.kind,
      'overloaded',
    )
    const unknown = classifyFailure({ message: 'x' }, context)
    assert.deepEqual([unknown.failure.kind, unknown.billed], ['server_error', 'maybe'])
  })

  test('a request that the package cannot express was not sent', () => {
    const { failure, billed } = classifyFailure(new Error('Unsupported part'), context)
    assert.deepEqual([failure.kind, billed], ['bad_request', 'none'])
  })
})
