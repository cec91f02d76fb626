// What providers answer, over real provider packages and a local server that speaks their formats.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startModelServer } from '../../../test/support/model-server/model-server.ts'
import { ADD_TOOL, PROVIDER_CASES, requestFor } from '../../../test/support/model-server/providers.ts'
import { type AnswerReply, answer, type Reply } from '../../../test/support/model-server/reply.ts'
import { assistantText, type ToolCallPart } from '../../contract/message.ts'
import type { ModelDelta, ModelOutcome, ModelRequest } from '../model.ts'

type Answered = Extract<ModelOutcome, { status: 'answered' }>

for (const provider of PROVIDER_CASES) {
  describe(`answers of ${provider.name}`, () => {
    const ask = async (reply: Reply, more: Partial<ModelRequest> = {}): Promise<Answered> => {
      await using server = await startModelServer()
      server.script(reply)
      const model = await provider.open(server.url)
      const outcome = await model.call(requestFor(provider.model, more), new AbortController().signal)
      assert.equal(outcome.status, 'answered', JSON.stringify(outcome))
      return outcome as Answered
    }

    test('text streams as deltas that add up to the part', async () => {
      const deltas: ModelDelta[] = []
      const outcome = await ask(answer({ text: 'Hello there, friend. How are you?' }), {
        onDelta: (delta) => deltas.push(delta),
      })
      assert.equal(assistantText(outcome.parts), 'Hello there, friend. How are you?')
      assert.ok(deltas.length > 2)
      assert.equal(
        deltas.map((delta) => (delta.type === 'text' ? delta.text : '')).join(''),
        assistantText(outcome.parts),
      )
      assert.equal(outcome.finishReason, 'stop')
      assert.ok(
        outcome.timing.firstTokenMs !== undefined && outcome.timing.firstTokenMs <= outcome.timing.totalMs,
      )
      assert.equal(outcome.responseModel, provider.model.split('/')[1])
      assert.equal(typeof outcome.responseId, 'string')
    })

    test('parallel tool calls keep their order, ids and arguments', async () => {
      const deltas: ModelDelta[] = []
      const reply = answer(
        { text: 'I will add.' },
        { tool: 'add', arguments: { a: 1, b: 2 }, callId: 'c1' },
        { tool: 'add', arguments: { a: 3, b: 4 }, callId: 'c2' },
      )
      const outcome = await ask(reply, { tools: [ADD_TOOL], onDelta: (delta) => deltas.push(delta) })
      assert.equal(outcome.finishReason, 'tool_calls')
      const calls = outcome.parts.filter((part): part is ToolCallPart => part.type === 'tool_call')
      assert.deepEqual(
        calls.map(({ callId, tool, arguments: args }) => ({ callId, tool, args })),
        [
          { callId: 'c1', tool: 'add', args: { json: { a: 1, b: 2 } } },
          { callId: 'c2', tool: 'add', args: { json: { a: 3, b: 4 } } },
        ],
      )
      assert.equal(deltas.filter((delta) => delta.type === 'tool_call').length, 2)
    })

    if (provider.name !== 'google') {
      test('malformed tool arguments are kept as the raw text', async () => {
        const outcome = await ask(answer({ tool: 'add', arguments: '{"a": 1, "b"' }), { tools: [ADD_TOOL] })
        const call = outcome.parts.find((part) => part.type === 'tool_call')
        assert.deepEqual(call?.arguments, { malformed: '{"a": 1, "b"' })
      })
    }

    if (provider.name !== 'google') {
      test('arguments with a key that reaches a prototype are malformed, not parsed', async () => {
        const outcome = await ask(answer({ tool: 'add', arguments: '{"__proto__": {"a": 1}}' }), {
          tools: [ADD_TOOL],
        })
        const call = outcome.parts.find((part) => part.type === 'tool_call')
        assert.ok(call !== undefined && 'malformed' in call.arguments)
      })
    }

    if (provider.name !== 'google') {
      test('a refusal is told apart from a filter', async () => {
        const outcome = await ask({ ...answer({ refusal: 'I cannot help with that.' }), finish: 'refusal' })
        assert.equal(outcome.finishReason, 'refusal')
        assert.equal(assistantText(outcome.parts), 'I cannot help with that.')
      })
    }

    if (provider.name !== 'anthropic') {
      test('a content filter is an answer that says so', async () => {
        const outcome = await ask({ ...answer({ text: 'Half of' }), finish: 'content_filter' })
        assert.equal(outcome.finishReason, 'content_filter')
      })
    }

    test('an answer that hit the token limit says so', async () => {
      assert.equal((await ask({ ...answer({ text: 'Half of' }), finish: 'length' })).finishReason, 'length')
    })

    test('usage is disjoint, whatever the provider includes in what', async () => {
      const usage = { input: 100, output: 50, cached: 40, cacheWrite: 7, reasoning: 20 }
      const outcome = await ask({ ...answer({ text: 'Hi' }), usage })
      assert.equal(outcome.usage.state, 'known')
      assert.deepEqual(outcome.usage.state === 'known' && outcome.usage.counts, {
        inputTokens: 100,
        cachedInputTokens: 40,
        cacheWriteTokens: provider.name === 'google' ? 0 : 7,
        outputTokens: 50,
        reasoningTokens: 20,
      })
    })

    test('absent usage is missing, not zero', async () => {
      const reply: AnswerReply = { ...answer({ text: 'Hi' }), usage: 'absent' }
      assert.equal((await ask(reply)).usage.state, 'missing')
    })
  })
}
