// JSON or YAML from files and arguments: parsed with limits, and held against the schema that it must follow.

import { parse } from 'yaml'
import type { z } from 'zod'
import { AppError, isAppError } from '../../base/errors.ts'
import { checkJson, type Json, parseJson } from '../../base/json.ts'
import { codecOf } from '../../contract/codec.ts'
import { usage } from '../cli-failure.ts'

/** Names that stand for other parts, as YAML allows, can make a small file enormous. */
const ALIASES_MAX = 50

/** The value of a text in JSON or YAML. `what` names it in the message. */
export function parseDocument(text: string, what: string): Json {
  try {
    if (/^\s*[[{]/.test(text)) return parseJson(text)
    const value: unknown = parse(text, { maxAliasCount: ALIASES_MAX, prettyErrors: true })
    checkJson(value)
    return value
  } catch (cause) {
    if (isAppError(cause)) throw usage(`${what}: ${cause.message}`, { cause })
    const [reason = ''] = cause instanceof Error ? cause.message.split('\n') : []
    throw usage(`${what} is neither JSON nor YAML: ${reason.replace(/:$/, '')}.`, { cause })
  }
}

/** The JSON of an argument such as `--input '{"a": 1}'`. */
export function parseArgument(text: string, name: string): Json {
  try {
    return parseJson(text)
  } catch (cause) {
    const reason = isAppError(cause) ? ` ${cause.message}` : ''
    throw usage(`${name} must be JSON, in quotes for your shell.${reason}`, { cause })
  }
}

/** The value as a schema accepts it. Throws `definition.invalid` with every wrong field. */
export function decoded<S extends z.ZodType>(schema: S, wire: Json, what: string): z.output<S> {
  const result = codecOf(schema).decode(wire)
  if (result.ok) return result.value
  throw new AppError('definition.invalid', `${what} is not right:`, { errors: result.errors })
}
