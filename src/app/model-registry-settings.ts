// From the settings of models to what the registry takes: here the keys leave their holders.

import type { ModelProvider } from '../models/model.ts'
import type { ModelRegistrySettings } from '../models/registry.ts'
import type { ModelsSetting, ProviderSetting } from './settings.ts'

export function registrySettings(
  models: ModelsSetting,
  extra: readonly ModelProvider[] = [],
): ModelRegistrySettings {
  return {
    openai: addressOf(models.openai),
    anthropic: addressOf(models.anthropic),
    google: addressOf(models.google),
    compatible: models.compatible.map(({ name, baseUrl, apiKey }) => ({
      name,
      baseUrl,
      ...(apiKey === undefined ? {} : { apiKey: apiKey.reveal() }),
    })),
    extra,
  }
}

function addressOf({ apiKey, baseUrl }: ProviderSetting): {
  readonly apiKey?: string
  readonly baseUrl?: string
} {
  return {
    ...(apiKey === undefined ? {} : { apiKey: apiKey.reveal() }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
  }
}
