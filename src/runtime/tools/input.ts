// Reading the checked input of a tool.

import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'

/** The input as an object; the schema of every built-in tool demands one. */
export function objectInput(input: Json): JsonObject {
  return isJsonObject(input) ? input : {}
}

export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The texts of an object of texts; numbers and booleans count as their text, everything else is left out. */
export function textsOf(value: Json | undefined): Record<string, string> {
  if (!isJsonObject(value)) return {}
  const texts: Record<string, string> = {}
  for (const [key, item] of Object.entries(value)) {
    if (typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean')
      texts[key] = String(item)
  }
  return texts
}
