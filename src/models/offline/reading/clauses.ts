// Splits a message into the questions that it asks.

import { findArithmetic } from './arithmetic.ts'
import { contentStems } from './words.ts'

/** A message of more questions is cut off: each may become a tool call. */
const CLAUSES_MAX = 6
/** What a new question begins with, after `and`, a comma or a semicolon. */
const STARTS =
  /^(?:(?:also|then|please|now)\s+)*(?:what|what's|whats|who|where|when|why|how|which|is|are|was|were|do|does|did|can|could|should|will|would|tell|show|list|give|find|search|look|get|fetch|calculate|compute|convert|check|compare|explain|describe|summari[sz]e|send|create|cancel|refund|delete|remove|update|book|track)\b/i
const SEPARATOR =
  /\s*(?:[?!]+|\.(?=\s|$)|;|\n+)\s*|\s*,?\s+(?:and|then|but|plus also|as well as)\s+|\s*,\s+/gi
/** `, and` joins; a full stop separates in any case. */
const HARD = /[?!;\n]|\.\s*$/
const READ_CHARS_MAX = 8_000

export function clauses(text: string): readonly string[] {
  const source = text.slice(0, READ_CHARS_MAX)
  const parts: string[] = []
  let current = ''
  let at = 0
  const push = (): void => {
    if (current.trim() !== '') parts.push(current.trim())
    current = ''
  }
  const quoted = quotedRanges(source)
  for (const match of source.matchAll(SEPARATOR)) {
    if (quoted.some(([from, to]) => match.index > from && match.index < to)) continue
    const piece = source.slice(at, match.index)
    const rest = source.slice(match.index + match[0].length)
    const isHard = HARD.test(match[0].trim())
    current += piece
    if (isHard || beginsQuestion(rest)) push()
    else current += match[0]
    at = match.index + match[0].length
  }
  current += source.slice(at)
  push()
  return parts.filter((part) => contentStems(part).length > 0).slice(0, CLAUSES_MAX)
}

/** Whether what follows is a question of its own: it begins like one, or is a sum. */
function beginsQuestion(rest: string): boolean {
  if (STARTS.test(rest)) return true
  const next = rest.split(/[?!;,\n]|\sand\s/, 1)[0] ?? ''
  return findArithmetic(next) !== undefined && contentStems(next.replace(/[\d\W]+/g, ' ')).length === 0
}

function quotedRanges(text: string): readonly (readonly [number, number])[] {
  return [...text.matchAll(/"[^"]{1,500}"|“[^”]{1,500}”|`[^`]{1,500}`/g)].map((match) => [
    match.index,
    match.index + match[0].length,
  ])
}
