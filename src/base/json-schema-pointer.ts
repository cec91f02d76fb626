// JSON Pointers (RFC 6901) into documents, as texts and as references of a schema.

import type { Json } from './json.ts'

/** The pointer to a value below these keys; `''` is the whole document. */
export function toPointer(keys: readonly (string | number)[]): string {
  return keys.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

export interface Resolved {
  /** In the form of `toPointer`, whatever the reference escaped. */
  readonly pointer: string
  readonly value: Json
}

/** What the reference (`#`, `#/…`) points to in the document; undefined for anything else and for nothing. */
export function resolvePointer(reference: string, document: Json): Resolved | undefined {
  if (reference !== '#' && !reference.startsWith('#/')) return undefined
  let text: string
  try {
    text = decodeURIComponent(reference.slice(1))
  } catch {
    return undefined
  }
  const keys = text
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  let value: Json | undefined = document
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as { readonly [key: string]: Json })[key]
  }
  return value === undefined ? undefined : { pointer: toPointer(keys), value }
}
