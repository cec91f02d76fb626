// The server itself: whole answers in each wire format, as the provider packages read them, and its script.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogle } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import type { LanguageModelV4 } from '@ai-sdk/provider'
import { startModelServer } from './model-server.ts'
import { answer } from './reply.ts'

const apiKey = 'k'
const WHOLE: Readonly<Record<string, (url: string) => LanguageModelV4>> = {
  'openai-chat': (url) => createOpenAI({ apiKey, baseURL: `${url}/v1` }).chat('gpt-4.1'),
  'openai-responses': (url) => createOpenAI({ apiKey, baseURL: `${url}/v1` }).responses('gpt-4.1'),
  anthropic: (url) => createAnthropic({ apiKey, baseURL: `${url}/v1` })('claude-sonnet-4-5'),
  google: (url) => createGoogle({ apiKey, baseURL: `${url}/v1beta` })('gemini-2.5-flash'),
}

describe('the model server', () => {
  for (const [wire, open] of Object.entries(WHOLE)) {
    test(`${wire}: a whole answer, not streamed`, async () => {
      await using server = await startModelServer()
      server.script(answer({ text: 'I add.' }, { tool: 'add', arguments: { a: 1 }, callId: 'c1' }))
      const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Add.' }] }]
      const { content, usage } = await open(server.url).doGenerate({ prompt })
      assert.deepEqual(
        content.map(({ type }) => type),
        ['text', 'tool-call'],
      )
      assert.equal(usage.inputTokens.total, 10)
      assert.equal(usage.outputTokens.total, 5)
      assert.equal(server.requests[0]?.wire, wire)
    })
  }

  test('replies are used up in order; then comes the other one; functions see the request', async () => {
    await using server = await startModelServer()
    server.script({ type: 'error', status: 500 }, ({ path }) => ({
      type: 'error',
      status: path.length > 5 ? 418 : 400,
    }))
    server.otherwise({ type: 'html', status: 503 })
    const post = async (): Promise<number> => {
      const response = await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', body: '{}' })
      await response.text()
      return response.status
    }
    assert.deepEqual([await post(), await post(), await post()], [500, 418, 503])
    assert.equal(server.requests.length, 3)
  })

  test('a path of no provider is not found', async () => {
    await using server = await startModelServer()
    const response = await fetch(`${server.url}/v1/nothing`, { method: 'POST', body: '{}' })
    await response.text()
    assert.equal(response.status, 404)
  })
})
