// A value in few words, for messages: never long, never with control characters.

const TEXT_CHARS_MAX = 40

/** What the value is, in a few words: `"abc"`, `12`, `an array of 3`, `an object`, `nothing`. */
export function summarize(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (typeof value === 'string') return quote(value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object') return 'an object'
  return String(value)
}

/** The text in quotes, cut where it is long, with control characters (and what reverses text) written as escapes. */
export function quote(text: string): string {
  const cut = text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…` : text
  return JSON.stringify(cut.toWellFormed()).replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, escapeChar)
}

function escapeChar(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}
