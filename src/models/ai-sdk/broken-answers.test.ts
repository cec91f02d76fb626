// What goes wrong with providers, over real provider packages and a local server that speaks their formats.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startModelServer } from '../../../test/support/model-server/model-server.ts'
import { PROVIDER_CASES, requestFor, TEST_KEY } from '../../../test/support/model-server/providers.ts'
import { type AnswerReply, answer, type Reply } from '../../../test/support/model-server/reply.ts'
import { assistantText } from '../../contract/message.ts'
import type { ModelOutcome, ModelRequest } from '../model.ts'

type Failed = Extract<ModelOutcome, { status: 'failed' }>

/** Long, in small pieces: many events in every format. */
const LONG: AnswerReply = {
  ...answer({ text: 'One two three four five six seven eight nine ten.' }),
  chunkChars: 4,
}
const IN_THE_MIDDLE = 6

for (const provider of PROVIDER_CASES) {
  const ask = async (
    reply: Reply,
    more: Partial<ModelRequest> = {},
    signal?: AbortSignal,
  ): Promise<Failed> => {
    await using server = await startModelServer()
    server.script(reply)
    const model = await provider.open(server.url)
    const outcome = await model.call(requestFor(provider.model, more), signal ?? new AbortController().signal)
    assert.equal(outcome.status, 'failed', JSON.stringify(outcome))
    return outcome as Failed
  }
  const kindOf = async (reply: Reply): Promise<string> => {
    const { failure, usage } = await ask(reply)
    return `${failure.kind} ${failure.httpStatus ?? '-'} ${usage.state}`
  }

  describe(`failures of ${provider.name}`, () => {
    test('an empty answer fails, and what it cost is known', async () => {
      assert.equal(await kindOf(answer()), 'empty - known')
    })

    for (const how of ['end', 'reset'] as const) {
      test(`a stream cut in the middle (${how}) keeps the beginning, and its cost is missing`, async () => {
        const { failure, partial, usage } = await ask({ ...LONG, cut: { beforeEvent: IN_THE_MIDDLE, how } })
        assert.equal(failure.kind, 'stream_cut')
        assert.match(assistantText(partial), /^One /)
        assert.equal(usage.state, 'missing')
      })
    }

    test('a stream that ends before it began is cut', async () => {
      assert.equal(await kindOf({ ...LONG, cut: { beforeEvent: 0, how: 'end' } }), 'stream_cut - missing')
    })

    test('invalid JSON in the stream fails; usage that came after it is kept', async () => {
      assert.equal(await kindOf({ ...LONG, corruptBefore: IN_THE_MIDDLE }), 'malformed_response - known')
    })

    test('an error event in the middle of a stream may have been billed', async () => {
      const { failure, usage } = await ask({ ...LONG, errorBefore: IN_THE_MIDDLE })
      assert.ok(failure.kind === 'server_error' || failure.kind === 'overloaded', failure.kind)
      assert.equal(usage.state, 'missing')
    })

    test('a web page instead of a stream is not its protocol', async () => {
      assert.equal(await kindOf({ type: 'html', status: 200 }), 'malformed_response - missing')
    })

    test('HTTP errors become kinds; only those that cannot have been billed have no usage', async () => {
      const expected: Readonly<Record<number, string>> = {
        400: 'bad_request 400 none',
        401: 'unauthorized 401 none',
        403: 'unauthorized 403 none',
        404: 'not_found 404 none',
        408: 'timeout 408 missing',
        413: 'context_too_long 413 none',
        429: 'rate_limited 429 none',
        500: 'server_error 500 missing',
        502: 'server_error 502 missing',
        503: 'overloaded 503 missing',
        529: 'overloaded 529 none',
      }
      for (const [status, kind] of Object.entries(expected)) {
        assert.equal(await kindOf({ type: 'error', status: Number(status) }), kind)
      }
      assert.equal(await kindOf({ type: 'html', status: 502 }), 'server_error 502 missing')
    })

    test('a context that is too long is told apart from other bad requests', async () => {
      assert.equal(
        await kindOf({ type: 'error', status: 400, cause: 'context_too_long' }),
        'context_too_long 400 none',
      )
    })

    test('Retry-After is read as seconds, as a date and as milliseconds', async () => {
      const after = async (headers: Record<string, string>): Promise<number | undefined> =>
        (await ask({ type: 'error', status: 429, headers })).failure.retryAfterMs
      assert.equal(await after({ 'retry-after': '2' }), 2_000)
      assert.equal(await after({ 'retry-after': '7', 'retry-after-ms': '1500' }), 1_500)
      const ms = await after({ 'retry-after': new Date(Date.now() + 30_000).toUTCString() })
      assert.ok(ms !== undefined && ms > 25_000 && ms <= 30_000, String(ms))
      assert.equal(await after({}), undefined)
    })

    test('messages are one line without the key', async () => {
      const message = `Incorrect API key provided: ${TEST_KEY}.\nSee \u001b[31mthe docs\u001b[0m.`
      const { failure } = await ask({ type: 'error', status: 401, message })
      assert.ok(!failure.message.includes('0123456789abcdef'), failure.message)
      assert.doesNotMatch(failure.message, /\p{Cc}/u)
      assert.match(failure.message, /answered 401: Incorrect API key provided/)
    })

    test('a redirect is not followed', async () => {
      await using other = await startModelServer()
      const { failure } = await ask({ type: 'redirect', location: `${other.url}/v1/messages` })
      assert.equal(failure.httpStatus, 307)
      assert.equal(other.requests.length, 0)
    })

    test('a connection that is dropped may have been billed; one that never stood was not', async () => {
      assert.equal(await kindOf({ type: 'hang_up' }), 'network - missing')
      const gone = await startModelServer()
      await gone[Symbol.asyncDispose]()
      const model = await provider.open(gone.url)
      const outcome = await model.call(requestFor(provider.model), new AbortController().signal)
      assert.equal(outcome.status === 'failed' && outcome.failure.kind, 'network')
      assert.equal(outcome.usage.state, 'none')
    })

    test('each of the three time limits ends the call and is named', async () => {
      const timeouts = { firstTokenMs: 5_000, betweenChunksMs: 5_000, totalMs: 5_000 }
      const slow = await ask(
        { ...LONG, firstChunkMs: 2_000 },
        { timeouts: { ...timeouts, firstTokenMs: 100 } },
      )
      assert.equal(slow.failure.kind, 'timeout')
      assert.match(slow.failure.message, /sent nothing within 100 ms/)
      assert.equal(slow.timing.firstTokenMs, undefined)
      const stall = { beforeEvent: IN_THE_MIDDLE, ms: 2_000 }
      const stalled = await ask({ ...LONG, stall }, { timeouts: { ...timeouts, betweenChunksMs: 100 } })
      assert.match(stalled.failure.message, /stopped sending within 100 ms/)
      assert.match(assistantText(stalled.partial), /^One /)
      assert.equal(stalled.usage.state, 'missing')
      const total = await ask({ ...LONG, stall }, { timeouts: { ...timeouts, totalMs: 100 } })
      assert.match(total.failure.message, /did not finish within 100 ms/)
    })

    test('a caller can cancel before and in the middle', async () => {
      const before = await ask(LONG, {}, AbortSignal.abort())
      assert.equal(before.failure.kind, 'cancelled')
      assert.equal(before.usage.state, 'none')
      const controller = new AbortController()
      const onDelta = (): void => controller.abort()
      const during = await ask(
        { ...LONG, stall: { beforeEvent: IN_THE_MIDDLE, ms: 2_000 } },
        { onDelta },
        controller.signal,
      )
      assert.equal(during.failure.kind, 'cancelled')
      assert.equal(during.usage.state, 'missing')
      assert.ok(during.timing.totalMs < 1_500)
    })
  })
}
