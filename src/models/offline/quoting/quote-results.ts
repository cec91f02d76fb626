// The answer to a question from the results of tools: each result says its part, failures plainly. Pure.

import { isJsonObject, type Json, type JsonObject } from '../../../base/json.ts'
import type { ToolResult } from '../../../contract/message.ts'
import { type Hit, hitsOf } from './hits.ts'
import { errorText, withoutTransport } from './http-result.ts'
import { quoteJson } from './quote-json.ts'
import { quoteHits } from './quote-search.ts'
import { relevances } from './relevance.ts'
import { sentencesOf } from './sentences.ts'

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
  const parts = results.map((called) => quoteResult(question, called))
  // Where one search answers, it does not matter that another found nothing.
  const telling = parts.some(({ isEmptySearch }) => !isEmptySearch)
    ? parts.filter(({ isEmptySearch, query }) => !isEmptySearch || !isAnswered(query, parts))
    : parts
  const said = [...new Set(telling.map(({ text }) => text))]
  const answer = said.join('\n\n')
  return answer.length > ANSWER_CHARS_MAX ? `${answer.slice(0, ANSWER_CHARS_MAX - 1)}…` : answer
}

interface Part {
  readonly text: string
  /** What was searched for; empty for other tools. */
  readonly query: string
  /** A search that found nothing that answers. */
  readonly isEmptySearch: boolean
}

/** Whether another search found what this one was asked for. */
function isAnswered(query: string, parts: readonly Part[]): boolean {
  return parts.some(
    (part) =>
      !part.isEmptySearch && part.query !== '' && (query.includes(part.query) || part.query.includes(query)),
  )
}

function quoteResult(question: string, { result, arguments: args }: CalledResult): Part {
  const { tool, output } = result
  const query = queryOf(args) ?? ''
  const part = (text: string, isEmptySearch = false): Part => ({ text, query, isEmptySearch })
  if (output.type === 'error') return part(`\`${tool}\` failed: ${errorText(output.message)}`)
  const value = withoutTransport(output.value)
  const sum = quoteSum(args, value)
  if (sum !== undefined) return part(sum)
  const hits = hitsOf(value)
  if (hits !== undefined) {
    const quoted = quoteHits(query === '' ? question : query, hits)
    if (quoted !== undefined) return part(quoted)
    return part(hits.length === 0 ? nothingFound(tool, query) : noAnswer(hits), true)
  }
  if (isEmpty(value)) {
    return query === ''
      ? part(`\`${tool}\` returned nothing${subject(args)}.`)
      : part(nothingFound(tool, query), true)
  }
  if (typeof value === 'string') return part(quoteText(question, value, tool))
  const text = quoteJson(question, value, Object.values(args ?? {}).map(String))
  if (text === '') return part(`\`${tool}\` returned nothing${subject(args)}.`)
  const end = text.includes('\n') || /[.!?"]$/.test(text) ? '' : '.'
  return part(`From \`${tool}\`${subject(args)}: ${text}${end}`)
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

const QUERIES = ['query', 'q', 'question', 'search', 'keywords', 'text']

/** A search knows best what it was asked; the whole message may ask for other things too. */
export function queryOf(args: JsonObject | undefined): string | undefined {
  const query = QUERIES.map((name) => args?.[name]).find((item) => typeof item === 'string')
  return typeof query === 'string' ? query : undefined
}

/** Whether a search came back without an answer, so that another search may know more. */
export function isUnanswered(called: CalledResult): boolean {
  return quoteResult('', called).isEmptySearch
}

function nothingFound(tool: string, query: string): string {
  return query === '' ? `\`${tool}\` found nothing.` : `\`${tool}\` found nothing about "${query}".`
}

function noAnswer(hits: readonly Hit[]): string {
  return `The search found nothing that answers this; the closest is in [${hits[0]?.source ?? ''}]. I compare words, so other words may find more.`
}

function quoteText(question: string, text: string, tool: string): string {
  const trimmed = text.trim()
  if (trimmed === '') return `\`${tool}\` returned an empty text.`
  if (trimmed.length <= WHOLE_TEXT_CHARS_MAX) return trimmed
  const sentences = sentencesOf(trimmed)
  const found = relevances(
    question,
    sentences.map((sentence) => ({ text: sentence })),
  )
  const ranked = sentences.map((sentence, at) => ({ sentence, at, score: found[at]?.score ?? 0 }))
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
