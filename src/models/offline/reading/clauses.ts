// Splits a message into the questions that it asks.

import { findArithmetic } from './arithmetic.ts'
import { contentStems } from './words.ts'

/** A message of more questions is cut off: each may become a tool call. */
const CLAUSES_MAX = 6
const LEAD = '(?:(?:also|then|please|now|so|and|but)[\\s,]+)*'
/** What a new question begins with, after `and`, a comma or a semicolon. */
const ASKS = new RegExp(
  `^${LEAD}(?:(?:at|until|since|from|for)\\s+)?(?:what|what's|whats|who|who's|whose|where|where's|when|when's|why|how|how's|which|is|are|was|were|do|does|did|has|have|can|could|should|will|would|tell|show|explain|describe)\\b`,
  'i',
)
/** What an order begins with; after `How do I create` another verb is part of the same question. */
const ORDERS = new RegExp(
  `^${LEAD}(?:list|give|find|search|look|get|fetch|calculate|compute|convert|check|compare|summari[sz]e|send|create|cancel|refund|delete|remove|update|book|track|place|buy|add|subtract|multiply|divide)\\b`,
  'i',
)
const SEPARATOR =
  /\s*(?:[?!]+|\.(?=\s|$)|;|\n+)\s*|\s*,?\s+(?:and|then|but|plus also|as well as)\s+|\s*,\s+/gi
/** `, and` joins; a full stop separates in any case. */
const HARD = /[?!;\n]|\.\s*$/
const READ_CHARS_MAX = 16_000

export interface Clause {
  readonly text: string
  /** A question or an order, and not something that is only told. */
  readonly asks: boolean
}

export function clauses(text: string): readonly Clause[] {
  // Of a text that is too long, the end: there people ask.
  const source = text.slice(-READ_CHARS_MAX)
  const parts: Clause[] = []
  let current = ''
  let at = 0
  const push = (mark: string): void => {
    const part = current.trim()
    if (part !== '' && !parts.some((known) => known.text === part))
      parts.push({ text: part, asks: mark.includes('?') || ASKS.test(part) || ORDERS.test(part) })
    current = ''
  }
  const quoted = quotedRanges(source)
  for (const match of source.matchAll(SEPARATOR)) {
    if (quoted.some(([from, to]) => match.index > from && match.index < to)) continue
    const piece = source.slice(at, match.index)
    const rest = source.slice(match.index + match[0].length)
    const mark = match[0].trim()
    current += piece
    if (HARD.test(mark) || beginsQuestion(rest, current)) push(mark)
    else current += match[0]
    at = match.index + match[0].length
  }
  current += source.slice(at)
  push('')
  return mostAsking(parts.filter((part) => contentStems(part.text).length > 0))
}

/** The first ones in their order; where there are too many, those that ask. */
function mostAsking(parts: readonly Clause[]): readonly Clause[] {
  if (parts.length <= CLAUSES_MAX) return parts
  const asking = parts.filter(({ asks }) => asks)
  return asking.length > 0 ? asking.slice(0, CLAUSES_MAX) : parts.slice(0, CLAUSES_MAX)
}

/** Whether what follows is a question of its own: it begins like one, or is a sum. */
function beginsQuestion(rest: string, before: string): boolean {
  if (ASKS.test(rest)) return true
  if (ORDERS.test(rest)) return !ASKS.test(before.trim())
  const next = rest.split(/[?!;,\n]|\sand\s/, 1)[0] ?? ''
  return findArithmetic(next) !== undefined && contentStems(next.replace(/[\d\W]+/g, ' ')).length === 0
}

function quotedRanges(text: string): readonly (readonly [number, number])[] {
  return [...text.matchAll(/"[^"]{1,500}"|“[^”]{1,500}”|`[^`]{1,500}`/g)].map((match) => [
    match.index,
    match.index + match[0].length,
  ])
}
