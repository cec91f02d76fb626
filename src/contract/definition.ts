// What agents, tools and workflows are made of, shared by the three.

import { z } from 'zod'
import type { JsonObject } from '../base/json.ts'
import { DESCRIPTION_CHARS_MAX, NAME_CHARS_MAX } from '../base/limits.ts'

/** Marks a schema whose keys belong to the user: never renamed between camelCase and snake_case. */
export const OPAQUE = 'opaque'

/** Any JSON object of the user's own (a JSON Schema, a tool's configuration, an input). */
export const jsonObject = z
  .custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    message: 'must be a JSON object',
  })
  .meta({ [OPAQUE]: true, type: 'object' })

export const agentName = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/, 'must be lower-case letters, digits and hyphens, and begin with a letter')
  .max(NAME_CHARS_MAX)
export const toolName = z
  .string()
  .regex(/^[a-zA-Z][a-zA-Z0-9_-]*$/, 'must be letters, digits, "_" and "-", and begin with a letter')
  .max(NAME_CHARS_MAX)
export const description = z.string().max(DESCRIPTION_CHARS_MAX)
export const modelName = z
  .string()
  .max(200)
  .regex(
    /^[a-z0-9][a-z0-9_-]*\/\S+$/,
    'must be "provider/model", for example "openai/gpt-5-mini" or "offline/extractive"',
  )
export const usdAmount = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,9})?$/, 'must be a decimal text of USD, for example "0.50"')

export type DefinitionKind = 'agent' | 'tool' | 'workflow'
