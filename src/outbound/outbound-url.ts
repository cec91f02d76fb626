// The check of an outbound URL before any connection: scheme, port, name, and literal addresses.

import { isIP } from 'node:net'
import { AppError } from '../base/errors.ts'
import { isPublicAddress } from './address.ts'

/** What an outbound URL may look like. */
export interface UrlRules {
  readonly schemes: readonly ('https' | 'http')[]
  readonly ports: readonly number[]
  /** Exceptions, each `host:port` (IPv6 in brackets): for them scheme http, any port and any address are fine. */
  readonly allowHosts: ReadonlySet<string>
}

const URL_CHARS_MAX = 8_192
const DEFAULT_PORT: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }
const SHOWN_CHARS_MAX = 100
/** C0 controls, space and backslash: the URL parser strips or rewrites them, so two parsers could disagree. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const AMBIGUOUS = /[\u0000-\u0020\u007f\\]/
/** Names that are answered inside a network: by the host, a cloud's metadata service, a cluster or a home router. */
const INTERNAL_SUFFIXES = [
  'localhost',
  'localdomain',
  'local',
  'internal',
  'intranet',
  'private',
  'corp',
  'home',
  'lan',
  'svc',
  'home.arpa',
  'metadata.goog',
] as const

/**
 * The parsed URL, when it may be called. Throws `outbound.refused`, naming what was refused and why.
 * A name is checked again by its addresses when it is connected to (`connector.ts`).
 */
export function checkOutboundUrl(raw: string, rules: UrlRules): URL {
  if (raw.length > URL_CHARS_MAX) throw refused(raw, `the URL is longer than ${URL_CHARS_MAX} characters`)
  if (AMBIGUOUS.test(raw)) throw refused(raw, 'the URL contains a space, a backslash or a control character')
  const url = URL.parse(raw)
  if (url === null) throw refused(raw, 'it is not a complete URL such as https://example.com/path')
  if (DEFAULT_PORT[url.protocol] === undefined) {
    throw refused(
      raw,
      `the scheme "${url.protocol.slice(0, -1)}" is not allowed, only ${rules.schemes.join(', ')}`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw refused(url.host, 'the URL carries a user name or password; send them in a header')
  }
  if (rules.allowHosts.has(hostAndPort(url))) return url
  checkSchemeAndPort(url, rules)
  checkHost(url, raw)
  return url
}

/** `host:port` in the form of `UrlRules.allowHosts`, with the default port written out. */
export function hostAndPort(url: URL): string {
  return `${url.hostname.replace(/\.$/, '')}:${url.port === '' ? DEFAULT_PORT[url.protocol] : url.port}`
}

/** An error that names the target as its caller wrote it (never an address that a name resolved to). */
export function refused(target: string, reason: string): AppError {
  const shown = target.length > SHOWN_CHARS_MAX ? `${target.slice(0, SHOWN_CHARS_MAX)}…` : target
  return new AppError('outbound.refused', `The request to ${JSON.stringify(shown)} was refused: ${reason}.`)
}

function checkSchemeAndPort(url: URL, rules: UrlRules): void {
  const scheme = url.protocol.slice(0, -1)
  if (!rules.schemes.some((allowed) => allowed === scheme)) {
    throw refused(url.host, `the scheme "${scheme}" is not allowed, only ${rules.schemes.join(', ')}`)
  }
  const port = url.port === '' ? DEFAULT_PORT[url.protocol] : Number(url.port)
  if (port === undefined || !rules.ports.includes(port)) {
    throw refused(url.host, `the port ${port} is not allowed, only ${rules.ports.join(', ')}`)
  }
}

function checkHost(url: URL, raw: string): void {
  const literal = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
  if (isIP(literal) === 0) {
    checkName(url)
    return
  }
  // The parser turns 0x7f.1, 017700000001 and 2130706433 into four decimals; whoever writes those hides something.
  if (isIP(literal) === 4 && !hasPlainHost(raw, literal)) {
    throw refused(raw, 'the address is not written as four plain decimal numbers')
  }
  if (!isPublicAddress(literal)) throw refused(url.host, 'the address is not on the public internet')
}

function checkName(url: URL): void {
  const name = url.hostname.replace(/\.$/, '')
  if (!name.includes('.')) throw refused(url.host, 'a name without a dot belongs to an internal network')
  const suffix = INTERNAL_SUFFIXES.find((internal) => name === internal || name.endsWith(`.${internal}`))
  if (suffix !== undefined) throw refused(url.host, `names under "${suffix}" belong to an internal network`)
}

function hasPlainHost(raw: string, address: string): boolean {
  const after = raw.slice(raw.indexOf('//') + 2)
  return after.startsWith(address) && /^(?:[:/?#]|$)/.test(after.slice(address.length))
}
