// Regular expressions that users write: accepted only when no text can make them run for long.
// Owns the judgement and the limits; never runs a pattern that it has not judged.
// Called by expressions (`matches`), by JSON Schema (`pattern`) and by whatever else takes a pattern from a tenant.

import { safeRegex } from 'safe-regex2'
import { AppError } from '../base/errors.ts'
import { countChoices, isUnambiguous } from './pattern-ambiguity.ts'
import { type Part, readPattern, UnjudgeableError } from './pattern-parts.ts'

const PATTERN_CHARS_MAX = 512
/** The longest text that any pattern is run on. */
const PATTERN_INPUT_CHARS_MAX = 100_000
const REPEAT_COUNT_MAX = 1_000
/** The largest product of nested counts, as in `((a{100}){100})`. */
const REPEAT_PRODUCT_MAX = 10_000
const REPEATS_MAX = 25
/** Single tries of the matcher in the worst case: below one second. */
const TRIES_MAX = 200_000_000
/** A pattern that could only be run on shorter texts than this is refused. */
const INPUT_CHARS_MIN = 100

export interface Pattern {
  readonly source: string
  readonly flags: string
  /** The longest text that it may be run on; the costlier the pattern, the shorter. */
  readonly inputCharsMax: number
  /** Throws `request.invalid` for a text that is too long. */
  test(text: string): boolean
  /**
   * The text with every match replaced by `replacement`, taken literally; undefined where nothing matches.
   * Throws as `test` does.
   */
  replace(text: string, replacement: string): string | undefined
}

/**
 * A pattern that is safe to run on any text up to `inputCharsMax`. Throws `definition.invalid` saying why not.
 *
 * Accepted are patterns in which every step is decided by the next character (linear from each starting place),
 * and ambiguous ones whose worst case is a bounded power of the text's length: no repetition is ambiguous within
 * itself, `safe-regex2` agrees, and the length of the text is limited so that the worst case stays below
 * 200 million tries. Refused are sources over 512 characters, references back to groups, look-arounds inside
 * repetitions, counts over 1,000, and the flags g, y, d and v.
 */
export function compilePattern(source: string, flags = 'u'): Pattern {
  const judged = judge(source, flags)
  if (typeof judged === 'string') {
    throw new AppError('definition.invalid', `The pattern ${shown(source)} cannot be used: ${judged}.`)
  }
  const { regExp, inputCharsMax } = judged
  const everyMatch = new RegExp(source, `${flags}g`)
  const checkLength = (text: string): void => {
    if (text.length <= inputCharsMax) return
    const limits = `the text has ${text.length} characters, the pattern ${shown(source)} takes ${inputCharsMax}`
    throw new AppError('request.invalid', `The text is too long to be compared with a pattern: ${limits}.`)
  }
  return {
    source,
    flags,
    inputCharsMax,
    test: (text) => {
      checkLength(text)
      return regExp.test(text)
    },
    replace: (text, replacement) => {
      checkLength(text)
      return regExp.test(text) ? text.replace(everyMatch, () => replacement) : undefined
    },
  }
}

/** Why the pattern cannot be used, as half a sentence, or undefined when it can. */
export function patternProblem(source: string, flags = 'u'): string | undefined {
  const judged = judge(source, flags)
  return typeof judged === 'string' ? judged : undefined
}

function judge(source: string, flags: string): { regExp: RegExp; inputCharsMax: number } | string {
  if (source.length > PATTERN_CHARS_MAX) return `it is longer than ${PATTERN_CHARS_MAX} characters`
  if (!/^[imsu]*$/.test(flags)) return 'only the flags i, m, s and u are allowed'
  let regExp: RegExp
  let whole: Part
  try {
    regExp = new RegExp(source, flags)
    whole = readPattern(source, flags)
  } catch (error) {
    if (error instanceof UnjudgeableError) return `it uses ${error.message}`
    return `it is not a regular expression${error instanceof SyntaxError ? ` (${reason(error)})` : ''}`
  }
  const repeats = countRepeats(whole)
  if (repeats.count > REPEATS_MAX) return `it has more than ${REPEATS_MAX} repetitions`
  if (repeats.product > REPEAT_PRODUCT_MAX) return `its repetitions count to more than ${REPEAT_COUNT_MAX}`
  const inputCharsMax = affordableChars(source, whole, repeats)
  if (inputCharsMax < INPUT_CHARS_MIN)
    return 'some texts would make it run for too long (nested or overlapping repetitions)'
  return { regExp, inputCharsMax }
}

/** The longest text on which the worst case stays below the limit; 0 where none does. */
function affordableChars(source: string, whole: Part, repeats: Repeats): number {
  const starts = isAnchored(whole) ? 0 : 1
  if (isUnambiguous(whole)) return charsFor(starts + (repeats.count > 0 ? 1 : 0), 1)
  const choices = countChoices(whole)
  if (choices === undefined || !safeRegex(source)) return 0
  return charsFor(starts + choices.loops, choices.ways * repeats.product)
}

function charsFor(power: number, ways: number): number {
  return Math.min(PATTERN_INPUT_CHARS_MAX, Math.floor((TRIES_MAX / ways) ** (1 / Math.max(power, 1))))
}

function isAnchored(part: Part): boolean {
  switch (part.type) {
    case 'anchor':
      return part.start
    case 'sequence': {
      const [first] = part.items
      return first !== undefined && isAnchored(first)
    }
    case 'choice':
      return part.options.every(isAnchored)
    default:
      return false
  }
}

interface Repeats {
  readonly count: number
  /** The largest product of nested finite counts. */
  readonly product: number
}

function countRepeats(part: Part): Repeats {
  switch (part.type) {
    case 'chars':
    case 'anchor':
      return { count: 0, product: 1 }
    case 'look':
      return countRepeats(part.item)
    case 'repeat': {
      const inside = countRepeats(part.item)
      const finite = Number.isFinite(part.max) ? part.max : part.min
      const product = finite > REPEAT_COUNT_MAX ? Infinity : inside.product * Math.max(finite, 1)
      return { count: inside.count + (part.max > 1 ? 1 : 0), product }
    }
    case 'sequence':
      return total(part.items)
    case 'choice':
      return total(part.options)
    default:
      return part satisfies never
  }
}

function total(parts: readonly Part[]): Repeats {
  const all = parts.map(countRepeats)
  return {
    count: all.reduce((sum, { count }) => sum + count, 0),
    product: Math.max(1, ...all.map(({ product }) => product)),
  }
}

function reason(error: SyntaxError): string {
  return error.message
    .slice(error.message.lastIndexOf(':') + 1)
    .trim()
    .toLowerCase()
}

function shown(source: string): string {
  return JSON.stringify(source.length > 60 ? `${source.slice(0, 60)}…` : source)
}
