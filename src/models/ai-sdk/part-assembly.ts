// Puts the pieces of a stream together into parts, in the order in which they began.

import type { LanguageModelV4StreamPart, SharedV4ProviderMetadata } from '@ai-sdk/provider'
import { checkJson, type Json, type JsonObject } from '../../base/json.ts'
import type { AssistantPart, ProviderMetadata, ToolCallPart } from '../../contract/message.ts'
import type { ModelDelta } from '../model.ts'

export interface PartAssembly {
  /** Takes a stream part in. True where it was content: text, reasoning or a tool call. */
  take(part: LanguageModelV4StreamPart): boolean
  /** The parts so far; unfinished tool calls are left out. */
  parts(): readonly AssistantPart[]
}

interface OpenText {
  readonly type: 'text' | 'reasoning'
  text: string
  metadata: JsonObject | undefined
}

/** A place in the answer: text that grows, or a tool call that takes the place when it is complete. */
type Slot = OpenText | { readonly type: 'tool_call'; call: ToolCallPart | undefined }

export function createPartAssembly(onDelta: ((delta: ModelDelta) => void) | undefined): PartAssembly {
  const slots: Slot[] = []
  const open = new Map<string, Slot>()

  const startText = (
    type: 'text' | 'reasoning',
    id: string,
    metadata: SharedV4ProviderMetadata | undefined,
  ): void => {
    const slot: OpenText = { type, text: '', metadata: metadataOf(metadata) }
    slots.push(slot)
    open.set(`${type}:${id}`, slot)
  }
  const growText = (
    type: 'text' | 'reasoning',
    id: string,
    delta: string,
    metadata?: SharedV4ProviderMetadata,
  ): void => {
    if (!open.has(`${type}:${id}`)) startText(type, id, undefined)
    const slot = open.get(`${type}:${id}`)
    if (slot === undefined || slot.type === 'tool_call') return
    slot.text += delta
    slot.metadata = mergeMetadata(slot.metadata, metadataOf(metadata))
    if (delta !== '') onDelta?.({ type, text: delta })
  }
  const startCall = (id: string, tool: string): void => {
    const slot: Slot = { type: 'tool_call', call: undefined }
    slots.push(slot)
    open.set(`call:${id}`, slot)
    onDelta?.({ type: 'tool_call', tool })
  }

  const take = (part: LanguageModelV4StreamPart): boolean => {
    switch (part.type) {
      case 'text-start':
      case 'reasoning-start':
        startText(part.type === 'text-start' ? 'text' : 'reasoning', part.id, part.providerMetadata)
        return true
      case 'text-delta':
      case 'reasoning-delta':
        growText(
          part.type === 'text-delta' ? 'text' : 'reasoning',
          part.id,
          part.delta,
          part.providerMetadata,
        )
        return true
      case 'text-end':
      case 'reasoning-end':
        growText(part.type === 'text-end' ? 'text' : 'reasoning', part.id, '', part.providerMetadata)
        return true
      case 'tool-input-start':
        if (part.providerExecuted !== true) startCall(part.id, part.toolName)
        return true
      case 'tool-input-delta':
      case 'tool-input-end':
        return true
      case 'tool-call': {
        // Tools that the provider runs itself are part of its answer, not work for us.
        if (part.providerExecuted === true) return true
        if (!open.has(`call:${part.toolCallId}`)) startCall(part.toolCallId, part.toolName)
        const slot = open.get(`call:${part.toolCallId}`)
        const metadata = metadataOf(part.providerMetadata)
        if (slot?.type === 'tool_call') {
          slot.call = {
            type: 'tool_call',
            callId: part.toolCallId,
            tool: part.toolName,
            arguments: readArguments(part.input),
            ...(metadata === undefined ? {} : { providerMetadata: metadata }),
          }
        }
        return true
      }
      default:
        return false
    }
  }

  return { take, parts: () => slots.flatMap(toPart) }
}

function toPart(slot: Slot): readonly AssistantPart[] {
  if (slot.type === 'tool_call') return slot.call === undefined ? [] : [slot.call]
  // Empty text is kept only where the provider wants something back for it (a signature, an item id).
  if (slot.text === '' && (slot.type === 'text' || slot.metadata === undefined)) return withSignature(slot)
  return [
    {
      type: slot.type,
      text: slot.text,
      ...(slot.metadata === undefined ? {} : { providerMetadata: slot.metadata }),
    },
  ]
}

/** Gemini puts the thought signature of an answer on an empty text part. */
function withSignature(slot: OpenText): readonly AssistantPart[] {
  const signed = Object.values(slot.metadata ?? {}).some(
    (value) => typeof value === 'object' && value !== null && 'thoughtSignature' in value,
  )
  return signed && slot.metadata !== undefined
    ? [{ type: slot.type, text: '', providerMetadata: slot.metadata }]
    : []
}

/** Arguments as the model sent them: JSON where they are JSON within our limits, else the text. Nothing at all means no arguments. */
function readArguments(input: string): ToolCallPart['arguments'] {
  if (input.trim() === '') return { json: {} }
  try {
    const json: unknown = JSON.parse(input)
    checkJson(json)
    return { json }
  } catch {
    return { malformed: input }
  }
}

/** A plain copy: what is stored must not hold class instances or undefined. */
function metadataOf(metadata: SharedV4ProviderMetadata | undefined): ProviderMetadata | undefined {
  if (metadata === undefined) return undefined
  const copy = JSON.parse(JSON.stringify(metadata)) as JsonObject
  return Object.keys(copy).length === 0 ? undefined : copy
}

/** Later facts win; a null does not erase what was said before. */
function mergeMetadata(
  before: JsonObject | undefined,
  after: JsonObject | undefined,
): JsonObject | undefined {
  if (before === undefined || after === undefined) return after ?? before
  const merged: Record<string, Json> = { ...before }
  for (const [provider, facts] of Object.entries(after)) {
    const known = before[provider]
    const isObject = typeof facts === 'object' && facts !== null && !Array.isArray(facts)
    if (!isObject || typeof known !== 'object' || known === null) merged[provider] = facts
    else
      merged[provider] = {
        ...known,
        ...Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== null)),
      }
  }
  return merged
}
