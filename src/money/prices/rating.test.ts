import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json } from '../../base/json.ts'
import type { ModelUsage, TokenCounts } from '../../contract/usage.ts'
import { ZERO_COUNTS } from '../../contract/usage.ts'
import { createPriceBook, type PricePeriod, priceBook } from './price-book.ts'
import { rate } from './rating.ts'

const AT = Date.parse('2026-11-22T12:00:00.000Z')
const book = priceBook()

describe('rating', () => {
  // Each amount is worked out by hand from the entry in prices.json; 1 USD per million tokens is 1,000 nano-USD per token.
  it('rates disjoint kinds of tokens, each at its own price', () => {
    // gpt-4.1: input 2.00, cached input 0.50, output 8.00.
    // 1,000 × 2,000 + 3,000 × 500 + 500 × 8,000 = 2,000,000 + 1,500,000 + 4,000,000 nano-USD.
    assert.equal(
      nanos('openai/gpt-4.1', { inputTokens: 1_000, cachedInputTokens: 3_000, outputTokens: 500 }),
      7_500_000n,
    )
  })

  it('rates a cache write dearer than input and a cache read cheaper', () => {
    // claude-haiku-4-5: input 1.00, 5m write 1.25, read 0.10, output 5.00.
    // 100 × 1,000 + 2,000 × 1,250 + 10,000 × 100 + 50 × 5,000 = 100,000 + 2,500,000 + 1,000,000 + 250,000.
    const counts = { inputTokens: 100, cacheWriteTokens: 2_000, cachedInputTokens: 10_000, outputTokens: 50 }
    assert.equal(nanos('anthropic/claude-haiku-4-5', counts), 3_850_000n)
  })

  it('rates cache writes for an hour at their own price, as far as the provider says how many', () => {
    // claude-haiku-4-5: 1h write 2.00. 1,500 × 1,250 + 500 × 2,000 = 1,875,000 + 1,000,000.
    const raw = { cache_creation: { ephemeral_5m_input_tokens: 1_500, ephemeral_1h_input_tokens: 500 } }
    assert.equal(nanos('anthropic/claude-haiku-4-5', { cacheWriteTokens: 2_000 }, raw), 2_875_000n)
    // More than were written at all cannot be; what was written stays the bound: 2,000 × 2,000.
    const impossible = { cache_creation: { ephemeral_1h_input_tokens: 9_999 } }
    assert.equal(nanos('anthropic/claude-haiku-4-5', { cacheWriteTokens: 2_000 }, impossible), 4_000_000n)
    for (const odd of [{ cache_creation: null }, { cache_creation: {} }, [], 'x'])
      assert.equal(nanos('anthropic/claude-haiku-4-5', { cacheWriteTokens: 2_000 }, odd), 2_500_000n)
    for (const wrong of [-5, 1.5, '500'])
      assert.deepEqual(
        rate(
          book,
          'anthropic/claude-haiku-4-5',
          known({ cacheWriteTokens: 2_000 }, { cache_creation: { ephemeral_1h_input_tokens: wrong } }),
          AT,
        ),
        { costState: 'usage_missing' },
      )
  })

  it('applies a context tier to all tokens of the call, once its prompt is over the threshold', () => {
    // claude-sonnet-4-5: up to 200,000 prompt tokens 3.00 / 15.00, above 6.00 / 22.50.
    // 200,000 × 3,000 + 10 × 15,000; then 200,001 × 6,000 + 10 × 22,500.
    assert.equal(
      nanos('anthropic/claude-sonnet-4-5', { inputTokens: 200_000, outputTokens: 10 }),
      600_150_000n,
    )
    assert.equal(
      nanos('anthropic/claude-sonnet-4-5', { inputTokens: 200_001, outputTokens: 10 }),
      1_200_231_000n,
    )
  })

  it('counts cached and cache-write tokens towards the threshold, and output not', () => {
    // gpt-6-sol, over 272,000: input 4.00, read 0.40, write 5.00.
    // 100,000 × 4,000 + 100,000 × 400 + 72,001 × 5,000 = 400,000,000 + 40,000,000 + 360,005,000.
    const over = { inputTokens: 100_000, cachedInputTokens: 100_000, cacheWriteTokens: 72_001 }
    assert.equal(nanos('openai/gpt-6-sol', over), 800_005_000n)
    // Below it: 2.00 / 10.00. 272,000 × 2,000 + 300,000 × 10,000: the output is over the threshold and changes nothing.
    assert.equal(nanos('openai/gpt-6-sol', { inputTokens: 272_000, outputTokens: 300_000 }), 3_544_000_000n)
  })

  it('does not charge reasoning twice: it is a part of the output', () => {
    // o4-mini: output 4.40. 1,000 × 4,400.
    const counts = { outputTokens: 1_000, reasoningTokens: 900 }
    assert.equal(nanos('openai/o4-mini', counts), 4_400_000n)
  })

  it('charges reasoning at its own price where the book has one', () => {
    const own = bookOf({ effectiveFrom: null, input: '0', output: '1000000', reasoning: '3000000' })
    // 100 × 1,000 + 900 × 3,000.
    assert.deepEqual(rate(own, 'p/m', known({ outputTokens: 1_000, reasoningTokens: 900 }), AT), {
      costState: 'priced',
      costNanos: 2_800_000n,
      priceId: own.find('p/m', AT)?.id,
    })
  })

  it('applies the price that was in force at the time of the call', () => {
    // o3: input 10.00 until 2025-06-10, 2.00 from then on. 1,000 × 10,000 and 1,000 × 2,000.
    const usage = known({ inputTokens: 1_000 })
    const before = rate(book, 'openai/o3', usage, Date.parse('2025-06-09T23:59:59.999Z'))
    const after = rate(book, 'openai/o3', usage, Date.parse('2025-06-10T00:00:00.000Z'))
    assert.equal(before.costState === 'priced' && before.costNanos, 10_000_000n)
    assert.equal(after.costState === 'priced' && after.costNanos, 2_000_000n)
    assert.notEqual(
      before.costState === 'priced' && before.priceId,
      after.costState === 'priced' && after.priceId,
    )
    // Nor is a call before the first price of a book priced by a later one.
    const later = bookOf({ effectiveFrom: '2026-11-23', input: '1', output: '1' })
    assert.deepEqual(rate(later, 'p/m', usage, AT), { costState: 'unpriced' })
  })

  it('prices the offline model at exactly zero, by an entry of the book', () => {
    const rating = rate(book, 'offline/extractive', known({ inputTokens: 10, outputTokens: 5 }), 0)
    assert.equal(rating.costState === 'priced' && rating.costNanos, 0n)
    assert.match(rating.costState === 'priced' ? (rating.priceId ?? '') : '', /^offline\/extractive@always~/)
  })

  it('stays within 64 bits for the highest counts and prices that it takes', () => {
    const most = '999999999999'
    const own = bookOf({
      effectiveFrom: null,
      input: most,
      cachedInput: most,
      cacheWrite: most,
      output: most,
    })
    const counts = { inputTokens: 1e9, cachedInputTokens: 1e9, cacheWriteTokens: 1e9, outputTokens: 1e9 }
    const rating = rate(own, 'p/m', known({ ...counts, reasoningTokens: 1e9 }), AT)
    assert.ok(rating.costState === 'priced' && rating.costNanos < 2n ** 63n)
    assert.throws(() => bookOf({ effectiveFrom: null, input: '1000000000000', output: '0' }), Error)
  })

  it('never turns an unknown model into zero, or into a model whose name is similar', () => {
    const usage = known({ inputTokens: 1 })
    for (const model of [
      'openai/gpt-99',
      'openai/gpt-4.1-2099-01-01',
      'openai/gpt-4.1x',
      'openai/gpt-4.',
      'openai/GPT-4.1',
      'gpt-4.1',
      'google/gpt-4.1',
      'offline/other',
      'openai/',
      '',
      '__proto__',
    ]) {
      assert.deepEqual(rate(book, model, usage, AT), { costState: 'unpriced' }, model)
    }
  })

  it('knows documented aliases, at the price of the model', () => {
    const usage = known({ inputTokens: 7 })
    const alias = rate(book, 'openai/gpt-4.1-2025-04-14', usage, AT)
    assert.deepEqual(alias, rate(book, 'openai/gpt-4.1', usage, AT))
    assert.equal(alias.costState, 'priced')
  })

  it('keeps missing usage apart from zero, also for a model that costs nothing', () => {
    const missing: ModelUsage = { state: 'missing', raw: null }
    assert.deepEqual(rate(book, 'openai/gpt-4.1', missing, AT), { costState: 'usage_missing' })
    assert.deepEqual(rate(book, 'offline/extractive', missing, AT), { costState: 'usage_missing' })
    for (const bad of [
      -1,
      0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      1_000_000_001,
      2 ** 60,
      '3' as unknown as number,
    ]) {
      assert.deepEqual(rate(book, 'openai/gpt-4.1', known({ inputTokens: bad }), AT), {
        costState: 'usage_missing',
      })
    }
  })

  it('rates an attempt that was not billed at zero, without a price', () => {
    const nothing = { costState: 'priced', costNanos: 0n, priceId: null }
    assert.deepEqual(rate(book, 'openai/gpt-99', { state: 'none' }, AT), nothing)
  })

  it('does not price tokens of a kind that has no price', () => {
    // gpt-4 has no price for cached input: a cached token is neither free nor guessed.
    assert.deepEqual(rate(book, 'openai/gpt-4', known({ inputTokens: 5, cachedInputTokens: 1 }), AT), {
      costState: 'unpriced',
    })
    assert.equal(nanos('openai/gpt-4', { inputTokens: 5, cachedInputTokens: 0 }), 150_000n)
  })

  it('charges audio at its own price, and what the provider sells as text as text', () => {
    // gemini-2.5-flash: text, images and video 0.30, audio 1.00. 993 × 300 + 7 × 1,000.
    const counts = { inputTokens: 1_000 }
    const heard = (modality: string, tokenCount: Json): Json => ({
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 1 },
        { modality, tokenCount },
      ],
    })
    const flash = (raw: Json) => rate(book, 'google/gemini-2.5-flash', known(counts, raw), AT)
    assert.equal(nanos('google/gemini-2.5-flash', counts, heard('AUDIO', 7)), 304_900n)
    for (const raw of [heard('AUDIO', 0), heard('IMAGE', 7), { promptTokensDetails: null }, null])
      assert.equal(nanos('google/gemini-2.5-flash', counts, raw), 300_000n)
    // More audio than tokens: the words do not fit together. A kind that nobody knows: no price.
    assert.deepEqual(flash(heard('AUDIO', 1_001)), { costState: 'unpriced' })
    assert.deepEqual(flash(heard('SMELL', 7)), { costState: 'usage_missing' })
    assert.deepEqual(flash(heard('AUDIO', '7')), { costState: 'usage_missing' })
    // gpt-audio: text 2.50 / 10.00, audio out 64.00. 1,000 × 2,500 + 3 × 64,000 + 2 × 10,000.
    const spoken = (audio_tokens: number): Json => ({ completion_tokens_details: { audio_tokens } })
    assert.equal(nanos('openai/gpt-audio', { ...counts, outputTokens: 5 }, spoken(3)), 2_712_000n)
    // The source lacks the audio prices of gpt-4o-audio-preview.
    assert.deepEqual(
      rate(book, 'openai/gpt-4o-audio-preview', known({ ...counts, outputTokens: 5 }, spoken(3)), AT),
      { costState: 'unpriced' },
    )
  })

  it('charges cached audio apart, and nothing where nobody says what was cached', () => {
    // gemini-2.5-flash: cached text 0.03, cached audio 0.10.
    const counts = { inputTokens: 600, cachedInputTokens: 400 }
    const prompt = [
      { modality: 'TEXT', tokenCount: 500 },
      { modality: 'AUDIO', tokenCount: 500 },
    ]
    const cache = [{ modality: 'AUDIO', tokenCount: 400 }]
    // 500 × 300 + 100 × 1,000 + 400 × 100.
    const told = { promptTokensDetails: prompt, cacheTokensDetails: cache, cachedContentTokenCount: 400 }
    assert.equal(nanos('google/gemini-2.5-flash', counts, told), 290_000n)
    const untold = { promptTokensDetails: prompt, cachedContentTokenCount: 400 }
    assert.deepEqual(rate(book, 'google/gemini-2.5-flash', known(counts, untold), AT), {
      costState: 'unpriced',
    })
    // gemini-2.5-pro sells audio as text, so it does not matter: 600 × 1,250 + 400 × 125.
    assert.equal(nanos('google/gemini-2.5-pro', counts, untold), 800_000n)
  })

  it('applies the price of the condition that the provider says it served under, or none', () => {
    const counts = { inputTokens: 1_000, cachedInputTokens: 1_000, outputTokens: 100 }
    const cost = (model: string, raw: Json): bigint | string => {
      const rating = rate(book, model, known(counts, raw), AT)
      return rating.costState === 'priced' ? rating.costNanos : rating.costState
    }
    // gpt-5: 1.25 / 0.125 / 10.00; flex half of it; priority 2.50 / 0.25 / 20.00.
    for (const service_tier of ['default', 'standard', null])
      assert.equal(cost('openai/gpt-5', { service_tier }), 2_375_000n)
    assert.equal(cost('openai/gpt-5', { service_tier: 'flex' }), 1_187_500n)
    assert.equal(cost('openai/gpt-5', { service_tier: 'priority' }), 4_750_000n)
    for (const service_tier of ['scale', 'ultrafast', 'auto', 7, ''])
      assert.equal(cost('openai/gpt-5', { service_tier }), 'unpriced')
    // Cached input of a batch is published by nobody.
    assert.equal(cost('openai/gpt-5', { service_tier: 'batch' }), 'unpriced')
    // claude-opus-4-6: 5.00 / 0.50 / 25.00.
    const opus = 'anthropic/claude-opus-4-6'
    assert.equal(cost(opus, { service_tier: 'standard', inference_geo: 'global' }), 8_000_000n)
    assert.equal(cost(opus, { service_tier: 'batch', inference_geo: 'not_available' }), 4_000_000n)
    assert.equal(cost(opus, { inference_geo: 'us' }), 8_800_000n)
    for (const raw of [
      { service_tier: 'priority' },
      { service_tier: 'batch', inference_geo: 'us' },
      { inference_geo: 'eu' },
      { speed: 'fast' },
      { server_tool_use: { web_search_requests: 1 } },
    ])
      assert.equal(cost(opus, raw), 'unpriced', JSON.stringify(raw))
    assert.equal(cost(opus, { server_tool_use: { web_search_requests: 0 } }), 8_000_000n)
    // gemini-2.5-pro: 1.25 / 0.125 / 10.00.
    const pro = 'google/gemini-2.5-pro'
    assert.equal(cost(pro, { trafficType: 'ON_DEMAND' }), 2_375_000n)
    assert.equal(cost(pro, { trafficType: 'PROVISIONED_THROUGHPUT' }), 'unpriced')
    assert.equal(cost(pro, { serviceTier: 'priority' }), 'unpriced')
  })

  it('names the price of a condition apart, and its standard price as ever', () => {
    const idOf = (raw: Json): string => {
      const rating = rate(book, 'openai/gpt-5', known({ inputTokens: 1 }, raw), AT)
      return rating.costState === 'priced' ? (rating.priceId ?? '') : ''
    }
    assert.match(idOf({ service_tier: 'flex' }), /^openai\/gpt-5\+flex@always~[0-9a-f]{8}$/)
    assert.match(idOf(null), /^openai\/gpt-5@always~[0-9a-f]{8}$/)
  })

  it('has no priority price for prompts longer than those that it is published for', () => {
    // gpt-5.5 priority: 12.50 for prompts below its first tier.
    const priority = { service_tier: 'priority' }
    assert.equal(nanos('openai/gpt-5.5', { inputTokens: 271_999 }, priority), 3_399_987_500n)
    assert.deepEqual(rate(book, 'openai/gpt-5.5', known({ inputTokens: 272_000 }, priority), AT), {
      costState: 'unpriced',
    })
  })

  it('rounds once per call, half up', () => {
    const own = bookOf({
      effectiveFrom: null,
      input: '499',
      cachedInput: '500',
      cacheWrite: '1',
      output: '1',
    })
    const costs = [
      [{ inputTokens: 1 }, 0n],
      [{ cachedInputTokens: 1 }, 1n],
      [{ inputTokens: 1, cacheWriteTokens: 1 }, 1n],
      [{ inputTokens: 2, cacheWriteTokens: 1, outputTokens: 1 }, 1n],
      [{ cachedInputTokens: 3 }, 2n],
    ] as const
    for (const [counts, cost] of costs) {
      const rating = rate(own, 'p/m', known(counts), AT)
      assert.equal(rating.costState === 'priced' && rating.costNanos, cost)
    }
  })

  it('is exact where floats are not', () => {
    // gpt-4.1: 12,345 × 2,000 + 678 × 500 + 1,699 × 8,000 = 24,690,000 + 339,000 + 13,592,000.
    const counts = { inputTokens: 12_345, cachedInputTokens: 678, outputTokens: 1_699 }
    assert.equal(nanos('openai/gpt-4.1', counts), 38_621_000n)
    // The most tokens of a call that are believed: 1,000,000,000 × 60,000.
    assert.equal(nanos('openai/gpt-4', { outputTokens: 1_000_000_000 }), 60_000_000_000_000n)
  })
})

function known(counts: Partial<TokenCounts>, raw: Json = null): ModelUsage {
  return { state: 'known', counts: { ...ZERO_COUNTS, ...counts }, raw }
}

function nanos(model: string, counts: Partial<TokenCounts>, raw: Json = null): bigint {
  const rating = rate(book, model, known(counts, raw), AT)
  assert.equal(rating.costState, 'priced')
  return rating.costState === 'priced' ? rating.costNanos : -1n
}

function bookOf(...prices: PricePeriod[]) {
  return createPriceBook({ models: [{ provider: 'p', model: 'm', aliases: [], source: 'test', prices }] })
}
