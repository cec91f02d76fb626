// What code answers, as JSON: dates become texts, undefined becomes null, and what JSON cannot say is an error.

import { AppError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'

/** The JSON of a value. Throws `tool.output-invalid` for a bigint, a function or a cycle; `owner` says whose it is. */
export function toJson(value: unknown, owner: string): Json {
  if (value === undefined) return null
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unreadable'
    throw new AppError('tool.output-invalid', `${owner} is not JSON: ${reason}.`, { cause: error })
  }
  if (text === undefined)
    throw new AppError('tool.output-invalid', `${owner} is not JSON: a ${typeof value}.`)
  return JSON.parse(text) as Json
}
