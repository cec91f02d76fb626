// Definitions as YAML: the core schema, no aliases, no tags.

import { parseDocument } from 'yaml'
import { AppError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import { checkJson } from '../../base/json.ts'
import { refuseUnstorable } from './unstorable.ts'

export const YAML_TYPES: ReadonlySet<string> = new Set([
  'application/yaml',
  'application/x-yaml',
  'text/yaml',
])
/** YAML is read slower than JSON. */
const YAML_CHARS_MAX = 262_144

/** The JSON that a YAML text says. Throws `request.malformed` with the place of the fault. */
export function parseYaml(text: string): Json {
  if (text.length > YAML_CHARS_MAX) {
    throw new AppError('request.too-large', `YAML may have at most ${YAML_CHARS_MAX} characters.`)
  }
  const value = read(text)
  checkJson(value)
  refuseUnstorable(value)
  return value
}

function read(text: string): unknown {
  try {
    const document = parseDocument(text, { version: '1.2', schema: 'core', merge: false, logLevel: 'silent' })
    // A tag that is unknown is only warned of; here it is refused.
    const fault = document.errors[0] ?? document.warnings[0]
    if (fault) throw fault
    return document.toJS({ maxAliasCount: 0 })
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '').slice(0, 200) : 'unreadable'
    throw new AppError('request.malformed', `The text is not YAML that can be read here: ${reason}`)
  }
}
