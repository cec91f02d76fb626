// A text that is the same for the same call, whatever the order of its keys.

import canonicalize from 'canonicalize'
import type { Json } from '../../base/json.ts'

/** RFC 8785 canonical JSON of the arguments, behind the tool's name. */
export function stableKey(tool: string, input: Json): string {
  return `${tool} ${canonicalize(input) ?? 'null'}`
}
