// The provider packages, each loaded when it is first used: a process that runs offline models never loads one.
// Addresses and keys are always passed explicitly, because the packages otherwise look into the environment themselves.

import type { LanguageModelV4 } from '@ai-sdk/provider'
import type { ModelProvider } from '../model.ts'
import { createAiSdkProvider } from './ai-sdk-provider.ts'
import type { Protocol } from './protocol.ts'
import { createProviderFetch } from './provider-fetch.ts'

export interface KeyedAddress {
  readonly apiKey: string
  readonly baseUrl?: string
}

export interface OpenaiAddress {
  /** A base URL without a key is a server that needs none. */
  readonly apiKey?: string
  readonly baseUrl?: string
  /** Default: `responses` at OpenAI's own address, `chat` (chat completions) at any other. */
  readonly api?: 'responses' | 'chat'
}

export interface CompatibleAddress {
  /** The provider part of model names, e.g. `ollama`. */
  readonly name: string
  readonly baseUrl: string
  readonly apiKey?: string
  /** Whether the server understands JSON Schemas for its answers. Default true: Ollama, vLLM, LM Studio and llama.cpp do. */
  readonly structuredOutputs?: boolean
}

const OPENAI_URL = 'https://api.openai.com/v1'
const ANTHROPIC_URL = 'https://api.anthropic.com/v1'
const GOOGLE_URL = 'https://generativelanguage.googleapis.com/v1beta'
/** OpenAI's package refuses to work without a key; `createProviderFetch` takes this one out again. */
const NO_KEY = 'none'

/**
 * OpenAI itself is spoken to by its responses API, which carries reasoning from step to step. With a base URL of one's own
 * it is chat completions: that is what other servers behind such an address implement, and all of them do.
 */
export async function loadOpenai({ apiKey, baseUrl, api }: OpenaiAddress): Promise<ModelProvider> {
  const { createOpenAI } = await import('@ai-sdk/openai')
  const fetch = createProviderFetch({ sendAuthorization: apiKey !== undefined })
  const openai = createOpenAI({ apiKey: apiKey ?? NO_KEY, baseURL: baseUrl ?? OPENAI_URL, fetch })
  return (api ?? (baseUrl === undefined ? 'responses' : 'chat')) === 'responses'
    ? provider('openai', 'responses', (modelId) => openai.responses(modelId), apiKey)
    : provider('openai', 'chat', (modelId) => openai.chat(modelId), apiKey)
}

export async function loadAnthropic({ apiKey, baseUrl }: KeyedAddress): Promise<ModelProvider> {
  const { createAnthropic } = await import('@ai-sdk/anthropic')
  const fetch = createProviderFetch({ sendAuthorization: false })
  const anthropic = createAnthropic({ apiKey, baseURL: baseUrl ?? ANTHROPIC_URL, fetch })
  return provider('anthropic', 'anthropic', (modelId) => anthropic(modelId), apiKey)
}

export async function loadGoogle({ apiKey, baseUrl }: KeyedAddress): Promise<ModelProvider> {
  const { createGoogle } = await import('@ai-sdk/google')
  const fetch = createProviderFetch({ sendAuthorization: false })
  const google = createGoogle({ apiKey, baseURL: baseUrl ?? GOOGLE_URL, fetch })
  return provider('google', 'google', (modelId) => google(modelId), apiKey)
}

export async function loadCompatible(address: CompatibleAddress): Promise<ModelProvider> {
  const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible')
  const compatible = createOpenAICompatible({
    name: address.name,
    baseURL: address.baseUrl,
    // Without this, servers stream no usage at all.
    includeUsage: true,
    supportsStructuredOutputs: address.structuredOutputs ?? true,
    fetch: createProviderFetch({ sendAuthorization: address.apiKey !== undefined }),
    ...(address.apiKey === undefined ? {} : { apiKey: address.apiKey }),
  })
  return provider(address.name, 'chat', (modelId) => compatible.chatModel(modelId), address.apiKey)
}

function provider(
  name: string,
  protocol: Protocol,
  languageModel: (modelId: string) => LanguageModelV4,
  apiKey: string | undefined,
): ModelProvider {
  return createAiSdkProvider({ name, protocol, languageModel, secrets: apiKey === undefined ? [] : [apiKey] })
}
