// Parsers of settings: each takes the text of a variable and answers the value, or undefined where it is not allowed.

import { type Secret, secret } from './secret.ts'

const WHOLE_NUMBER = /^\d{1,12}$/
const PROVIDER_NAME = /^[a-z][a-z0-9-]{0,31}$/
const FOLDER_NAME = /^[a-z][a-z0-9_-]{0,63}$/
const HOST_PORT = /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?):(\d{1,5})$/i
const HOST = /^(?:[0-9a-f:.]+|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)$/i
const PORT_MAX = 65_535
/** Entries of a list in one variable. */
const LIST_MAX = 100

export function parseWhole(min: number, max: number): (text: string) => number | undefined {
  return (text) => {
    const value = WHOLE_NUMBER.test(text) ? Number(text) : Number.NaN
    return value >= min && value <= max ? value : undefined
  }
}

export function parseOneOf<T extends string>(...values: readonly T[]): (text: string) => T | undefined {
  return (text) => values.find((value) => value === text)
}

/** A key as providers give them: one printable word. */
export function parseKey(text: string): Secret | undefined {
  return /^[\x21-\x7e]{1,4096}$/.test(text) ? secret(text) : undefined
}

export function parseHost(text: string): string | undefined {
  return HOST.test(text) ? text : undefined
}

/** An http(s) address without a user, a password, a query or a fragment; without the slash at its end. */
export function parseHttpUrl(text: string): string | undefined {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return undefined
  return url.href.replace(/\/+$/, '')
}

/** `a,b,c`; each entry by `parse`; none of them wrong and none twice. */
export function parseList<T>(
  parse: (text: string) => T | undefined,
): (text: string) => readonly T[] | undefined {
  return (text) => {
    const texts = text.split(',').map((part) => part.trim())
    const entries = texts.filter((part) => part !== '')
    if (entries.length > LIST_MAX || new Set(entries).size !== entries.length) return undefined
    const values = entries.map(parse)
    return values.every((value) => value !== undefined) ? values : undefined
  }
}

export interface Named {
  readonly name: string
  readonly value: string
}

/** `name=value`, with a name of lower-case letters, digits and hyphens. */
export function parseNamedUrl(text: string): Named | undefined {
  const [name, value] = halves(text)
  const url = parseHttpUrl(value)
  return PROVIDER_NAME.test(name) && url !== undefined ? { name, value: url } : undefined
}

export function parseNamedPath(text: string): Named | undefined {
  const [name, value] = halves(text)
  return FOLDER_NAME.test(name) && value !== '' && !value.includes('\0') ? { name, value } : undefined
}

/** `host:port`, as the exceptions of the outbound guard are written. */
export function parseHostPort(text: string): string | undefined {
  const match = HOST_PORT.exec(text)
  const port = Number(match?.[1])
  return match !== null && port >= 1 && port <= PORT_MAX ? text.toLowerCase() : undefined
}

/** A web origin (`https://app.example.com`), or `*`. */
export function parseOrigin(text: string): string | undefined {
  if (text === '*') return text
  return URL.parse(text)?.origin === text && text !== 'null' ? text : undefined
}

/** `name=value,name=value` with percent-encoded values, as OpenTelemetry's specification of the variable says. */
export function parseHeaders(text: string): Readonly<Record<string, Secret>> | undefined {
  const headers: Record<string, Secret> = Object.create(null)
  for (const entry of text.split(',').filter((part) => part.trim() !== '')) {
    const [name, value] = halves(entry)
    const decoded = percentDecoded(value)
    if (!/^[a-z0-9-]{1,100}$/i.test(name) || decoded === undefined) return undefined
    headers[name.toLowerCase()] = secret(decoded)
  }
  return headers
}

export type DatabaseSetting =
  | { readonly engine: 'sqlite'; readonly path: string }
  | { readonly engine: 'postgres'; readonly url: Secret }

/** `sqlite:path`, `sqlite::memory:` or `postgres://…`. */
export function parseDatabaseUrl(text: string): DatabaseSetting | undefined {
  if (text.startsWith('sqlite:')) {
    const path = text.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')
    return path === '' || path.includes('\0') ? undefined : { engine: 'sqlite', path }
  }
  const url = URL.parse(text)
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === '') return undefined
  return { engine: 'postgres', url: secret(text) }
}

function halves(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  return at < 0 ? [text.trim(), ''] : [text.slice(0, at).trim(), text.slice(at + 1).trim()]
}

function percentDecoded(text: string): string | undefined {
  try {
    const value = decodeURIComponent(text)
    return /[\r\n\0]/.test(value) ? undefined : value
  } catch {
    return undefined
  }
}
