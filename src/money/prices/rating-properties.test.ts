import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ModelUsage, TokenCounts } from '../../contract/usage.ts'
import { createPriceBook, type PricePeriod } from './price-book.ts'
import { rate } from './rating.ts'

const AT = Date.parse('2026-11-22T12:00:00.000Z')

describe('rating, for any counts', () => {
  const token = fc.integer({ min: 0, max: 5_000_000 })
  const counts = fc.record({
    inputTokens: token,
    cachedInputTokens: token,
    cacheWriteTokens: token,
    outputTokens: token,
    reasoningTokens: fc.constant(0),
  })
  const amount = fc.bigInt({ min: 0n, max: 10n ** 9n })
  const amounts = fc.record({ input: amount, cachedInput: amount, cacheWrite: amount, output: amount })
  type Amounts = typeof amounts extends fc.Arbitrary<infer A> ? A : never
  const flat = (prices: Amounts) => bookOf({ effectiveFrom: null, ...texts(prices) })

  it('is the exact sum, off by at most half a nano-USD', () => {
    fc.assert(
      fc.property(counts, amounts, (used, prices) => {
        const exact =
          BigInt(used.inputTokens) * prices.input +
          BigInt(used.cachedInputTokens) * prices.cachedInput +
          BigInt(used.cacheWriteTokens) * prices.cacheWrite +
          BigInt(used.outputTokens) * prices.output
        const off = costOf(flat(prices), used) * 1_000n - exact
        assert.ok(off > -500n && off <= 500n, `${off}`)
      }),
    )
  })

  it('adds up: two calls cost what one with both their tokens costs, but for the rounding', () => {
    fc.assert(
      fc.property(counts, counts, amounts, (a, b, prices) => {
        const own = flat(prices)
        const apart = costOf(own, a) + costOf(own, b)
        const off = costOf(own, add(a, b)) - apart
        assert.ok(off >= -1n && off <= 1n, `${off}`)
      }),
    )
  })

  it('never falls when more tokens are used, across tiers that rise', () => {
    fc.assert(
      fc.property(
        counts,
        counts,
        amounts,
        amounts,
        fc.integer({ min: 1, max: 9_000_000 }),
        (a, more, low, step, at) => {
          const high = {
            input: low.input + step.input,
            cachedInput: low.cachedInput + step.cachedInput,
            cacheWrite: low.cacheWrite + step.cacheWrite,
            output: low.output + step.output,
          }
          const own = bookOf({
            effectiveFrom: null,
            ...texts(low),
            tiers: [{ aboveTokens: at, ...texts(high) }],
          })
          assert.ok(costOf(own, add(a, more)) >= costOf(own, a))
        },
      ),
    )
  })

  it('is the exact sum over media too, each told apart by the provider', () => {
    const part = fc.nat(1_000_000)
    const split = fc.record({ text: part, audio: part, image: part })
    fc.assert(
      fc.property(
        split,
        split,
        split,
        fc.array(amount, { minLength: 9, maxLength: 9 }),
        (input, cached, output, price) => {
          const kinds = [
            'input',
            'audioInput',
            'imageInput',
            'cachedInput',
            'audioCachedInput',
            'imageCachedInput',
            'output',
            'audioOutput',
            'imageOutput',
          ] as const
          const texts = Object.fromEntries(kinds.map((kind, at) => [kind, `${price[at]}`]))
          const own = bookOf({ effectiveFrom: null, input: '', output: '', ...texts })
          const total = ({ text, audio, image }: typeof input) => text + audio + image
          const raw = {
            prompt_tokens_details: {
              audio_tokens: input.audio + cached.audio,
              image_tokens: input.image + cached.image,
              cached_tokens: total(cached),
              cached_tokens_details: { audio_tokens: cached.audio, image_tokens: cached.image },
            },
            completion_tokens_details: { audio_tokens: output.audio, image_tokens: output.image },
          }
          const counts = {
            inputTokens: total(input),
            cachedInputTokens: total(cached),
            cacheWriteTokens: 0,
            outputTokens: total(output),
            reasoningTokens: 0,
          }
          const tokens = [input, cached, output].flatMap(({ text, audio, image }) => [text, audio, image])
          const exact = tokens.reduce((sum, of, at) => sum + BigInt(of) * (price[at] ?? 0n), 0n)
          const rating = rate(own, 'p/m', { state: 'known', counts, raw }, AT)
          assert.ok(rating.costState === 'priced')
          const off = rating.costNanos * 1_000n - exact
          assert.ok(off > -500n && off <= 500n, `${off}`)
        },
      ),
    )
  })

  it('does not depend on how much of the output was reasoning, where that has no price of its own', () => {
    fc.assert(
      fc.property(counts, amounts, token, (used, prices, reasoningTokens) => {
        const own = flat(prices)
        assert.equal(costOf(own, { ...used, reasoningTokens }), costOf(own, used))
      }),
    )
  })

  function texts(prices: Amounts) {
    return {
      input: `${prices.input}`,
      cachedInput: `${prices.cachedInput}`,
      cacheWrite: `${prices.cacheWrite}`,
      output: `${prices.output}`,
    }
  }
})

function known(counts: TokenCounts): ModelUsage {
  return { state: 'known', counts: counts, raw: null }
}

function costOf(own: ReturnType<typeof createPriceBook>, counts: TokenCounts): bigint {
  const rating = rate(own, 'p/m', known(counts), AT)
  assert.equal(rating.costState, 'priced')
  return rating.costState === 'priced' ? rating.costNanos : -1n
}

function bookOf(...prices: PricePeriod[]) {
  return createPriceBook({ models: [{ provider: 'p', model: 'm', aliases: [], source: 'test', prices }] })
}

function add(a: TokenCounts, b: TokenCounts): TokenCounts {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
  }
}
