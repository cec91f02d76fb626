// The parts of a regular expression, read from its source. JavaScript's own parser has accepted it before.

import {
  ANY_CHAR,
  type CharSet,
  complement,
  DIGITS,
  ignoringCase,
  LINE_ENDS,
  SPACES,
  WORD_CHARS,
} from './char-set.ts'

export type Part =
  | { readonly type: 'chars'; readonly set: CharSet }
  /** Matches no text: `^`, `$`, `\b`, `\B`. */
  | { readonly type: 'anchor'; readonly start: boolean }
  | { readonly type: 'sequence'; readonly items: readonly Part[] }
  | { readonly type: 'choice'; readonly options: readonly Part[] }
  | { readonly type: 'repeat'; readonly item: Part; readonly min: number; readonly max: number }
  | { readonly type: 'look'; readonly item: Part }

/** The source uses something that cannot be judged: a reference back to a group, or syntax we do not know. */
export class UnjudgeableError extends Error {
  override readonly name = 'UnjudgeableError'
}

const QUANTIFIER = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/
const GROUP_START = /^\((?:\?(?:(:)|(<?[=!])|<([^>]*)>)?)?/
const CLASS_ESCAPES: Readonly<Record<string, CharSet>> = {
  d: DIGITS,
  D: complement(DIGITS),
  w: WORD_CHARS,
  W: complement(WORD_CHARS),
  s: SPACES,
  S: complement(SPACES),
}
const CONTROL_ESCAPES: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 }

/** The parts of a valid source with some of the flags i, m, s and u. Throws `UnjudgeableError`. */
export function readPattern(source: string, flags: string): Part {
  const reader = { source, at: 0, flags }
  const whole = readChoice(reader)
  if (reader.at < source.length) throw new UnjudgeableError(`unexpected "${source[reader.at]}"`)
  return whole
}

interface Reader {
  readonly source: string
  readonly flags: string
  at: number
}

function readChoice(reader: Reader): Part {
  const options: Part[] = []
  do {
    options.push(readSequence(reader))
  } while (skip(reader, '|'))
  const [only] = options
  return options.length === 1 && only !== undefined ? only : { type: 'choice', options }
}

function readSequence(reader: Reader): Part {
  const items: Part[] = []
  while (reader.at < reader.source.length && !/[|)]/.test(reader.source.charAt(reader.at))) {
    items.push(readQuantified(reader, readAtom(reader)))
  }
  return { type: 'sequence', items }
}

function readQuantified(reader: Reader, item: Part): Part {
  const match = QUANTIFIER.exec(reader.source.slice(reader.at))
  if (match === null) return item
  reader.at += match[0].length
  if (match[1] === '*') return { type: 'repeat', item, min: 0, max: Infinity }
  if (match[1] === '+') return { type: 'repeat', item, min: 1, max: Infinity }
  if (match[1] === '?') return { type: 'repeat', item, min: 0, max: 1 }
  const min = Number(match[2])
  if (match[3] === undefined) return { type: 'repeat', item, min, max: min }
  return { type: 'repeat', item, min, max: match[4] === '' ? Infinity : Number(match[4]) }
}

function readAtom(reader: Reader): Part {
  const { source, at } = reader
  switch (source.charAt(at)) {
    case '^':
      reader.at += 1
      return { type: 'anchor', start: !reader.flags.includes('m') }
    case '$':
      reader.at += 1
      return { type: 'anchor', start: false }
    case '(':
      return readGroup(reader)
    case '.':
      reader.at += 1
      return { type: 'chars', set: reader.flags.includes('s') ? ANY_CHAR : complement(LINE_ENDS) }
    case '[':
      return { type: 'chars', set: readClass(reader) }
    case '\\':
      if (/[bB]/.test(source.charAt(at + 1))) {
        reader.at += 2
        return { type: 'anchor', start: false }
      }
      return { type: 'chars', set: folded(reader, readEscape(reader)) }
    default:
      return { type: 'chars', set: folded(reader, [readCodePoint(reader)]) }
  }
}

function readGroup(reader: Reader): Part {
  const match = GROUP_START.exec(reader.source.slice(reader.at))
  if (match === null || match[0] === '(?') throw new UnjudgeableError('an unknown kind of group')
  reader.at += match[0].length
  const item = readChoice(reader)
  if (!skip(reader, ')')) throw new UnjudgeableError('a group without end')
  return match[2] === undefined ? item : { type: 'look', item }
}

function readClass(reader: Reader): CharSet {
  reader.at += 1
  const negated = skip(reader, '^')
  const set: (readonly [number, number])[] = []
  while (!skip(reader, ']')) {
    if (reader.at >= reader.source.length) throw new UnjudgeableError('a class without end')
    const low = readClassItem(reader)
    const isRange = reader.source.charAt(reader.at) === '-' && reader.source.charAt(reader.at + 1) !== ']'
    const [single] = low
    if (isRange && low.length === 1 && single !== undefined && single[0] === single[1]) {
      reader.at += 1
      const high = readClassItem(reader)
      set.push(...low, ...high, [single[0], Math.max(single[0], ...high.map(([, to]) => to))])
    } else {
      set.push(...low)
    }
  }
  const wide = folded(reader, set)
  // Ignoring case, `wide` may be too large, and then its complement would be too small to be safe.
  return negated ? (reader.flags.includes('i') ? folded(reader, complement(set)) : complement(wide)) : wide
}

function readClassItem(reader: Reader): CharSet {
  if (reader.source.charAt(reader.at) !== '\\') return [readCodePoint(reader)]
  if (reader.source.charAt(reader.at + 1) !== 'b') return readEscape(reader)
  reader.at += 2
  return [[8, 8]]
}

function readEscape(reader: Reader): CharSet {
  const rest = reader.source.slice(reader.at + 1)
  const kind = rest.charAt(0)
  const named = CLASS_ESCAPES[kind]
  if (named !== undefined) return advance(reader, 2, named)
  if (/^[1-9k]/.test(rest)) throw new UnjudgeableError('a reference back to a group')
  const property = /^[pP]\{[^}]*\}/.exec(rest)
  if (property !== null) return advance(reader, property[0].length + 1, ANY_CHAR)
  const hex = /^(?:x([\da-f]{2})|u([\da-f]{4})|u\{([\da-f]+)\})/i.exec(rest)
  if (hex !== null) {
    const code = Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? '', 16)
    // Half of a surrogate pair: the other half decides, so it counts as any character.
    return advance(reader, hex[0].length + 1, code >= 0xd800 && code <= 0xdfff ? ANY_CHAR : [[code, code]])
  }
  const control = CONTROL_ESCAPES[kind]
  if (control !== undefined) return advance(reader, 2, [[control, control]])
  if (/[\da-z]/i.test(kind)) throw new UnjudgeableError(`the escape \\${kind}`)
  reader.at += 1
  return [readCodePoint(reader)]
}

function readCodePoint(reader: Reader): readonly [number, number] {
  const code = reader.source.codePointAt(reader.at)
  if (code === undefined) throw new UnjudgeableError('an unexpected end')
  reader.at += code > 0xffff ? 2 : 1
  // Without the flag u a pair of surrogates is two characters; any overlap is then possible.
  return code > 0xffff && !reader.flags.includes('u') ? [0, 0x10ffff] : [code, code]
}

function folded(reader: Reader, set: CharSet): CharSet {
  return reader.flags.includes('i') ? ignoringCase(set) : set
}

function advance(reader: Reader, by: number, set: CharSet): CharSet {
  reader.at += by
  return set
}

function skip(reader: Reader, text: string): boolean {
  if (!reader.source.startsWith(text, reader.at)) return false
  reader.at += text.length
  return true
}
