// What an answer is bound to: the arguments, as one text that does not depend on the order of keys, hashed.

import { createHash } from 'node:crypto'
import type { Json } from '../../base/json.ts'
import { contentOf } from '../../catalog/digest.ts'

/** SHA-256 in hexadecimal of the canonical JSON (RFC 8785). What has no canonical form is hashed as it is written. */
export function argumentsHash(value: Json): string {
  const content = contentOf(value)
  return content?.digest ?? createHash('sha256').update(JSON.stringify(value), 'utf8').digest('hex')
}
