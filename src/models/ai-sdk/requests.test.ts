// What providers receive: prompts, tools, settings, keys, and what they said earlier.

import assert from 'node:assert/strict'
import { env } from 'node:process'
import { describe, test } from 'node:test'
import { type ModelServer, startModelServer } from '../../../test/support/model-server/model-server.ts'
import {
  ADD_TOOL,
  PROVIDER_CASES,
  type ProviderCase,
  requestFor,
} from '../../../test/support/model-server/providers.ts'
import { answer } from '../../../test/support/model-server/reply.ts'
import type { JsonObject } from '../../base/json.ts'
import type { AssistantPart, Message } from '../../contract/message.ts'
import type { ModelRequest } from '../model.ts'
import { toPrompt } from './prompt.ts'
import { loadAnthropic, loadCompatible, loadOpenai } from './provider-packages.ts'

async function send(
  provider: ProviderCase,
  server: ModelServer,
  more: Partial<ModelRequest>,
): Promise<JsonObject> {
  const model = await provider.open(server.url)
  const outcome = await model.call(requestFor(provider.model, more), new AbortController().signal)
  assert.equal(outcome.status, 'answered', JSON.stringify(outcome))
  return server.requests.at(-1)?.body as JsonObject
}

function caseOf(name: ProviderCase['name']): ProviderCase {
  const found = PROVIDER_CASES.find((provider) => provider.name === name)
  assert.ok(found)
  return found
}

/** A history with an answered tool call whose first attempt had malformed arguments. */
function historyAfter(parts: readonly AssistantPart[]): readonly Message[] {
  return [
    { role: 'user', text: 'Add 1 and 2.' },
    { role: 'assistant', parts },
    {
      role: 'tool',
      results: [
        { callId: 'c1', tool: 'add', output: { type: 'json', value: { sum: 3 } } },
        { callId: 'c2', tool: 'add', output: { type: 'error', message: 'The arguments are not JSON.' } },
      ],
    },
  ]
}

for (const provider of PROVIDER_CASES) {
  describe(`requests to ${provider.name}`, () => {
    test('instructions, history, tools, results and errors arrive', async () => {
      await using server = await startModelServer()
      const messages = historyAfter([
        { type: 'tool_call', callId: 'c1', tool: 'add', arguments: { json: { a: 1, b: 2 } } },
        { type: 'tool_call', callId: 'c2', tool: 'add', arguments: { malformed: '{"a": 1,' } },
      ])
      const text = JSON.stringify(await send(provider, server, { messages, tools: [ADD_TOOL] }))
      for (const piece of [
        'You are a test.',
        'Add 1 and 2.',
        'Adds two numbers.',
        'The arguments are not JSON.',
        'sum',
      ]) {
        assert.ok(text.includes(piece), `${piece} in ${text}`)
      }
      assert.ok(text.includes('invalid_arguments'), text)
    })

    test('reasoning and tool calls go back with what the provider said about them', async () => {
      await using server = await startModelServer()
      server.script(
        answer(
          { reasoning: 'I should add.', signature: 'signature-of-thought' },
          { tool: 'add', arguments: { a: 1, b: 2 }, callId: 'c1', signature: 'signature-of-call' },
        ),
      )
      const model = await provider.open(server.url)
      const first = await model.call(
        requestFor(provider.model, { tools: [ADD_TOOL] }),
        new AbortController().signal,
      )
      assert.equal(first.status, 'answered')
      const parts = first.status === 'answered' ? first.parts : []
      // The journal stores JSON; what comes back from it must work as well.
      const stored = JSON.parse(JSON.stringify(parts)) as readonly AssistantPart[]
      assert.deepEqual(stored, parts)
      const results = [{ callId: 'c1', tool: 'add', output: { type: 'json', value: 3 } }] as const
      const messages: readonly Message[] = [
        { role: 'user', text: 'Add 1 and 2.' },
        { role: 'assistant', parts: stored },
        { role: 'tool', results },
      ]
      const body = JSON.stringify(await send(provider, server, { messages, tools: [ADD_TOOL] }))
      if (provider.name === 'openai' || provider.name === 'anthropic')
        assert.ok(body.includes('signature-of-thought'), body)
      if (provider.name === 'google') assert.ok(body.includes('signature-of-call'), body)
      if (provider.name === 'compatible') assert.ok(body.includes('I should add.'), body)
    })

    test('the settings and the schema of the answer arrive', async () => {
      await using server = await startModelServer()
      const outputSchema = {
        type: 'object',
        properties: { total: { type: 'number' } },
        required: ['total'],
        additionalProperties: false,
      }
      const settings = { maxOutputTokens: 321, stopSequences: ['END'] }
      server.script(answer({ text: '{"total": 3}' }))
      const text = JSON.stringify(await send(provider, server, { settings, outputSchema }))
      assert.ok(text.includes('321'), text)
      assert.ok(text.includes('total'), text)
      // The responses API has no stop sequences.
      if (provider.name !== 'openai') assert.ok(text.includes('END'), text)
    })
  })
}

describe('keys and addresses', () => {
  test('a server without a key receives none, whatever the environment holds', async () => {
    await using server = await startModelServer()
    const signal = new AbortController().signal
    const openai = await loadOpenai({ baseUrl: `${server.url}/v1` })
    // The package itself would take a key from here.
    const before = env.OPENAI_API_KEY
    env.OPENAI_API_KEY = 'key-of-the-environment'
    await openai.call(requestFor('openai/llama'), signal)
    if (before === undefined) delete env.OPENAI_API_KEY
    else env.OPENAI_API_KEY = before
    const compatible = await loadCompatible({ name: 'local', baseUrl: `${server.url}/v1/` })
    await compatible.call(requestFor('local/llama'), signal)
    for (const { headers, wire } of server.requests) {
      assert.equal(wire, 'openai-chat')
      assert.equal(headers.authorization, undefined)
    }
    assert.equal(server.requests.length, 2)
  })

  test('each provider sends its own key, and only to its own address', async () => {
    await using one = await startModelServer()
    await using two = await startModelServer()
    const signal = new AbortController().signal
    const first = await loadAnthropic({ apiKey: 'key-of-anthropic', baseUrl: `${one.url}/v1` })
    const second = await loadCompatible({ name: 'local', apiKey: 'key-of-local', baseUrl: `${two.url}/v1` })
    await first.call(requestFor('anthropic/claude-sonnet-4-5'), signal)
    await second.call(requestFor('local/llama'), signal)
    assert.equal(one.requests[0]?.headers['x-api-key'], 'key-of-anthropic')
    assert.equal(two.requests[0]?.headers.authorization, 'Bearer key-of-local')
    assert.ok(!JSON.stringify(one.requests).includes('key-of-local'))
    assert.ok(!JSON.stringify(two.requests).includes('key-of-anthropic'))
  })
})

describe('provider options', () => {
  test('they pass, but cannot change the model or how much it may produce', async () => {
    await using server = await startModelServer()
    const providerOptions = { local: { model: 'dearer', n: 8, max_tokens: 99_999, top_k: 7 } }
    const body = await send(caseOf('compatible'), server, {
      settings: { maxOutputTokens: 50, providerOptions },
    })
    assert.equal(body.model, 'llama3.3')
    assert.equal(body.n, undefined)
    assert.equal(body.max_tokens, 50)
    assert.equal(body.top_k, 7)
  })

  test('OpenAI keeps nothing, because runs are replayed from our own record', async () => {
    await using server = await startModelServer()
    const body = await send(caseOf('openai'), server, {})
    assert.equal(body.store, false)
    assert.deepEqual(body.include, ['reasoning.encrypted_content'])
  })

  test('a schema that strict mode would refuse is sent without it', async () => {
    await using server = await startModelServer()
    const closed = {
      type: 'object',
      properties: { a: { type: 'string' } },
      required: ['a'],
      additionalProperties: false,
    }
    for (const name of ['openai', 'openai-chat', 'compatible'] as const) {
      const strict = JSON.stringify(await send(caseOf(name), server, { outputSchema: closed }))
      assert.match(strict, /"strict":true/)
      const open = JSON.stringify(
        await send(caseOf(name), server, { outputSchema: { ...closed, required: [] } }),
      )
      assert.match(open, /"strict":false/)
    }
  })

  test('Anthropic caches tools and instructions when they are long and more calls are likely', async () => {
    await using server = await startModelServer()
    const instructions = 'Be helpful. '.repeat(800)
    const long = await send(caseOf('anthropic'), server, { instructions, tools: [ADD_TOOL] })
    assert.match(JSON.stringify(long.system), /"cache_control":\{"type":"ephemeral"\}/)
    const short = await send(caseOf('anthropic'), server, { tools: [ADD_TOOL] })
    assert.doesNotMatch(JSON.stringify(short), /cache_control/)
  })
})

test('each message is converted once, however long the history grows', () => {
  const messages: Message[] = [{ role: 'user', text: 'One' }]
  const first = toPrompt(requestFor('x/y', { messages, instructions: '' }))
  messages.push({ role: 'user', text: 'Two' })
  const second = toPrompt(requestFor('x/y', { messages, instructions: '' }))
  assert.equal(second[0], first[0])
  assert.equal(second.length, 2)
})
