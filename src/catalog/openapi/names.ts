// Names for tools and their arguments, made from whatever stands in a document.

import { NAME_CHARS_MAX } from '../../base/limits.ts'

/** Makes names of tools unique: the second `list` becomes `list_2`. */
export function createToolNames(): (name: string) => string {
  const taken = new Set<string>()
  return (name) => {
    const unique = uniqueName(name, (candidate) => taken.has(candidate.toLowerCase()))
    taken.add(unique.toLowerCase())
    return unique
  }
}

/** `GET /pets/{id}` becomes `get_pets_id`: letters, digits, "_" and "-", beginning with a letter. */
export function toolNameFrom(text: string): string {
  const plain = plainName(text.replaceAll(/[{}]/g, ''))
  const name = /^[a-zA-Z]/.test(plain) ? plain : `op_${plain}`
  return name.slice(0, NAME_CHARS_MAX)
}

/** Names of arguments, as every model's provider takes them: `filter[name]` becomes `filter_name`. */
export function argumentNameFrom(text: string, isTaken: (name: string) => boolean): string {
  return uniqueName(plainName(text).slice(0, NAME_CHARS_MAX) || 'value', isTaken)
}

function plainName(text: string): string {
  return text.replaceAll(/[^a-zA-Z0-9_-]+/g, '_').replace(/^_+|_+$/g, '')
}

function uniqueName(name: string, isTaken: (name: string) => boolean): string {
  let unique = name
  for (let count = 2; isTaken(unique); count++) {
    const suffix = `_${count}`
    unique = name.slice(0, NAME_CHARS_MAX - suffix.length) + suffix
  }
  return unique
}
