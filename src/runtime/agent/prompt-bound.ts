// How many tokens an attempt can cost at most: what is sent, measured without a tokenizer, and what may be answered. Pure.

import type { Json, JsonObject } from '../../base/json.ts'
import { isJsonObject } from '../../base/json.ts'
import type { ModelRequest } from '../../models/model.ts'
import { thinkingBeside } from '../../models/thinking-tokens.ts'
import type { TokenBound } from '../metering.ts'

/** What a request that names no cap may answer where a budget applies: without a cap, no worst case is true. */
export const OUTPUT_TOKENS_BUDGETED = 8_192
/** What providers add around a request: their own instructions for tool use (Anthropic's are some 350), and its frame. */
const REQUEST_TOKENS = 1_024
/** Role, separators, ids of calls. */
const MESSAGE_TOKENS = 16
const TOOL_TOKENS = 32
/** Of English text; what an attempt is charged for of which nobody knows the usage. */
const BYTES_PER_TOKEN_USUAL = 4

export type Sent = Omit<ModelRequest, 'onDelta' | 'timeouts'>

/**
 * Options by which a provider adds to the prompt what it has kept of earlier calls, or finds by itself, or asks a model
 * of its own choice: nobody knows beforehand how much that is.
 */
const OPEN_ENDED: ReadonlySet<string> = new Set(
  [
    'previousResponseId',
    'conversation',
    'cachedContent',
    'webSearchOptions',
    'plugins',
    'mcpServers',
    'container',
    'fallbacks',
    'models',
  ].map(plain),
)

/**
 * The most tokens of an attempt. A token of a byte-level tokenizer stands for one byte of UTF-8 or more, so the bytes of
 * all that is sent, as JSON, are a bound of its tokens; what providers add is a named number for the request and for each
 * message and tool. Thinking that is bought on top of the output, by an effort or by `providerOptions`, counts as output.
 */
export function tokenBound(sent: Sent): TokenBound {
  return {
    promptTokens: bytesOf(sent) + overheadOf(sent),
    outputTokens:
      (sent.settings.maxOutputTokens ?? OUTPUT_TOKENS_BUDGETED) +
      thinkingBeside(sent.model, sent.settings) +
      tokenOptions(sent.settings.providerOptions ?? {}),
  }
}

/** Whether the options of the providers leave a bound at all. */
export function isBounded({ providerOptions = {} }: Sent['settings']): boolean {
  return Object.values(providerOptions).every(
    (options) =>
      !isJsonObject(options) ||
      Object.entries(options).every(([name, value]) => value === null || !OPEN_ENDED.has(plain(name))),
  )
}

/** Options are written like_this and likeThis. */
function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase()
}

/** What is likely: a token is four bytes of text or so. All the output that is allowed is counted. */
export function usualTokens({ promptTokens, outputTokens }: TokenBound): TokenBound {
  return { promptTokens: Math.ceil(promptTokens / BYTES_PER_TOKEN_USUAL), outputTokens }
}

function bytesOf({ instructions, messages, tools, outputSchema, settings }: Sent): number {
  let bytes = Buffer.byteLength(instructions)
  // Some carry text: a predicted answer, further instructions.
  if (settings.providerOptions !== undefined) bytes += sizeOf(settings.providerOptions)
  for (const message of messages) bytes += sizeOf(message)
  for (const tool of tools) bytes += sizeOf(tool)
  return outputSchema === undefined ? bytes : bytes + sizeOf(outputSchema)
}

function overheadOf({ messages, tools }: Sent): number {
  return REQUEST_TOKENS + messages.length * MESSAGE_TOKENS + tools.length * TOOL_TOKENS
}

/** Messages and tools never change: a conversation is measured once, and not anew at each turn. */
const sizes = new WeakMap<object, number>()

function sizeOf(value: object): number {
  const known = sizes.get(value)
  if (known !== undefined) return known
  const size = Buffer.byteLength(JSON.stringify(value))
  sizes.set(value, size)
  return size
}

/** The sum of all numbers that say how many tokens may be used, at any depth. */
function tokenOptions(options: JsonObject): number {
  let sum = 0
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === 'number' && /token|budget/i.test(name)) sum += Math.max(0, Math.ceil(value))
    else sum += inside(value)
  }
  return sum
}

function inside(value: Json | undefined): number {
  if (value === undefined) return 0
  if (Array.isArray(value)) return value.reduce<number>((sum, entry) => sum + inside(entry), 0)
  return isJsonObject(value) ? tokenOptions(value) : 0
}
