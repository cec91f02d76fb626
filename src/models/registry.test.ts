import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startModelServer } from '../../test/support/model-server/model-server.ts'
import { requestFor } from '../../test/support/model-server/providers.ts'
import { isAppError } from '../base/errors.ts'
import { createModelRegistry } from './registry.ts'
import { createScriptedModel } from './scripted/scripted-model.ts'

describe('the model registry', () => {
  test('the offline model is always there', async () => {
    const provider = await createModelRegistry({}).provider('offline/extractive')
    assert.equal(provider.name, 'offline')
  })

  test('an unknown provider is refused with those there are', async () => {
    const registry = createModelRegistry({
      compatible: [{ name: 'ollama', baseUrl: 'http://localhost:11434/v1' }],
    })
    await assert.rejects(registry.provider('mystery/model'), (error) => {
      assert.ok(isAppError(error, 'model.unknown'))
      assert.match(error.message, /"mystery"; there are offline, openai, anthropic, google, ollama/)
      return true
    })
  })

  test('a provider without its key is refused with the name of the setting', async () => {
    const registry = createModelRegistry({})
    for (const [model, setting] of [
      ['openai/gpt-5-mini', 'OPENAI_API_KEY'],
      ['anthropic/claude-sonnet-4-5', 'ANTHROPIC_API_KEY'],
      ['google/gemini-2.5-flash', 'GOOGLE_GENERATIVE_AI_API_KEY'],
    ] as const) {
      await assert.rejects(registry.provider(model), (error) => {
        assert.ok(isAppError(error, 'model.not-configured'))
        assert.ok(error.message.includes(setting))
        return true
      })
    }
  })

  test('names that are no models, or would climb out of an address, are refused', async () => {
    const registry = createModelRegistry({ google: { apiKey: 'k' } })
    for (const name of [
      'gpt-5',
      '',
      '/x',
      'google/',
      'google/../v1/files',
      'google/a b',
      'google/a?key=1',
      'google/a%2f',
    ]) {
      await assert.rejects(registry.provider(name), (error) => isAppError(error, 'model.unknown'), name)
    }
  })

  test('the list says what is configured and what is missing', () => {
    const registry = createModelRegistry({
      anthropic: { apiKey: 'k' },
      extra: [createScriptedModel('scripted', [])],
    })
    const list = Object.fromEntries(registry.list().map(({ name, configured }) => [name, configured]))
    assert.deepEqual(list, { offline: true, openai: false, anthropic: true, google: false, scripted: true })
    assert.match(registry.list().find(({ name }) => name === 'openai')?.needs ?? '', /OPENAI_BASE_URL/)
  })

  test('extra providers win, and a provider is made once', async () => {
    const scripted = createScriptedModel('openai', [{ text: 'Scripted.' }])
    const registry = createModelRegistry({ openai: { apiKey: 'k' }, extra: [scripted] })
    assert.equal(await registry.provider('openai/gpt-5'), scripted)
    const real = createModelRegistry({ openai: { apiKey: 'k' } })
    assert.equal(await real.provider('openai/gpt-5'), await real.provider('openai/gpt-5-mini'))
  })

  test('a base URL without a key is a server that needs none; names may hold slashes', async () => {
    await using server = await startModelServer()
    const registry = createModelRegistry({ openai: { baseUrl: `${server.url}/v1` } })
    const provider = await registry.provider('openai/meta-llama/llama-3.3:70b')
    const outcome = await provider.call(
      requestFor('openai/meta-llama/llama-3.3:70b'),
      new AbortController().signal,
    )
    assert.equal(outcome.status, 'answered')
    assert.equal(server.requests[0]?.wire, 'openai-chat')
    assert.equal(outcome.status === 'answered' && outcome.responseModel, 'meta-llama/llama-3.3:70b')
  })
})
