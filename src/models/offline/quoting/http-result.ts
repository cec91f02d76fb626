// What an HTTP tool returned, without what belongs to the transport. Pure.

import { isJsonObject, type Json } from '../../../base/json.ts'

const TRANSPORT: ReadonlySet<string> = new Set(['status', 'body', 'headers', 'truncated'])
const MESSAGES = ['detail', 'message', 'error_description', 'error', 'title', 'reason']

/** The body of `{status, body}`; any other value as it is. An answer that failed keeps its status. */
export function withoutTransport(value: Json): Json {
  if (!isJsonObject(value) || !Object.keys(value).every((name) => TRANSPORT.has(name))) return value
  const { status, body = null } = value
  if (typeof status !== 'number' || status < 100 || status > 599) return value
  if (status < 400) return body
  return { status, message: messageIn(body) ?? body }
}

const REFUSED = /^[A-Z]+ \S+ answered with status (\d{3})(?:: (.*))?$/s

/** `There is no order 9999. (status 404)` of an error that carries the server's JSON; other errors as they are. */
export function errorText(message: string): string {
  const plain = message.replace(/\s+/g, ' ').trim()
  const [, status, rest = ''] = REFUSED.exec(plain) ?? []
  if (status === undefined || !rest.startsWith('{')) return plain
  try {
    const said = messageIn(JSON.parse(rest) as Json)
    return said === undefined ? plain : `${said} (status ${status})`
  } catch {
    return plain
  }
}

function messageIn(body: Json): string | undefined {
  if (!isJsonObject(body)) return undefined
  const inner = MESSAGES.map((name) => body[name]).find((value) => value !== undefined && value !== null)
  if (typeof inner === 'string' && inner.trim() !== '') return inner.trim()
  return inner !== undefined && isJsonObject(inner) ? messageIn(inner) : undefined
}
