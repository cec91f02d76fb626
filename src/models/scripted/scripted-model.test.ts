import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { requestFor } from '../../../test/support/model-server/providers.ts'
import type { ModelDelta, ModelFailure } from '../model.ts'
import { SCRIPTED_COUNTS } from './script.ts'
import { createScriptedModel, SCRIPTED_REQUESTS_KEPT } from './scripted-model.ts'

const REQUEST = requestFor('scripted/any')
const SIGNAL = new AbortController().signal

describe('a scripted model', () => {
  test('says its turns in order and then that it has no more', async () => {
    const model = createScriptedModel('scripted', [
      {
        toolCalls: [
          { tool: 'add', arguments: { a: 1 } },
          { tool: 'add', arguments: { malformed: '{' } },
        ],
      },
      { text: 'Done.', reasoning: 'Hm.', usage: { inputTokens: 3 } },
    ])
    const first = await model.call(REQUEST, SIGNAL)
    assert.equal(first.status, 'answered')
    assert.deepEqual(first.status === 'answered' && first.parts, [
      { type: 'tool_call', callId: 'call_1_0', tool: 'add', arguments: { json: { a: 1 } } },
      { type: 'tool_call', callId: 'call_1_1', tool: 'add', arguments: { malformed: '{' } },
    ])
    assert.equal(first.status === 'answered' && first.finishReason, 'tool_calls')
    assert.deepEqual(first.usage.state === 'known' && first.usage.counts, SCRIPTED_COUNTS)
    const second = await model.call(REQUEST, SIGNAL)
    assert.equal(second.usage.state === 'known' && second.usage.counts.inputTokens, 3)
    const third = await model.call(REQUEST, SIGNAL)
    assert.match(third.status === 'failed' ? third.failure.message : '', /has 2 turns; this is call 3/)
    assert.equal(model.calls(), 3)
    assert.equal(model.requests()[0], REQUEST)
  })

  test('a function decides by the request', async () => {
    const model = createScriptedModel('scripted', ({ messages }, call) => ({
      text: `${messages.length} ${call}`,
    }))
    await model.call(REQUEST, SIGNAL)
    const outcome = await model.call(REQUEST, SIGNAL)
    assert.deepEqual(outcome.status === 'answered' && outcome.parts, [{ type: 'text', text: '1 1' }])
  })

  test('streams in pieces', async () => {
    const deltas: ModelDelta[] = []
    const model = createScriptedModel('scripted', [{ text: 'abcde', chunkChars: 2, chunkDelayMs: 1 }])
    await model.call({ ...REQUEST, onDelta: (delta) => deltas.push(delta) }, SIGNAL)
    assert.deepEqual(
      deltas.map((delta) => delta.type === 'text' && delta.text),
      ['ab', 'cd', 'e'],
    )
  })

  test('fails as told, with what came before', async () => {
    const failure: ModelFailure = { kind: 'rate_limited', message: 'Slow down.', retryAfterMs: 5 }
    const model = createScriptedModel('scripted', [{ failure, partialText: 'Half' }])
    const outcome = await model.call(REQUEST, SIGNAL)
    assert.deepEqual(outcome.status === 'failed' && [outcome.failure, outcome.partial, outcome.usage], [
      failure,
      [{ type: 'text', text: 'Half' }],
      { state: 'none' },
    ])
  })

  test('keeps time limits and cancellation like a real model', async () => {
    const timeouts = { firstTokenMs: 20, betweenChunksMs: 20, totalMs: 1_000 }
    const slow = await createScriptedModel('s', [{ text: 'x', delayMs: 5_000 }]).call(
      { ...REQUEST, timeouts },
      SIGNAL,
    )
    assert.match(slow.status === 'failed' ? slow.failure.message : '', /sent nothing within 20 ms/)
    const stalled = createScriptedModel('s', [{ text: 'abcd', chunkChars: 2, chunkDelayMs: 5_000 }])
    const outcome = await stalled.call({ ...REQUEST, timeouts }, SIGNAL)
    assert.match(outcome.status === 'failed' ? outcome.failure.message : '', /stopped sending within 20 ms/)
    assert.deepEqual(outcome.status === 'failed' && outcome.partial, [{ type: 'text', text: 'ab' }])
    const controller = new AbortController()
    const cancelled = createScriptedModel('s', [{ text: 'x', delayMs: 5_000 }]).call(
      REQUEST,
      controller.signal,
    )
    controller.abort()
    const ended = await cancelled
    assert.equal(ended.status === 'failed' && ended.failure.kind, 'cancelled')
    assert.equal(ended.usage.state, 'missing')
  })

  test('remembers only the last requests', async () => {
    const model = createScriptedModel('scripted', () => ({ text: 'x' }))
    for (let call = 0; call < SCRIPTED_REQUESTS_KEPT + 5; call++) await model.call(REQUEST, SIGNAL)
    assert.equal(model.requests().length, SCRIPTED_REQUESTS_KEPT)
    assert.equal(model.calls(), SCRIPTED_REQUESTS_KEPT + 5)
  })
})
