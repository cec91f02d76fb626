// The registry of model providers: finds the provider of a `provider/model` name and loads its package when first used.
// It never reads the environment, stores or calls a model. app/ makes one; the runtime and the doctor ask it.

import { AppError } from '../base/errors.ts'
import {
  type CompatibleAddress,
  type KeyedAddress,
  loadAnthropic,
  loadCompatible,
  loadGoogle,
  loadOpenai,
  type OpenaiAddress,
} from './ai-sdk/provider-packages.ts'
import type { ModelProvider, ModelRegistry } from './model.ts'
import { parseModelName } from './model-name.ts'
import { createOfflineProvider } from './offline/offline-provider.ts'

export interface ModelRegistrySettings {
  readonly openai?: OpenaiAddress
  readonly anthropic?: KeyedAddress
  readonly google?: KeyedAddress
  /** Servers that speak OpenAI's chat completions: Ollama, vLLM, LM Studio and others. */
  readonly compatible?: readonly CompatibleAddress[]
  /** Further providers, e.g. scripted ones in tests. They win over a provider of the same name. */
  readonly extra?: readonly ModelProvider[]
}

interface Entry {
  readonly name: string
  /** The setting that is missing, where one is. */
  readonly needs?: string
  readonly load: () => Promise<ModelProvider>
}

export function createModelRegistry(settings: ModelRegistrySettings): ModelRegistry {
  const entries = new Map<string, Entry>()
  for (const entry of entriesOf(settings)) entries.set(entry.name, entry)
  const loaded = new Map<string, Promise<ModelProvider>>()

  const load = (entry: Entry): Promise<ModelProvider> => {
    const known = loaded.get(entry.name)
    if (known !== undefined) return known
    const loading = entry.load()
    loaded.set(entry.name, loading)
    // A package that failed to load is tried again by the next call.
    loading.catch(() => loaded.delete(entry.name))
    return loading
  }

  return {
    provider: async (model) => {
      const { provider } = parseModelName(model)
      const entry = entries.get(provider)
      if (entry === undefined) {
        const names = [...entries.keys()].join(', ')
        throw new AppError('model.unknown', `There is no model provider "${provider}"; there are ${names}.`)
      }
      if (entry.needs !== undefined) {
        throw new AppError(
          'model.not-configured',
          `The model provider "${provider}" is not configured: set ${entry.needs}.`,
        )
      }
      return load(entry)
    },
    list: () =>
      [...entries.values()].map(({ name, needs }) => ({
        name,
        configured: needs === undefined,
        ...(needs === undefined ? {} : { needs }),
      })),
  }
}

function entriesOf(settings: ModelRegistrySettings): readonly Entry[] {
  const { openai, anthropic, google } = settings
  return [
    { name: 'offline', load: async () => createOfflineProvider() },
    openai?.apiKey !== undefined || openai?.baseUrl !== undefined
      ? { name: 'openai', load: () => loadOpenai(openai) }
      : missing('openai', 'OPENAI_API_KEY (or OPENAI_BASE_URL for a server without a key)'),
    anthropic !== undefined
      ? { name: 'anthropic', load: () => loadAnthropic(anthropic) }
      : missing('anthropic', 'ANTHROPIC_API_KEY'),
    google !== undefined
      ? { name: 'google', load: () => loadGoogle(google) }
      : missing('google', 'GOOGLE_GENERATIVE_AI_API_KEY'),
    ...(settings.compatible ?? []).map((address) => ({
      name: address.name,
      load: () => loadCompatible(address),
    })),
    ...(settings.extra ?? []).map((provider) => ({ name: provider.name, load: async () => provider })),
  ]
}

function missing(name: string, needs: string): Entry {
  const fail = async (): Promise<never> => {
    throw new AppError(
      'model.not-configured',
      `The model provider "${name}" is not configured: set ${needs}.`,
    )
  }
  return { name, needs, load: fail }
}
