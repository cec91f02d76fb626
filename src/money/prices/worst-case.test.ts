import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createPriceBook, priceBook } from './price-book.ts'
import data from './prices.json' with { type: 'json' }
import { rate } from './rating.ts'
import { worstCase } from './worst-case.ts'

const AT = Date.parse('2026-11-22T12:00:00.000Z')
const book = priceBook()

describe('the worst case', () => {
  it('is every token at the dearest price that it can have', () => {
    // claude-haiku-4-5: one hour's cache write 2.00, output 5.00. No condition is dearer.
    assert.equal(
      worstCase(book, 'anthropic/claude-haiku-4-5', { promptTokensMax: 1_000, outputTokensMax: 100 }, AT),
      2_500_000n,
    )
    // gpt-5: the provider may serve it as priority, at 2.50 and 20.00.
    assert.equal(
      worstCase(book, 'openai/gpt-5', { promptTokensMax: 1_000, outputTokensMax: 100 }, AT),
      4_500_000n,
    )
  })

  it('takes the tiers that the prompt can reach, and no other', () => {
    // claude-sonnet-4-5: one hour 6.00 / 15.00, over 200,000 12.00 / 22.50.
    const worst = (promptTokensMax: number) =>
      worstCase(book, 'anthropic/claude-sonnet-4-5', { promptTokensMax, outputTokensMax: 10 }, AT)
    assert.equal(worst(200_000), 1_200_150_000n)
    assert.equal(worst(200_001), 2_400_237_000n)
  })

  it('need not count media where the call is text', () => {
    // gemini-2.5-flash: audio 1.00, text 0.30; output 2.50.
    const size = { promptTokensMax: 1_000, outputTokensMax: 0 }
    assert.equal(worstCase(book, 'google/gemini-2.5-flash', size, AT), 1_000_000n)
    assert.equal(worstCase(book, 'google/gemini-2.5-flash', { ...size, media: false }, AT), 300_000n)
  })

  it('is unknown where the price is, and zero only where it costs nothing', () => {
    const size = { promptTokensMax: 1_000, outputTokensMax: 1_000 }
    assert.equal(worstCase(book, 'openai/gpt-99', size, AT), undefined)
    assert.equal(worstCase(book, 'offline/extractive', size, AT), 0n)
    const later = createPriceBook({
      models: [
        {
          provider: 'p',
          model: 'm',
          aliases: [],
          source: 's',
          prices: [{ effectiveFrom: '2027-01-01', input: '1', output: '1' }],
        },
      ],
    })
    assert.equal(worstCase(later, 'p/m', size, AT), undefined)
  })

  it('is never below what a call of at most that size costs, whatever the provider says of it', () => {
    const model = fc.constantFrom(...data.models.map(({ provider, model }) => `${provider}/${model}`))
    const tokens = fc.oneof(fc.integer({ min: 0, max: 400_000 }), fc.constant(0))
    const counts = fc.record({
      inputTokens: tokens,
      cachedInputTokens: tokens,
      cacheWriteTokens: tokens,
      outputTokens: tokens,
      reasoningTokens: tokens,
    })
    // Mostly plain: a detail that has no price makes the call unpriced, and then there is nothing to compare.
    const rarely = (of: fc.Arbitrary<number>) => fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, of)
    const share = fc.record({
      audio: rarely(fc.nat(100)),
      image: rarely(fc.nat(100)),
      video: rarely(fc.nat(100)),
      oneHour: tokens,
      cached: fc.nat(100),
    })
    const said = fc.record({
      service_tier: fc.constantFrom('default', 'default', 'flex', 'batch', 'priority'),
      inference_geo: fc.constantFrom('global', 'global', 'us'),
    })
    const slack = fc.constantFrom(0, 0, 1, 100_000)
    let priced = 0
    fc.assert(
      fc.property(model, counts, share, said, slack, (name, counts, of, told, more) => {
        const raw = {
          ...told,
          cache_creation: { ephemeral_1h_input_tokens: of.oneHour },
          prompt_tokens_details: {
            audio_tokens: of.audio,
            image_tokens: of.image,
            video_tokens: of.video,
            cached_tokens_details: { audio_tokens: Math.min(of.cached, of.audio) },
          },
          completion_tokens_details: { audio_tokens: of.audio, image_tokens: of.image },
        }
        const rating = rate(book, name, { state: 'known', counts, raw }, AT)
        if (rating.costState !== 'priced') return
        priced += 1
        const prompt = counts.inputTokens + counts.cachedInputTokens + counts.cacheWriteTokens
        const size = { promptTokensMax: prompt + more, outputTokensMax: counts.outputTokens + more }
        const worst = worstCase(book, name, size, AT)
        assert.ok(worst !== undefined && worst >= rating.costNanos, `${worst} < ${rating.costNanos}`)
      }),
      { numRuns: 3_000 },
    )
    assert.ok(priced > 100, `${priced}`)
  })

  it('is never below for text, where it is told that there is no other', () => {
    const model = fc.constantFrom(...data.models.map(({ provider, model }) => `${provider}/${model}`))
    const tokens = fc.integer({ min: 0, max: 400_000 })
    fc.assert(
      fc.property(model, tokens, tokens, fc.boolean(), (name, inputTokens, outputTokens, flex) => {
        const counts = {
          inputTokens,
          cachedInputTokens: 0,
          cacheWriteTokens: 0,
          outputTokens,
          reasoningTokens: 0,
        }
        const raw = flex ? { service_tier: 'flex' } : null
        const rating = rate(book, name, { state: 'known', counts, raw }, AT)
        if (rating.costState !== 'priced') return
        const size = { promptTokensMax: inputTokens, outputTokensMax: outputTokens, media: false }
        assert.ok((worstCase(book, name, size, AT) ?? -1n) >= rating.costNanos)
      }),
    )
  })
})
