// Prices of other sources, as their files have them: LiteLLM's model_prices_and_context_window.json (USD per token) and
// models.dev's api.json (USD per million tokens). Numbers are read as the texts that they are.

import { decimalText, readDecimal, shifted } from '../../base/decimal.ts'
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import { COMPARED_PRICES_MAX, type ComparedKind, type ComparedPrice } from '../../contract/price.ts'
import { usage } from '../cli-failure.ts'

type Fields = readonly (readonly [field: string, kind: ComparedKind])[]

const LITELLM_FIELDS: Fields = [
  ['input_cost_per_token', 'input'],
  ['cache_read_input_token_cost', 'cachedInput'],
  ['cache_creation_input_token_cost', 'cacheWrite'],
  ['cache_creation_input_token_cost_above_1hr', 'cacheWriteOneHour'],
  ['output_cost_per_token', 'output'],
  ['output_cost_per_reasoning_token', 'reasoning'],
  ['input_cost_per_audio_token', 'audioInput'],
  ['output_cost_per_audio_token', 'audioOutput'],
]
const MODELS_DEV_FIELDS: Fields = [
  ['input', 'input'],
  ['cache_read', 'cachedInput'],
  ['cache_write', 'cacheWrite'],
  ['output', 'output'],
  ['reasoning', 'reasoning'],
  ['input_audio', 'audioInput'],
  ['output_audio', 'audioOutput'],
]
/** A dollar per token is a million dollars per million tokens. */
const TOKEN_TO_MILLION = 6
/** Their names of the book's providers. Those that are not here sell at prices of their own. */
const LITELLM_PROVIDERS: ReadonlyMap<string, string> = new Map([
  ['openai', 'openai'],
  ['anthropic', 'anthropic'],
  ['gemini', 'google'],
  ['groq', 'groq'],
  ['together_ai', 'together'],
  ['fireworks_ai', 'fireworks'],
  ['mistral', 'mistral'],
  ['deepseek', 'deepseek'],
])
const MODELS_DEV_PROVIDERS: ReadonlyMap<string, string> = new Map([
  ['openai', 'openai'],
  ['anthropic', 'anthropic'],
  ['google', 'google'],
  ['groq', 'groq'],
  ['togetherai', 'together'],
  ['fireworks-ai', 'fireworks'],
  ['mistral', 'mistral'],
  ['deepseek', 'deepseek'],
])

/** The prices of a file of one of the two forms, of the providers that the book has. */
export function readPriceSource(text: string): readonly ComparedPrice[] {
  const file = parseWithTexts(text)
  const entries = isJsonObject(file) ? Object.entries(file) : []
  const isLiteLlm = entries.some(([, value]) => isJsonObject(value) && 'litellm_provider' in value)
  const isModelsDev = entries.some(([, value]) => isJsonObject(value) && isJsonObject(value.models))
  if (!isLiteLlm && !isModelsDev)
    throw usage(
      'The source has neither the form of LiteLLM’s model_prices_and_context_window.json nor of models.dev’s api.json.',
    )
  const found = new Map<string, ComparedPrice>()
  for (const price of isLiteLlm ? ofLiteLlm(entries) : ofModelsDev(entries))
    if (!found.has(price.model)) found.set(price.model, price)
  if (found.size > COMPARED_PRICES_MAX)
    throw usage(`The source has ${found.size} prices; at most ${COMPARED_PRICES_MAX} are compared at once.`)
  return [...found.values()]
}

function ofLiteLlm(entries: readonly (readonly [string, Json])[]): readonly ComparedPrice[] {
  return entries.flatMap(([key, value]) => {
    if (!isJsonObject(value) || typeof value.litellm_provider !== 'string') return []
    const provider = LITELLM_PROVIDERS.get(value.litellm_provider)
    if (provider === undefined) return []
    const prefix = `${value.litellm_provider}/`
    const name = key.startsWith(prefix) ? key.slice(prefix.length) : key
    return priceOf(`${provider}/${name}`, value, LITELLM_FIELDS, TOKEN_TO_MILLION)
  })
}

function ofModelsDev(entries: readonly (readonly [string, Json])[]): readonly ComparedPrice[] {
  return entries.flatMap(([key, value]) => {
    const provider = MODELS_DEV_PROVIDERS.get(key)
    if (provider === undefined || !isJsonObject(value) || !isJsonObject(value.models)) return []
    return Object.entries(value.models).flatMap(([name, model]) =>
      isJsonObject(model) && isJsonObject(model.cost)
        ? priceOf(`${provider}/${name}`, model.cost, MODELS_DEV_FIELDS, 0)
        : [],
    )
  })
}

/** None where it tells no amount. What is no amount (a negative one, a word) is not told. */
function priceOf(model: string, of: JsonObject, fields: Fields, places: number): readonly ComparedPrice[] {
  const amounts: Partial<Record<ComparedKind, string>> = {}
  for (const [field, kind] of fields) {
    const text = of[field]
    const value = typeof text === 'string' ? readDecimal(text) : undefined
    if (value !== undefined && value.digits >= 0n) amounts[kind] = decimalText(shifted(value, places))
  }
  return Object.keys(amounts).length === 0 ? [] : [{ model, ...amounts }]
}

type Reviver = (key: string, value: Json, context: { readonly source?: string }) => Json

/** JSON whose numbers are the texts that stand in the file: `1.25e-06` stays what it is. */
function parseWithTexts(text: string): Json {
  // The types of JSON.parse do not know yet that a reviver is told the source.
  const parse = JSON.parse as (text: string, reviver: Reviver) => Json
  try {
    return parse(text, (_, value, { source }) => (typeof value === 'number' ? (source ?? '') : value))
  } catch (cause) {
    throw usage('The source is not JSON.', { cause })
  }
}
