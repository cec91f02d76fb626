import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Json } from '../../base/json.ts'
import { normaliseUsage } from './normalise-usage.ts'
import { usageDetails } from './usage-details.ts'

describe('normalised usage', () => {
  it('tells the same call in every dialect the same', () => {
    const part = fc.integer({ min: 1, max: 1_000_000 })
    fc.assert(
      fc.property(part, part, part, part, (input, cached, reasoning, text) => {
        const output = reasoning + text
        const expected = {
          inputTokens: input,
          cachedInputTokens: cached,
          cacheWriteTokens: 0,
          outputTokens: output,
          reasoningTokens: reasoning,
        }
        const prompt = input + cached
        const told = [
          normaliseUsage('chat', {
            prompt_tokens: prompt,
            completion_tokens: output,
            total_tokens: prompt + output,
            prompt_tokens_details: { cached_tokens: cached },
            completion_tokens_details: { reasoning_tokens: reasoning },
          }),
          normaliseUsage('responses', {
            input_tokens: prompt,
            output_tokens: output,
            total_tokens: prompt + output,
            input_tokens_details: { cached_tokens: cached },
            output_tokens_details: { reasoning_tokens: reasoning },
          }),
          normaliseUsage('anthropic', {
            input_tokens: input,
            cache_read_input_tokens: cached,
            output_tokens: output,
            output_tokens_details: { thinking_tokens: reasoning },
          }),
          normaliseUsage('google', {
            promptTokenCount: prompt,
            cachedContentTokenCount: cached,
            candidatesTokenCount: text,
            thoughtsTokenCount: reasoning,
          }),
        ]
        for (const usage of told) assert.deepEqual(usage.state === 'known' && usage.counts, expected)
      }),
    )
  })

  it('is missing with its raw words where they are no usage, for any JSON', () => {
    const dialect = fc.constantFrom('chat', 'responses', 'anthropic', 'google')
    fc.assert(
      fc.property(dialect, fc.jsonValue(), (one, value) => {
        const raw = value as Json
        assert.deepEqual(normaliseUsage(one, raw), { state: 'missing', raw })
        usageDetails(raw)
      }),
    )
  })
})

describe('usage details', () => {
  it('keep nonsense apart from zero', () => {
    const oneHour = (value: Json) =>
      usageDetails({ cache_creation: { ephemeral_1h_input_tokens: value } }).cacheWriteOneHour
    assert.equal(oneHour(5), 5)
    for (const none of [0, null]) assert.equal(oneHour(none), 0)
    for (const wrong of ['5', -5, 0.5, true, []]) assert.ok(Number.isNaN(oneHour(wrong)))
    const audio = (tokenCount: Json) =>
      usageDetails({ promptTokensDetails: [{ modality: 'AUDIO', tokenCount }] }).input.audio
    assert.equal(audio(7), 7)
    assert.ok(Number.isNaN(audio('7')))
  })

  it('name the condition that a provider served the call under', () => {
    const named: readonly (readonly [Json, string])[] = [
      [null, 'standard'],
      [{}, 'standard'],
      [{ service_tier: 'default' }, 'standard'],
      [{ service_tier: 'Flex' }, 'flex'],
      [{ trafficType: 'ON_DEMAND' }, 'standard'],
      [{ trafficType: 'ON_DEMAND_PRIORITY' }, 'priority'],
      [{ trafficType: 'PROVISIONED_THROUGHPUT' }, 'provisioned_throughput'],
      [{ service_tier: 'batch', inference_geo: 'us' }, 'batch+us'],
      [{ service_tier: 'standard', inference_geo: 'global', speed: 'fast' }, 'fast'],
      [{ service_tier: 7 }, 'unknown'],
    ]
    for (const [raw, condition] of named) assert.equal(usageDetails(raw).condition, condition)
  })
})
