import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startModelServer } from '../../test/support/model-server/model-server.ts'
import { requestFor } from '../../test/support/model-server/providers.ts'
import { loadAnthropic } from './ai-sdk/provider-packages.ts'
import { thinkingBeside } from './thinking-tokens.ts'

const CAP = 100
const EFFORTS = ['minimal', 'low', 'medium', 'high'] as const
/** They think within a budget, adapt it, do not think, or are not known. */
const MODELS = [
  'claude-opus-4-5',
  'claude-sonnet-4-5',
  'claude-opus-4-1',
  'claude-sonnet-4-6',
  'claude-next-9',
]

describe('thinkingBeside', () => {
  it('is no less than what is asked of Anthropic beyond the cap, for any effort', async () => {
    await using server = await startModelServer()
    const provider = await loadAnthropic({ apiKey: 'key', baseUrl: server.url })
    let beyond = 0
    for (const id of MODELS)
      for (const reasoningEffort of EFFORTS) {
        const model = `anthropic/${id}`
        const settings = { maxOutputTokens: CAP, reasoningEffort }
        await provider.call(requestFor(model, { settings }), new AbortController().signal)
        const body = server.requests.at(-1)?.body as { readonly max_tokens: number } | undefined
        const asked = body?.max_tokens ?? assert.fail('nothing was asked')
        assert.ok(asked <= CAP + thinkingBeside(model, settings), `${model}, ${reasoningEffort}: ${asked}`)
        beyond = Math.max(beyond, asked - CAP)
      }
    assert.ok(beyond > 0, 'none of them is asked for more than the cap')
  })

  it('is nothing where the cap holds for thinking as well, or none is asked for', () => {
    assert.equal(thinkingBeside('anthropic/claude-opus-4-5', {}), 0)
    assert.equal(thinkingBeside('openai/gpt-5', { reasoningEffort: 'high' }), 0)
  })
})
