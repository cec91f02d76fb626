// The real provider packages, pointed at a model server: what the matrix of tests runs over.

import type { JsonObject } from '../../../src/base/json.ts'
import {
  loadAnthropic,
  loadCompatible,
  loadGoogle,
  loadOpenai,
} from '../../../src/models/ai-sdk/provider-packages.ts'
import type { ModelProvider, ModelRequest } from '../../../src/models/model.ts'

/** A key that no test server checks, with the look of a real one. */
export const TEST_KEY = 'sk-test-0123456789abcdef'

export interface ProviderCase {
  readonly name: 'openai' | 'openai-chat' | 'anthropic' | 'google' | 'compatible'
  readonly model: string
  readonly open: (serverUrl: string) => Promise<ModelProvider>
}

export const PROVIDER_CASES: readonly ProviderCase[] = [
  {
    name: 'openai',
    model: 'openai/gpt-5-mini',
    open: (url) => loadOpenai({ apiKey: TEST_KEY, baseUrl: `${url}/v1`, api: 'responses' }),
  },
  {
    name: 'openai-chat',
    model: 'openai/gpt-4.1',
    open: (url) => loadOpenai({ apiKey: TEST_KEY, baseUrl: `${url}/v1` }),
  },
  {
    name: 'anthropic',
    model: 'anthropic/claude-sonnet-4-5',
    open: (url) => loadAnthropic({ apiKey: TEST_KEY, baseUrl: `${url}/v1` }),
  },
  {
    name: 'google',
    model: 'google/gemini-2.5-flash',
    open: (url) => loadGoogle({ apiKey: TEST_KEY, baseUrl: `${url}/v1beta` }),
  },
  {
    name: 'compatible',
    model: 'local/llama3.3',
    open: (url) => loadCompatible({ name: 'local', baseUrl: `${url}/v1` }),
  },
]

export const ADD_TOOL = {
  name: 'add',
  description: 'Adds two numbers.',
  inputSchema: {
    type: 'object',
    properties: { a: { type: 'number' }, b: { type: 'number' } },
    required: ['a', 'b'],
    additionalProperties: false,
  } satisfies JsonObject,
}

/** A small request with limits that a test never reaches by accident. */
export function requestFor(model: string, more: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model,
    instructions: 'You are a test.',
    messages: [{ role: 'user', text: 'Say something.' }],
    tools: [],
    settings: {},
    timeouts: { firstTokenMs: 10_000, betweenChunksMs: 10_000, totalMs: 20_000 },
    ...more,
  }
}
