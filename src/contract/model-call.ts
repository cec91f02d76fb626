// Model calls as the prompt log answers them: one attempt each, with what was said where it was kept.

import { z } from 'zod'
import { jsonObject } from './definition.ts'
import { json, time, usd } from './fields.ts'

const providerMetadata = jsonObject.optional()

const assistantPart = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string(), providerMetadata }),
  z.object({ type: z.literal('reasoning'), text: z.string(), providerMetadata }),
  z.object({
    type: z.literal('tool_call'),
    callId: z.string(),
    tool: z.string(),
    /** `json` where it could be parsed, else the raw text as `malformed`. */
    arguments: z.union([z.strictObject({ json }), z.strictObject({ malformed: z.string() })]),
    providerMetadata,
  }),
])

const toolResult = z.object({
  callId: z.string(),
  tool: z.string(),
  output: z.discriminatedUnion('type', [
    z.object({ type: z.literal('json'), value: json }),
    z.object({ type: z.literal('error'), message: z.string() }),
  ]),
})

const message = z.discriminatedUnion('role', [
  z.object({ role: z.literal('user'), text: z.string() }),
  z.object({ role: z.literal('assistant'), parts: z.array(assistantPart) }),
  z.object({ role: z.literal('tool'), results: z.array(toolResult) }),
])

export const modelCall = z.object({
  id: z.string(),
  runId: z.string(),
  step: z.int(),
  attempt: z.int(),
  model: z.string(),
  responseModel: z.string().nullable(),
  responseId: z.string().nullable(),
  status: z.enum(['answered', 'failed', 'interrupted']),
  finishReason: z.string().nullable(),
  failure: z.object({ kind: z.string(), message: z.string(), httpStatus: z.int().nullable() }).nullable(),
  usage: z.object({
    /** `missing`: it may have cost money and nobody knows how much; `none`: certainly not billed. */
    state: z.enum(['known', 'missing', 'none']),
    inputTokens: z.int(),
    cachedInputTokens: z.int(),
    cacheWriteTokens: z.int(),
    outputTokens: z.int(),
    reasoningTokens: z.int(),
  }),
  costState: z.enum(['priced', 'unpriced', 'usage_missing']),
  costUsd: usd.nullable(),
  startedAt: time,
  firstTokenMs: z.int().nullable(),
  totalMs: z.int(),
  capture: z.enum(['full', 'redacted', 'metadata']),
})

/** With what was said; null where the tenant's capture policy kept only metadata. */
export const modelCallDetail = modelCall.extend({
  request: z
    .object({
      instructions: z.string(),
      messages: z.array(message),
      tools: json,
      settings: jsonObject,
      outputSchema: json,
    })
    .nullable(),
  response: z.array(assistantPart).nullable(),
})

export type ModelCall = z.infer<typeof modelCall>
export type ModelCallDetail = z.infer<typeof modelCallDetail>
