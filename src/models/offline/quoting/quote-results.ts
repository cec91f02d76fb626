// The answer to a question from the results of tools: each result says its part, failures plainly. Pure.

import { isJsonObject, type Json, type JsonObject } from '../../../base/json.ts'
import type { ToolResult } from '../../../contract/message.ts'
import { quoteJson } from './quote-json.ts'
import { hitsOf, quoteHits } from './quote-search.ts'
import { scoreAll, sentencesOf } from './sentences.ts'

export interface CalledResult {
  readonly result: ToolResult
  /** What the tool was called with, where it is known. */
  readonly arguments: JsonObject | undefined
}

const ANSWER_CHARS_MAX = 4_000
const WHOLE_TEXT_CHARS_MAX = 500
const TEXT_SENTENCES_MAX = 3
const EXPRESSIONS = ['expression', 'expr', 'formula', 'calculation', 'equation']
const OUTCOMES = ['result', 'value', 'answer', 'output']

export function quoteResults(question: string, results: readonly CalledResult[]): string {
  const said: string[] = []
  for (const called of results) {
    const text = quoteResult(question, called)
    if (text !== '' && !said.includes(text)) said.push(text)
  }
  const answer = said.join('\n\n')
  return answer.length > ANSWER_CHARS_MAX ? `${answer.slice(0, ANSWER_CHARS_MAX - 1)}…` : answer
}

function quoteResult(question: string, { result, arguments: args }: CalledResult): string {
  const { tool, output } = result
  if (output.type === 'error') return `\`${tool}\` failed: ${output.message.replace(/\s+/g, ' ').trim()}`
  const value = output.value
  const sum = quoteSum(args, value)
  if (sum !== undefined) return sum
  const hits = hitsOf(value)
  if (hits !== undefined)
    return hits.length === 0 ? nothingFound(tool, args) : quoteHits(questionFor(question, args), hits)
  if (typeof value === 'string') return quoteText(question, value, tool)
  if (isEmpty(value)) return `\`${tool}\` returned nothing${subject(args)}.`
  const text = quoteJson(question, value, Object.values(args ?? {}).map(String))
  const separator = text.includes('\n') ? ':\n' : ': '
  if (text === '') return `\`${tool}\` returned nothing${subject(args)}.`
  const end = text.includes('\n') || /[.!?"]$/.test(text) ? '' : '.'
  return `From \`${tool}\`${subject(args)}${separator}${text}${end}`
}

/** `12 * 7 = 84`, where a tool was given an expression and gave a number. */
function quoteSum(args: JsonObject | undefined, value: Json): string | undefined {
  const expression = EXPRESSIONS.map((name) => args?.[name]).find((item) => typeof item === 'string')
  if (typeof expression !== 'string') return undefined
  const outcome = isJsonObject(value)
    ? OUTCOMES.map((name) => value[name]).find((item) => item !== undefined)
    : value
  const isNumeric =
    typeof outcome === 'number' ||
    (typeof outcome === 'string' && /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(outcome.trim()))
  return isNumeric ? `${expression.trim()} = ${String(outcome).trim()}` : undefined
}

/** A search knows best what it was asked; the whole message may ask for other things too. */
function questionFor(question: string, args: JsonObject | undefined): string {
  const query = ['query', 'q', 'question', 'search', 'keywords', 'text']
    .map((name) => args?.[name])
    .find((item) => typeof item === 'string')
  return typeof query === 'string' ? query : question
}

function nothingFound(tool: string, args: JsonObject | undefined): string {
  const query = questionFor('', args)
  return query === '' ? `\`${tool}\` found nothing.` : `\`${tool}\` found nothing about "${query}".`
}

function quoteText(question: string, text: string, tool: string): string {
  const trimmed = text.trim()
  if (trimmed === '') return `\`${tool}\` returned an empty text.`
  if (trimmed.length <= WHOLE_TEXT_CHARS_MAX) return trimmed
  const sentences = sentencesOf(trimmed)
  const scores = scoreAll(question, sentences)
  const ranked = sentences.map((sentence, at) => ({ sentence, at, score: scores[at] ?? 0 }))
  const chosen = ranked.sort((a, b) => b.score - a.score || a.at - b.at).slice(0, TEXT_SENTENCES_MAX)
  return chosen
    .sort((a, b) => a.at - b.at)
    .map(({ sentence }) => sentence)
    .join(' ')
}

/** ` for Berlin`: the short arguments that say what was asked about. */
function subject(args: JsonObject | undefined): string {
  const said = Object.values(args ?? {}).filter(
    (value) => (typeof value === 'string' && value.length <= 40) || typeof value === 'number',
  )
  return said.length === 0 || said.length > 3 ? '' : ` for ${said.map(String).join(', ')}`
}

function isEmpty(value: Json): boolean {
  if (value === null) return true
  return Array.isArray(value) ? value.length === 0 : isJsonObject(value) && Object.keys(value).length === 0
}
