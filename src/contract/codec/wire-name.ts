// Names at the edge: camelCase in TypeScript, snake_case on the wire.

const known = new Map<string, string>()

/** `firstTokenMs` becomes `first_token_ms`. A name that is in snake_case already stays as it is. */
export function wireName(name: string): string {
  const found = known.get(name)
  if (found !== undefined) return found
  const made = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  known.set(name, made)
  return made
}

/** The JSON Pointer (RFC 6901) of a place below another: `~` and `/` in the name are escaped. */
export function pointerBelow(at: string, name: PropertyKey): string {
  return `${at}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`
}
