// JSON from outside: parsed with limits, free of keys that reach prototypes.

import { AppError } from './errors.ts'
import { JSON_DEPTH_MAX, JSON_NODES_MAX } from './limits.ts'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Parses JSON text from outside. Throws `request.malformed` with what is wrong:
 * not JSON, nested too deep, too many values, or a forbidden key.
 */
export function parseJson(text: string): Json {
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message.replace(/\s+/g, ' ') : 'unreadable'
    throw new AppError('request.malformed', `The text is not JSON: ${reason}.`)
  }
  checkJson(value)
  return value
}

/** Refuses a value that is nested too deep, too large, or has a key that could reach a prototype. */
export function checkJson(value: unknown): asserts value is Json {
  let nodes = 0
  const visit = (node: unknown, depth: number): void => {
    nodes += 1
    if (nodes > JSON_NODES_MAX)
      throw new AppError('request.malformed', `The JSON has more than ${JSON_NODES_MAX} values.`)
    if (typeof node === 'string') checkText(node)
    if (typeof node !== 'object' || node === null) return
    if (depth >= JSON_DEPTH_MAX)
      throw new AppError('request.malformed', `The JSON is nested deeper than ${JSON_DEPTH_MAX} levels.`)
    if (Array.isArray(node)) {
      for (const item of node) visit(item, depth + 1)
      return
    }
    for (const key of Object.keys(node)) {
      if (FORBIDDEN_KEYS.has(key))
        throw new AppError('request.malformed', `The key "${key}" is not allowed in JSON.`)
      checkText(key)
      visit((node as Record<string, unknown>)[key], depth + 1)
    }
  }
  visit(value, 0)
}

/** The character U+0000 is no text: Postgres does not store it, and some programs end a text there. */
function checkText(text: string): void {
  if (text.includes('\0'))
    throw new AppError(
      'request.malformed',
      'The JSON has a text with the character U+0000, which is not allowed.',
    )
}

/** A text from a model or a tool without the character U+0000. */
export function withoutNul(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '') : text
}
