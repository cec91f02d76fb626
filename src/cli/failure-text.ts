// What a user reads when a command fails: one line that says what to do next. Causes are for those who debug.

import { type FieldError, isAppError } from '../base/errors.ts'
import { ApiError, ConnectionError } from '../sdk/api-error.ts'
import { CliFailure } from './cli-failure.ts'
import { oneLine } from './output/escape.ts'

const FIELDS_SHOWN_MAX = 8
const CAUSES_SHOWN_MAX = 8

/** One line, without control characters, whatever the server said. */
export function failureText(error: unknown): string {
  return oneLine(textOf(error))
}

/** The stack of the error and of what caused it, for `AGENT_FACTORY_DEBUG=1`. */
export function causeLines(error: unknown): readonly string[] {
  const lines: string[] = []
  let current: unknown = error
  for (let depth = 0; current !== undefined && current !== null && depth < CAUSES_SHOWN_MAX; depth++) {
    const text = current instanceof Error ? (current.stack ?? current.message) : String(current)
    lines.push(...text.split('\n').map(oneLine))
    current = current instanceof Error ? current.cause : undefined
  }
  return lines
}

function textOf(error: unknown): string {
  if (error instanceof CliFailure) return error.message
  if (error instanceof ApiError) return apiText(error)
  if (error instanceof ConnectionError) {
    return `${error.message} Is it running? Start it with "agent-factory serve", or check --api-url.`
  }
  if (isAppError(error)) return withFields(error.message, error.errors)
  const message = error instanceof Error ? error.message : String(error)
  return `${message} (unexpected; AGENT_FACTORY_DEBUG=1 shows where)`
}

function apiText(error: ApiError): string {
  const next = nextStep(error)
  const request =
    error.code === 'internal' && error.requestId !== undefined ? ` (request ${error.requestId})` : ''
  return `${withFields(error.message, error.errors)}${request}${next === undefined ? '' : ` ${next}`}`
}

function withFields(message: string, fields: readonly FieldError[]): string {
  // Where there is one wrong field, the message often is that field's.
  const told = fields.filter((field) => !message.includes(field.message))
  if (told.length === 0) return message
  const shown = told.slice(0, FIELDS_SHOWN_MAX).map(({ path, message: what }) => `${path} ${what}`.trim())
  const more = told.length > FIELDS_SHOWN_MAX ? `; and ${told.length - FIELDS_SHOWN_MAX} more` : ''
  return `${message} ${shown.join('; ')}${more}`
}

function nextStep({ code }: ApiError): string | undefined {
  if (code.startsWith('auth.'))
    return 'Give a key with --api-key or AGENT_FACTORY_API_KEY, or run "agent-factory auth login".'
  const [thing = '', what] = code.split('.')
  if (what === 'not-found' && ['agent', 'tool', 'workflow', 'run'].includes(thing))
    return `"agent-factory ${thing} list" shows what there is.`
  return undefined
}
