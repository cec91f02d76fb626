import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json } from '../../base/json.ts'
import type { ModelUsage } from '../../contract/usage.ts'
import { ZERO_COUNTS } from '../../contract/usage.ts'
import { type OwnPrice, priceBook, withOverrides } from './price-book.ts'
import { rate } from './rating.ts'
import { worstCase } from './worst-case.ts'

const AT = Date.parse('2026-11-22T12:00:00.000Z')
const day = 86_400_000

describe('own prices over the book', () => {
  const own = (more: Partial<OwnPrice> = {}): OwnPrice => ({
    id: 'prc_1',
    subject: 'openai/gpt-4.1',
    effectiveFrom: AT,
    effectiveUntil: AT + day,
    amounts: { input: '1000000', output: '3000000' },
    ...more,
  })
  const usage = (raw: Json = null, more = {}): ModelUsage => ({
    state: 'known',
    counts: { ...ZERO_COUNTS, inputTokens: 1_000, outputTokens: 100, ...more },
    raw,
  })
  const cost = (prices: readonly OwnPrice[], at: number, of = usage(), model = 'openai/gpt-4.1') => {
    const rating = rate(withOverrides(priceBook(), prices), model, of, at)
    return rating.costState === 'priced'
      ? [rating.costNanos, rating.priceId?.split('@')[0]]
      : rating.costState
  }

  it('win while they are in force, and not before or after', () => {
    // The book: 2.00 / 8.00, so 2,800,000. The own price: 1.00 / 3.00.
    assert.deepEqual(cost([own()], AT - 1), [2_800_000n, 'openai/gpt-4.1'])
    assert.deepEqual(cost([own()], AT), [1_300_000n, 'prc_1'])
    assert.deepEqual(cost([own()], AT + day), [2_800_000n, 'openai/gpt-4.1'])
    const next = own({
      id: 'prc_2',
      effectiveFrom: AT + day,
      effectiveUntil: null,
      amounts: { input: '0', output: '0' },
    })
    assert.deepEqual(cost([own(), next], AT + 1_000 * day), [0n, 'prc_2'])
  })

  it('are for exactly their subject', () => {
    const alias = 'openai/gpt-4.1-2025-04-14'
    assert.deepEqual(cost([own()], AT, usage(), alias), [2_800_000n, 'openai/gpt-4.1'])
    assert.deepEqual(cost([own({ subject: 'vllm/ours' })], AT, usage(), 'vllm/ours'), [1_300_000n, 'prc_1'])
    assert.equal(cost([own({ subject: 'vllm/ours' })], AT, usage(), 'vllm/ours-2'), 'unpriced')
  })

  it('price what they name and nothing else', () => {
    const cached = usage(null, { cachedInputTokens: 1 })
    const spoken = usage({ prompt_tokens_details: { audio_tokens: 5 } })
    const flex = usage({ service_tier: 'flex' })
    for (const unnamed of [cached, spoken, flex]) assert.equal(cost([own()], AT, unnamed), 'unpriced')
    const amounts = {
      ...own().amounts,
      cachedInput: '0',
      audioInput: '2000000',
      conditions: { flex: { input: '500000', output: '1500000' } },
    }
    assert.deepEqual(cost([own({ amounts })], AT, cached), [1_300_000n, 'prc_1'])
    assert.deepEqual(cost([own({ amounts })], AT, spoken), [1_305_000n, 'prc_1'])
    assert.deepEqual(cost([own({ amounts })], AT, flex), [650_000n, 'prc_1+flex'])
    // Reasoning is output.
    assert.deepEqual(cost([own()], AT, usage(null, { reasoningTokens: 50 })), [1_300_000n, 'prc_1'])
  })

  it('decide the worst case too', () => {
    const size = { promptTokensMax: 1_000, outputTokensMax: 100 }
    const over = withOverrides(priceBook(), [own({ amounts: { input: '7000000', output: '0' } })])
    assert.equal(worstCase(over, 'openai/gpt-4.1', size, AT), 7_000_000n)
    assert.equal(withOverrides(priceBook(), []), priceBook())
  })
})
