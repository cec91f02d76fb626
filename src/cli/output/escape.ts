// Text from outside, made harmless for a terminal: nothing in it moves the cursor, changes colours or reorders a line.

/** C0 without tab and line feed, DEL, C1, line separators, marks and overrides of direction. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** The same text, lines and tabs kept, other control characters as `\u001b`. */
export function visible(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(CONTROL, escapeOf)
}

/** The same text in one line: white space becomes one blank each. */
export function oneLine(text: string): string {
  return text
    .replace(/\s*[\r\n]+\s*/g, ' ')
    .replaceAll('\t', ' ')
    .replace(CONTROL, escapeOf)
    .trim()
}

/** JSON that means the same and cannot steer a terminal. */
export function visibleJson(json: string): string {
  // JSON.stringify escapes C0; line feeds that are left are its own.
  return json.replace(CONTROL, escapeOf)
}

function escapeOf(mark: string): string {
  return `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`
}
