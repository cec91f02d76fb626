// Names of models: `provider/model`. The model part may hold slashes, as many servers' names do.

import { AppError } from '../base/errors.ts'

export interface ModelName {
  readonly provider: string
  readonly modelId: string
}

/**
 * Letters, digits and the marks that providers use. No `..` and no `%`: Google's package puts the name into the path of
 * the address, and a name comes from whoever may define an agent.
 */
const MODEL_ID = /^[A-Za-z0-9][A-Za-z0-9._:@+-]*(?:\/[A-Za-z0-9][A-Za-z0-9._:@+-]*)*$/
const MODEL_NAME_CHARS_MAX = 200

/** Throws `model.unknown` where the text has not the form `provider/model`. */
export function parseModelName(text: string): ModelName {
  const slash = text.indexOf('/')
  const modelId = text.slice(slash + 1)
  if (slash < 1 || text.length > MODEL_NAME_CHARS_MAX || modelId.includes('..') || !MODEL_ID.test(modelId)) {
    const shown = JSON.stringify(text.slice(0, MODEL_NAME_CHARS_MAX))
    throw new AppError(
      'model.unknown',
      `${shown} is not a model; write provider/model, e.g. "offline/extractive".`,
    )
  }
  return { provider: text.slice(0, slash), modelId }
}

/** The part after the provider. The registry has checked the name before a provider sees it. */
export function modelIdOf(text: string): string {
  return text.slice(text.indexOf('/') + 1)
}
