import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../../../test/support/database.ts'
import { openFactory } from '../../../../test/support/factory.ts'
import { isAppError } from '../../../base/errors.ts'
import { createScriptedModel } from '../../../models/scripted/scripted-model.ts'
import { countTokens, RUN_CHARS_MAX } from './count-tokens.ts'

const CONTEXT = { requestId: undefined }

describe('counting tokens', () => {
  it('is exact for models whose encoding is known, and says where it is not', async () => {
    // platform.openai.com/tokenizer: three tokens in o200k_base.
    const exact = await countTokens('openai/gpt-4o', 'Hello, world!'.slice(0, 12))
    assert.deepEqual([exact.low, exact.expected, exact.high, exact.method], [3, 3, 3, 'exact'])
    const dated = await countTokens('openai/gpt-4o-2024-08-06', 'Hello, world')
    assert.deepEqual([dated.expected, dated.method], [3, 'exact'])
    const other = await countTokens('anthropic/claude-sonnet-4-5', 'Hello, world')
    assert.deepEqual([other.expected, other.method], [3, 'approximate'])
    assert.ok(other.low < 3 && other.high > 3)
    const unknown = await countTokens('openai/gpt-4o-is-not-this', 'Hello, world')
    assert.equal(unknown.method, 'approximate')
  })

  it('takes control words for text, and is not held up by a long run of anything', async () => {
    assert.ok((await countTokens('openai/gpt-4o', '<|endoftext|>')).expected > 1)
    for (const one of ['a', ' ', '😀', '=', '字']) {
      const count = await countTokens('openai/gpt-4o', one.repeat(200_000 / one.length))
      assert.equal(count.method, 'approximate')
      assert.ok(count.low <= count.expected && count.expected <= count.high, one)
      const short = await countTokens('openai/gpt-4o', one.repeat(RUN_CHARS_MAX - 1))
      assert.equal(short.method, 'exact', one)
    }
  })
})

forEachDatabase((_, open) => {
  describe('an estimate', () => {
    it('has a range of prices from the book, and says unpriced where there is none', async () => {
      await using factory = await openFactory({ db: await open(), working: false })
      const { costs } = factory.money
      const asked = { model: 'openai/gpt-4.1', input: 'Hello, world', maxOutputTokens: 100 }
      const found = await costs.estimate(factory.tenantId, asked)
      assert.equal(found.inputTokens.expected, 3)
      // 3 tokens at 2,000 nano-USD; at best all cached; at most 100 tokens of answer at 8,000.
      assert.equal(found.inputNanos, 6_000n)
      assert.ok((found.lowNanos ?? 9_999n) < 6_000n)
      assert.ok((found.highNanos ?? 0n) >= 806_000n)
      const endless = await costs.estimate(factory.tenantId, { ...asked, maxOutputTokens: undefined })
      assert.equal(endless.highNanos, undefined)
      const none = await costs.estimate(factory.tenantId, { ...asked, model: 'nobody/new' })
      assert.deepEqual([none.priceId, none.lowNanos, none.highNanos], [undefined, undefined, undefined])
      const absent = costs.estimate(factory.tenantId, { agent: 'nobody', input: 'x' })
      await assert.rejects(absent, (error) => isAppError(error, 'agent.not-found'))
    })

    it('knows what the last runs of that version cost, with all that they called', async () => {
      const model = createScriptedModel('scripted', ({ messages, tools: [tool] }) =>
        tool !== undefined && messages.length === 1
          ? { toolCalls: [{ tool: tool.name, arguments: { input: 'x' } }], usage: { inputTokens: 100 } }
          : { text: 'Done.', usage: { inputTokens: 10 } },
      )
      await using factory = await openFactory({ db: await open(), models: [model] })
      await factory.agent({ name: 'helper' })
      await factory.agent({ name: 'guide', subAgents: ['helper'] })
      await factory.agent({ name: 'bounded', limits: { maxCostUsd: '0.25' } })
      const { costs } = factory.money
      await factory.run('guide', 'Before there was a price.')
      const amounts = { input: '2', output: '10' }
      const effectiveFrom = Date.now() - 1
      await factory.money.prices.set(
        factory.admin,
        { subject: 'scripted/test', amounts, effectiveFrom },
        CONTEXT,
      )
      for (let n = 0; n < 3; n++) await factory.run('guide', 'Hi.')
      const { history, agent } = await costs.estimate(factory.tenantId, {
        agent: 'guide',
        input: 'Hi.',
      })
      assert.equal(agent?.version, 1)
      const bounded = await costs.estimate(factory.tenantId, { agent: 'bounded', input: 'Hi.' })
      assert.deepEqual([bounded.limitNanos, bounded.history?.cost], [250_000_000n, undefined])
      // 100 + 10 of its own and 10 of the helper, at 2,000.
      assert.deepEqual(history, {
        cost: { p50: 240_000n, p95: 240_000n, sample: 3 },
        tokens: { p50: 120, p95: 120, sample: 4 },
        unpricedRuns: 1,
      })
    })
  })
})
