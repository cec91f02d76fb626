import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Message } from '../../contract/message.ts'
import { isBounded, OUTPUT_TOKENS_BUDGETED, type Sent, tokenBound, usualTokens } from './prompt-bound.ts'

function sent(more: Partial<Sent> = {}): Sent {
  return { model: 'scripted/test', instructions: '', messages: [], tools: [], settings: {}, ...more }
}

describe('tokenBound', () => {
  it('counts the bytes of all that is sent, whatever its script: no token is less than a byte', () => {
    const none = tokenBound(sent()).promptTokens
    const text = '漢字🙂'
    const bytes = Buffer.byteLength(text)
    assert.equal(tokenBound(sent({ instructions: text })).promptTokens, none + bytes)
    const message: Message = { role: 'user', text }
    assert.ok(tokenBound(sent({ messages: [message] })).promptTokens > none + bytes)
    const tool = { name: 'look', description: text, inputSchema: { type: 'object' } }
    assert.ok(tokenBound(sent({ tools: [tool] })).promptTokens > none + bytes)
    assert.ok(tokenBound(sent({ outputSchema: { description: text } })).promptTokens > none + bytes)
  })

  it('has a cap on the output where none is named, and the thinking that is bought beside it', () => {
    assert.equal(tokenBound(sent()).outputTokens, OUTPUT_TOKENS_BUDGETED)
    assert.equal(tokenBound(sent({ settings: { maxOutputTokens: 7 } })).outputTokens, 7)
    const providerOptions = { anthropic: { thinking: { type: 'enabled', budgetTokens: 2_000 }, top: 3 } }
    const settings = { maxOutputTokens: 7, providerOptions }
    assert.equal(tokenBound(sent({ settings })).outputTokens, 2_007)
  })

  it('counts the thinking that an effort buys beside the cap, and the text of provider options', () => {
    const settings = { maxOutputTokens: 7, reasoningEffort: 'high' } as const
    assert.equal(tokenBound(sent({ settings })).outputTokens, 7)
    assert.ok(tokenBound(sent({ model: 'anthropic/claude-opus-4-5', settings })).outputTokens > 7)
    const none = tokenBound(sent()).promptTokens
    const content = 'x'.repeat(1_000)
    const predicted = { openai: { prediction: { type: 'content', content } } }
    assert.ok(tokenBound(sent({ settings: { providerOptions: predicted } })).promptTokens >= none + 1_000)
  })

  it('knows of options that leave no bound', () => {
    for (const options of [{ previousResponseId: 'r1' }, { web_search_options: {} }, { cachedContent: 'c' }])
      assert.equal(isBounded({ providerOptions: { any: options } }), false)
    assert.equal(isBounded({ providerOptions: { openai: { store: false, conversation: null } } }), true)
    assert.equal(isBounded({}), true)
  })

  it('is above what is usual for the prompt, and the same for the output', () => {
    const bound = tokenBound(sent({ instructions: 'Do what the user says.' }))
    const usual = usualTokens(bound)
    assert.ok(usual.promptTokens < bound.promptTokens)
    assert.equal(usual.outputTokens, bound.outputTokens)
  })
})
