// One log record as a short line for a person: time, level, message, then what else it holds.

import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

const STYLE_BY_LEVEL: Readonly<Record<string, Style>> = {
  trace: 'gray',
  debug: 'gray',
  info: 'cyan',
  warn: 'yellow',
  error: 'red',
  fatal: 'magenta',
}
/** Written at the start of the line or not worth a place on it. */
const SHOWN_ELSEWHERE: ReadonlySet<string> = new Set([
  'time',
  'level',
  'message',
  'error',
  'service',
  'version',
  'pid',
])
/** C0, DEL, C1, line and paragraph separators, direction marks: they move the cursor, break or reorder the line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** `12:00:00.123 info  run completed  run_id=run_… ms=12`, ended by a line break. Text that is no record comes back escaped. */
export function prettyLine(json: string, color: boolean): string {
  const record = parsed(json)
  if (record === undefined) return `${escaped(json.trim())}\n`
  const paint = (style: Style, text: string): string =>
    color ? styleText(style, text, { validateStream: false }) : text
  const level = String(record.level ?? '')
  const time = String(record.time ?? '').slice(11, 23)
  const facts = Object.entries(record).filter(([name]) => !SHOWN_ELSEWHERE.has(name))
  const shown = facts.map(([name, value]) => `${paint('gray', `${escaped(name)}=`)}${escaped(textOf(value))}`)
  const head = `${paint('gray', time)} ${paint(STYLE_BY_LEVEL[level] ?? 'reset', level.padEnd(5))} ${escaped(String(record.message ?? ''))}`
  return `${[head, ...shown].join('  ')}\n${errorLines(record.error)}`
}

/** The same text without a character that could forge or hide a line. */
export function escaped(text: string): string {
  return text.replace(CONTROL, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function parsed(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

/** The stack below the line, indented: the only part that takes several lines, each of them escaped. */
function errorLines(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  const stack = 'stack' in error && typeof error.stack === 'string' ? error.stack : textOf(error)
  const cause = 'cause' in error ? errorLines(error.cause) : ''
  return `${stack
    .split('\n')
    .map((line) => `    ${escaped(line)}\n`)
    .join('')}${cause}`
}
