import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readPriceSource } from './price-source.ts'

describe('prices of other sources', () => {
  it('are read from LiteLLM’s form, per token, digit for digit', () => {
    const text = `{
      "sample_spec": {"litellm_provider": "one of …", "input_cost_per_token": 0.0},
      "gpt-x": {"litellm_provider": "openai", "input_cost_per_token": 1.25e-06, "output_cost_per_token": 0.00001,
                "cache_read_input_token_cost": 1.25e-7, "mode": "chat", "output_cost_per_reasoning_token": -1},
      "gemini/g-x": {"litellm_provider": "gemini", "input_cost_per_token": 1.5000000000000002e-07},
      "azure/gpt-x": {"litellm_provider": "azure", "input_cost_per_token": 1},
      "groq/no-price": {"litellm_provider": "groq"}
    }`
    assert.deepEqual(readPriceSource(text), [
      { model: 'openai/gpt-x', input: '1.25', cachedInput: '0.125', output: '10' },
      { model: 'google/g-x', input: '0.15000000000000002' },
    ])
  })

  it('are read from models.dev’s form, per million tokens', () => {
    const text = `{
      "togetherai": {"id": "togetherai", "models": {"a/b": {"cost": {"input": 0.10, "output": 3, "cache_read": 0.025}}}},
      "openrouter": {"id": "openrouter", "models": {"a/b": {"cost": {"input": 1}}}},
      "openai": {"models": {"free": {"name": "x"}, "__proto__": {"cost": {"input": 1}}}}
    }`
    const [first, ...others] = readPriceSource(text)
    assert.deepEqual(first, { model: 'together/a/b', input: '0.1', cachedInput: '0.025', output: '3' })
    assert.deepEqual(
      others.map(({ model }) => model),
      ['openai/__proto__'],
    )
  })

  it('of no known form are refused in one line', () => {
    for (const text of ['', '[]', '{"a": 1}', '{', '['.repeat(100_000)])
      assert.throws(() => readPriceSource(text), /^CliFailure: The source/)
  })
})
