// A model request in the SDK's form. Pure.

import type {
  JSONSchema7,
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  SharedV4ProviderOptions,
} from '@ai-sdk/provider'
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import type { ModelRequest, ModelTool } from '../model.ts'
import { toPrompt } from './prompt.ts'
import type { Protocol } from './protocol.ts'

/** Anthropic caches prefixes of 1,024 tokens and more (2,048 for small models); shorter ones are not worth marking. */
const CACHED_PREFIX_CHARS_MIN = 8_192
/**
 * Options that would change which model answers or how much it may produce. They are settings of their own, and the
 * money held for the call was computed from those.
 */
const NOT_OPTIONS: ReadonlySet<string> = new Set([
  'model',
  'n',
  'best_of',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'maxCompletionTokens',
])

export function toCallOptions(
  request: ModelRequest,
  protocol: Protocol,
  signal: AbortSignal,
): LanguageModelV4CallOptions {
  const { settings } = request
  return {
    prompt: toPrompt(request, systemOptions(request, protocol)),
    abortSignal: signal,
    // Raw chunks tell usage before the end, so that a stream that is cut later has not lost it.
    includeRawChunks: true,
    ...(request.tools.length === 0 ? {} : { tools: toSdkTools(request.tools) }),
    ...(settings.temperature === undefined ? {} : { temperature: settings.temperature }),
    ...(settings.topP === undefined ? {} : { topP: settings.topP }),
    ...(settings.maxOutputTokens === undefined ? {} : { maxOutputTokens: settings.maxOutputTokens }),
    ...(settings.stopSequences === undefined ? {} : { stopSequences: [...settings.stopSequences] }),
    ...(settings.seed === undefined ? {} : { seed: settings.seed }),
    ...(settings.presencePenalty === undefined ? {} : { presencePenalty: settings.presencePenalty }),
    ...(settings.frequencyPenalty === undefined ? {} : { frequencyPenalty: settings.frequencyPenalty }),
    ...(settings.reasoningEffort === undefined ? {} : { reasoning: settings.reasoningEffort }),
    ...(request.outputSchema === undefined
      ? {}
      : { responseFormat: { type: 'json', schema: request.outputSchema as JSONSchema7, name: 'answer' } }),
    providerOptions: providerOptions(request, protocol),
  }
}

/** Tools of an agent are the same array on every step, so they too are converted once. */
const convertedTools = new WeakMap<readonly ModelTool[], LanguageModelV4FunctionTool[]>()

function toSdkTools(tools: readonly ModelTool[]): LanguageModelV4FunctionTool[] {
  const known = convertedTools.get(tools)
  if (known !== undefined) return known
  const fresh = tools.map((tool): LanguageModelV4FunctionTool => {
    const { name, description, inputSchema } = tool
    return { type: 'function', name, description, inputSchema: inputSchema as JSONSchema7 }
  })
  convertedTools.set(tools, fresh)
  return fresh
}

function providerOptions(
  { settings, outputSchema }: ModelRequest,
  protocol: Protocol,
): SharedV4ProviderOptions {
  const options: Record<string, JsonObject> = {}
  for (const [provider, values] of Object.entries(settings.providerOptions ?? {})) {
    if (!isJsonObject(values)) continue
    options[provider] = Object.fromEntries(Object.entries(values).filter(([name]) => !NOT_OPTIONS.has(name)))
  }
  const defaults: Record<string, JsonObject> = {}
  if (protocol === 'chat' || protocol === 'responses') {
    const strict = outputSchema === undefined || isStrict(outputSchema) ? {} : { strictJsonSchema: false }
    // Runs are replayed from our own record, weeks later if need be. Items stored at OpenAI would expire (30 days),
    // so reasoning travels encrypted inside our messages instead.
    defaults.openai = protocol === 'responses' ? { store: false, ...strict } : strict
    defaults.openaiCompatible = strict
  }
  for (const [provider, values] of Object.entries(defaults)) {
    if (Object.keys(values).length > 0) options[provider] = { ...values, ...options[provider] }
  }
  return options
}

/**
 * Whether OpenAI's strict mode takes the schema: every object is closed and all its properties are required
 * (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas). Others are sent without it, not refused.
 */
function isStrict(schema: Json): boolean {
  if (Array.isArray(schema)) return (schema as readonly Json[]).every(isStrict)
  if (!isJsonObject(schema)) return true
  const properties = schema.properties
  if (isJsonObject(properties)) {
    const required = Array.isArray(schema.required) ? (schema.required as readonly Json[]) : []
    if (schema.additionalProperties !== false) return false
    if (!Object.keys(properties).every((name) => required.includes(name))) return false
  }
  return Object.values(schema).every(isStrict)
}

/** Marks tools and instructions, which Anthropic puts first, as a prefix to cache where a second call is likely: with tools. */
function systemOptions(request: ModelRequest, protocol: Protocol): SharedV4ProviderOptions | undefined {
  if (protocol !== 'anthropic' || request.tools.length === 0) return undefined
  const toolChars =
    request.tools.length * 200 + request.tools.reduce((sum, tool) => sum + tool.description.length, 0)
  if (request.instructions.length + toolChars < CACHED_PREFIX_CHARS_MIN) return undefined
  return { anthropic: { cacheControl: { type: 'ephemeral' } } }
}
