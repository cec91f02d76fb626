import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ModelUsage } from '../../contract/usage.ts'
import type { Protocol } from './protocol.ts'
import { type ToldUsage, toldBy, usageFrom } from './usage.ts'

function after(protocol: Protocol, chunks: readonly unknown[]): ModelUsage {
  let told: ToldUsage | undefined
  for (const chunk of chunks) told = toldBy(protocol, chunk, told)
  return usageFrom(protocol, told)
}

describe('usage', () => {
  test('Anthropic: the placeholder of one output token is not usage', () => {
    const start = { type: 'message_start', message: { usage: { input_tokens: 25, output_tokens: 1 } } }
    assert.equal(after('anthropic', [start]).state, 'missing')
    const usage = after('anthropic', [start, { type: 'message_delta', usage: { output_tokens: 806 } }])
    assert.equal(usage.state === 'known' && usage.counts.outputTokens, 806)
    assert.equal(usage.state === 'known' && usage.counts.inputTokens, 25)
  })

  test('Google: the running count of a stream is usage only at its end', () => {
    const chunk = { usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 1 } }
    assert.equal(after('google', [chunk]).state, 'missing')
    const last = { candidates: [{ finishReason: 'STOP' }], usageMetadata: { promptTokenCount: 9 } }
    const usage = after('google', [chunk, last])
    assert.deepEqual(usage.state === 'known' && usage.counts.outputTokens, 0)
  })

  test('chat: half a usage, negative or fractional counts are missing', () => {
    for (const usage of [
      { prompt_tokens: 5 },
      { prompt_tokens: 5, completion_tokens: null },
      { prompt_tokens: -5, completion_tokens: 1 },
      { prompt_tokens: 1.5, completion_tokens: 1 },
      { prompt_tokens: 0, completion_tokens: 0 },
    ]) {
      assert.equal(after('chat', [{ choices: [], usage }]).state, 'missing', JSON.stringify(usage))
    }
  })

  test('chat: servers that count cached or reasoning tokens outside are understood by their sums', () => {
    const usage = {
      prompt_tokens: 10,
      completion_tokens: 4,
      total_tokens: 34,
      prompt_tokens_details: { cached_tokens: 50 },
      completion_tokens_details: { reasoning_tokens: 20 },
    }
    const read = after('chat', [{ choices: [], usage }])
    assert.deepEqual(read.state === 'known' && read.counts, {
      inputTokens: 10,
      cachedInputTokens: 50,
      cacheWriteTokens: 0,
      outputTokens: 24,
      reasoningTokens: 20,
    })
  })

  test('the service tier is kept, because it decides the price', () => {
    const chunk = { choices: [], service_tier: 'flex', usage: { prompt_tokens: 5, completion_tokens: 1 } }
    const usage = after('chat', [chunk])
    assert.deepEqual(usage.state === 'known' && usage.raw, { ...chunk.usage, service_tier: 'flex' })
  })

  test('counts are whole and not negative, reasoning is a part of the output, whatever a provider says', () => {
    const protocols = fc.constantFrom<Protocol>('chat', 'responses', 'anthropic', 'google')
    const number = fc.oneof(fc.integer({ min: -5, max: 10_000 }), fc.constant(null), fc.double())
    const usage = fc.record(
      {
        prompt_tokens: number,
        completion_tokens: number,
        input_tokens: number,
        output_tokens: number,
        total_tokens: number,
        cache_read_input_tokens: number,
        promptTokenCount: number,
        candidatesTokenCount: number,
        cachedContentTokenCount: number,
        thoughtsTokenCount: number,
        prompt_tokens_details: fc.record({ cached_tokens: number }),
        output_tokens_details: fc.record({ reasoning_tokens: number }),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(protocols, usage, (protocol, raw) => {
        const read = usageFrom(protocol, { raw: JSON.parse(JSON.stringify(raw)), final: true })
        if (read.state !== 'known') return
        for (const count of Object.values(read.counts)) assert.ok(Number.isSafeInteger(count) && count >= 0)
        if (protocol !== 'anthropic') assert.ok(read.counts.reasoningTokens <= read.counts.outputTokens)
      }),
    )
  })
})
