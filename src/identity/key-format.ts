// The form of an API key: `af_`, 43 characters of randomness, 6 of checksum. Pure; it knows no database.
// The checksum refuses a mistyped or cut key before anything is hashed or asked.

import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

const MARK = 'af_'
const RANDOM_BYTES = 32
/** 62^43 is the first power of 62 above 2^256, and 62^6 the first above 2^32. */
const RANDOM_CHARS = 43
const CHECK_CHARS = 6
const KEY_CHARS = MARK.length + RANDOM_CHARS + CHECK_CHARS
const PREFIX_CHARS = MARK.length + 8
const FORM = /^af_[0-9A-Za-z]{49}$/
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** A new key with 256 bits of randomness. */
export function newApiKey(random: Uint8Array = randomBytes(RANDOM_BYTES)): string {
  const body = base62(BigInt(`0x${Buffer.from(random).toString('hex')}`), RANDOM_CHARS)
  return `${MARK}${body}${checksum(body)}`
}

/**
 * Whether the text has the form of a key and its checksum is right. A CRC-32 finds every change within 32 neighbouring
 * bits (Koopman, "32-Bit Cyclic Redundancy Codes for Internet Applications", 2002), so every one-character change.
 */
export function isApiKey(text: string): boolean {
  if (text.length !== KEY_CHARS || !FORM.test(text)) return false
  const body = text.slice(MARK.length, MARK.length + RANDOM_CHARS)
  return text.endsWith(checksum(body))
}

/** What is stored instead of the key. A plain SHA-256 is enough: the key has 256 bits of randomness, nobody guesses it. */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

/** The first characters, to recognise a key by; 208 bits stay secret. */
export function prefixOf(key: string): string {
  return key.slice(0, PREFIX_CHARS)
}

function checksum(body: string): string {
  return base62(BigInt(crc32(body)), CHECK_CHARS)
}

function base62(value: bigint, width: number): string {
  let text = ''
  let rest = value
  for (let at = 0; at < width; at++) {
    text = ALPHABET.charAt(Number(rest % 62n)) + text
    rest /= 62n
  }
  return text
}
