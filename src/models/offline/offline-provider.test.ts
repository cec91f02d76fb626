import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SAMPLE_TOOLS } from '../../../test/support/model-server/sample-conversation.ts'
import { assistantText, type Message } from '../../contract/message.ts'
import type { ModelDelta, ModelOutcome, ModelRequest } from '../model.ts'
import { createOfflineProvider } from './offline-provider.ts'
import { summarise } from './summary.ts'

function call(more: Partial<ModelRequest>, signal = new AbortController().signal): Promise<ModelOutcome> {
  return createOfflineProvider().call(
    {
      model: 'offline/extractive',
      instructions: '',
      messages: [{ role: 'user', text: 'Hello' }],
      tools: [],
      settings: {},
      timeouts: { firstTokenMs: 1_000, betweenChunksMs: 1_000, totalMs: 1_000 },
      ...more,
    },
    signal,
  )
}

const STORY = Array.from({ length: 40 }, (_, index) =>
  index % 10 === 0
    ? `The migration of the database to Postgres is stage ${index / 10}, and the migration needs a backup of the database.`
    : `Somebody brought cake number ${index}.`,
).join(' ')

describe('the offline provider', () => {
  test('streams word by word what it answers', async () => {
    const deltas: ModelDelta[] = []
    const outcome = await call({ onDelta: (delta) => deltas.push(delta) })
    assert.equal(outcome.status, 'answered')
    const text = outcome.status === 'answered' ? assistantText(outcome.parts) : ''
    assert.equal(deltas.map((delta) => (delta.type === 'text' ? delta.text : '')).join(''), text)
    assert.ok(deltas.length > 20)
  })

  test('counts a token for every four characters', async () => {
    const outcome = await call({
      instructions: 'x'.repeat(400),
      messages: [{ role: 'user', text: 'y'.repeat(39) }],
    })
    const counts = outcome.usage.state === 'known' ? outcome.usage.counts : undefined
    assert.equal(counts?.inputTokens, 110)
    assert.ok((counts?.outputTokens ?? 0) > 0)
  })

  test('is deterministic, and its call ids are made from the place in the conversation', async () => {
    const messages: readonly Message[] = [
      { role: 'user', text: 'What is 12 * 7 and what do the docs say about retries?' },
    ]
    const one = await call({ messages, tools: SAMPLE_TOOLS })
    const two = await call({ messages, tools: SAMPLE_TOOLS })
    assert.deepEqual(one.status === 'answered' && one.parts, two.status === 'answered' && two.parts)
    const ids =
      one.status === 'answered' ? one.parts.map((part) => part.type === 'tool_call' && part.callId) : []
    assert.deepEqual(ids, ['call_1_0', 'call_1_1'])
    assert.equal(one.status === 'answered' && one.finishReason, 'tool_calls')
  })

  test('summarises a long text without tools, in its own sentences', async () => {
    const outcome = await call({ messages: [{ role: 'user', text: STORY }] })
    const summary = outcome.status === 'answered' ? assistantText(outcome.parts) : ''
    assert.match(summary, /migration of the database/)
    assert.ok(summary.length < STORY.length / 2)
    assert.equal(summary, summarise(STORY))
  })

  test('summarises a conversation when it is told to', async () => {
    const messages: readonly Message[] = [
      { role: 'user', text: STORY.slice(0, 700) },
      { role: 'assistant', parts: [{ type: 'text', text: 'The backup of the database is done.' }] },
      { role: 'user', text: 'Summarise the conversation.' },
    ]
    const outcome = await call({ messages })
    assert.match(outcome.status === 'answered' ? assistantText(outcome.parts) : '', /migration|backup/)
  })

  test('is not billed when cancelled before, and knows only its one model', async () => {
    const cancelled = await call({}, AbortSignal.abort())
    assert.equal(cancelled.status === 'failed' && cancelled.failure.kind, 'cancelled')
    const unknown = await call({ model: 'offline/gpt' })
    assert.equal(unknown.status === 'failed' && unknown.failure.kind, 'not_found')
    assert.equal(unknown.usage.state, 'none')
  })
})
