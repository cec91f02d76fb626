// The identity of content: canonical JSON (RFC 8785) of the wire form, and its SHA-256.

import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { Json } from '../base/json.ts'

export interface Content {
  /** Canonical JSON: the same content is the same text. */
  readonly body: string
  /** SHA-256 of `body` in UTF-8, in hexadecimal. */
  readonly digest: string
}

/** Undefined where the value has no canonical form: half a surrogate pair, a number that is not finite, a bigint. */
export function contentOf(wire: Json): Content | undefined {
  let body: string | undefined
  try {
    body = canonicalize(wire)
  } catch {
    return undefined
  }
  return body === undefined
    ? undefined
    : { body, digest: createHash('sha256').update(body, 'utf8').digest('hex') }
}
