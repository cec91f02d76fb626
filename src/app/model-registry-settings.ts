// From the settings of models to what the registry takes: here the keys leave their holders.

import type { ModelProvider } from '../models/model.ts'
import type { ModelRegistrySettings } from '../models/registry.ts'
import type { Secret } from './settings/secret.ts'
import type { ModelsSetting, ProviderSetting } from './settings.ts'

export function registrySettings(
  models: ModelsSetting,
  extra: readonly ModelProvider[] = [],
): ModelRegistrySettings {
  const anthropic = keyed(models.anthropic)
  const google = keyed(models.google)
  return {
    openai: { ...keyOf(models.openai.apiKey), ...baseUrlOf(models.openai) },
    ...(anthropic && { anthropic }),
    ...(google && { google }),
    compatible: models.compatible.map(({ name, baseUrl, apiKey }) => ({ name, baseUrl, ...keyOf(apiKey) })),
    extra,
  }
}

/** Of a provider that works only with a key; undefined without one. */
function keyed({ apiKey, baseUrl }: ProviderSetting) {
  return apiKey && { apiKey: apiKey.reveal(), ...baseUrlOf({ baseUrl }) }
}

function keyOf(apiKey: Secret | undefined): { readonly apiKey?: string } {
  return apiKey === undefined ? {} : { apiKey: apiKey.reveal() }
}

function baseUrlOf({ baseUrl }: Pick<ProviderSetting, 'baseUrl'>): { readonly baseUrl?: string } {
  return baseUrl === undefined ? {} : { baseUrl }
}
