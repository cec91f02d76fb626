// The tool definition: what a model is told of a tool, and how the platform runs it.

import { z } from 'zod'
import { description, jsonObject, toolName } from './definition.ts'

export const TOOL_TIMEOUT_MS_MAX = 900_000

/** What another run of the same call would do: nothing (`read`), the same again (`idempotent`), or it a second time (`once`). */
export const toolEffect = z.enum(['read', 'idempotent', 'once'])

const builtin = z.strictObject({ type: z.literal('builtin'), name: toolName, config: jsonObject.optional() })
/** A function that the host's own TypeScript registered under this name. */
const code = z.strictObject({ type: z.literal('code'), name: toolName })

const httpParameter = z.strictObject({
  /** The property of the tool's input. */
  property: z.string().min(1).max(200),
  name: z.string().min(1).max(200),
  in: z.enum(['path', 'query', 'header', 'cookie']),
  required: z.boolean().optional(),
  style: z.enum(['form', 'simple', 'spaceDelimited', 'pipeDelimited', 'deepObject']).optional(),
  explode: z.boolean().optional(),
})

const http = z.strictObject({
  type: z.literal('http'),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']),
  baseUrl: z.url({ protocol: /^https?$/ }).max(2_000),
  path: z.string().max(2_000),
  parameters: z.array(httpParameter).max(100).optional(),
  /** The property of the input that is the request's body, and its media type. */
  body: z.strictObject({ property: z.string().max(200), mediaType: z.string().max(200) }).optional(),
  headers: z.record(z.string().max(200), z.string().max(2_000)).meta({ opaque: true }).optional(),
})

export const toolImplementation = z.discriminatedUnion('type', [builtin, code, http])

export const toolDefinition = z.strictObject({
  name: toolName,
  description: description,
  /** JSON Schema 2020-12 of the arguments; built-in tools bring their own. */
  inputSchema: jsonObject.optional(),
  outputSchema: jsonObject.optional(),
  effect: toolEffect.optional(),
  timeoutMs: z.int().min(1).max(TOOL_TIMEOUT_MS_MAX).optional(),
  /** How often a `read` or `idempotent` call may be tried; a `once` call is tried once. */
  maxAttempts: z.int().min(1).max(10).optional(),
  /** `auto` asks a person before a `once` call when text from outside is in the run's context. */
  approval: z.enum(['never', 'auto', 'always']).optional(),
  /** The output comes from outside and may try to steer the agent. */
  untrusted: z.boolean().optional(),
  implementation: toolImplementation,
})

export type ToolDefinition = z.infer<typeof toolDefinition>
export type HttpImplementation = z.infer<typeof http>
export type ToolEffect = z.infer<typeof toolEffect>
