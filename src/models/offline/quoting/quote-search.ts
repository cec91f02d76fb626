// Answers from search results: the sentences that answer best, each with where it stands. Pure.

import { isJsonObject, type Json, type JsonObject } from '../../../base/json.ts'
import { scoreAll, sentencesOf } from './sentences.ts'

export interface Hit {
  readonly text: string
  /** Where it stands: a path, an address or a title. */
  readonly source: string
}

const LISTS = ['results', 'hits', 'matches', 'documents', 'passages', 'items', 'data', 'chunks']
const TEXTS = ['snippet', 'excerpt', 'passage', 'text', 'content', 'body', 'summary', 'description', 'quote']
const SOURCES = ['path', 'file', 'url', 'link', 'uri', 'source', 'document', 'title', 'name', 'id']
/** What makes a list of texts a search and not, say, a list of products. */
const LOCATORS: ReadonlySet<string> = new Set([
  'path',
  'file',
  'url',
  'link',
  'uri',
  'source',
  'document',
  'line',
  'score',
  'rank',
  'snippet',
  'excerpt',
  'passage',
])
const HITS_MAX = 10
const SENTENCES_MAX = 3
/** A further sentence must be at least so good as a part of the best. */
const GOOD_PART = 0.45
const RANK_BONUS = 0.35

/** The hits of a search result, empty where it found none; undefined where this is no search result. */
export function hitsOf(value: Json): readonly Hit[] | undefined {
  const list = listIn(value)
  if (list === undefined) return undefined
  if (list.length === 0)
    return isJsonObject(value) && LISTS.slice(0, 3).some((name) => name in value) ? [] : undefined
  const hits = list.slice(0, HITS_MAX).map(hitOf)
  return hits.every((hit): hit is Hit => hit !== undefined) ? hits : undefined
}

/** The best sentences with their sources, e.g. `Runs are durable. [docs/runs.md]`. */
export function quoteHits(question: string, hits: readonly Hit[]): string {
  const best = bestSentences(question, hits)
  if (best.length === 0)
    return `The search found nothing that answers this; the closest is in [${hits[0]?.source ?? ''}].`
  // The best sentence's source first, then each source once, its sentences in their own order.
  const sources = [...new Set(best.map(({ source }) => source))]
  return sources
    .map((source) => {
      const said = best.filter((candidate) => candidate.source === source).sort((a, b) => a.at - b.at)
      return `${said.map(({ sentence }) => ended(sentence)).join(' ')} [${source}]`
    })
    .join('\n')
}

interface Sentence {
  readonly sentence: string
  readonly source: string
  readonly at: number
  readonly score: number
}

/** Sentences that share words with the question; those of a hit that as a whole fits the question count more. */
function bestSentences(question: string, hits: readonly Hit[]): readonly Sentence[] {
  const hitScores = scoreAll(
    question,
    hits.map(({ text, source }) => `${source} ${text}`),
  )
  const bestHit = Math.max(...hitScores, 0)
  const listed = hits.flatMap(({ text, source }, rank) =>
    sentencesOf(text).map((sentence) => ({
      sentence,
      source,
      rank,
      share: (hitScores[rank] ?? 0) / (bestHit || 1),
    })),
  )
  const scores = scoreAll(
    question,
    listed.map(({ sentence }) => sentence),
  )
  const scored = listed.map(({ sentence, source, rank, share }, at) => {
    const own = scores[at] ?? 0
    return { sentence, source, at, score: own * (0.3 + share + RANK_BONUS / (1 + rank)) }
  })
  const best = Math.max(...scored.map(({ score }) => score), 0)
  if (best === 0) return []
  const good = scored.filter(({ score }) => score >= best * GOOD_PART)
  return unique(good.sort((a, b) => b.score - a.score || a.at - b.at)).slice(0, SENTENCES_MAX)
}

function ended(sentence: string): string {
  return /[.!?…:;]$/.test(sentence) ? sentence : `${sentence}.`
}

export function sourcesOf(hits: readonly Hit[]): readonly string[] {
  return [...new Set(hits.map(({ source }) => source))]
}

function unique<T extends { readonly sentence: string }>(list: readonly T[]): readonly T[] {
  const seen = new Set<string>()
  return list.filter(({ sentence }) => !seen.has(sentence) && seen.add(sentence) !== undefined)
}

function listIn(value: Json): readonly Json[] | undefined {
  if (Array.isArray(value)) return value as readonly Json[]
  if (!isJsonObject(value)) return undefined
  for (const name of LISTS) if (Array.isArray(value[name])) return value[name] as readonly Json[]
  return undefined
}

function hitOf(value: Json): Hit | undefined {
  if (!isJsonObject(value) || !Object.keys(value).some((name) => LOCATORS.has(name))) return undefined
  const text = firstText(value, TEXTS)
  const source = firstText(value, SOURCES)
  return text === undefined || source === undefined ? undefined : { text, source }
}

function firstText(value: JsonObject, names: readonly string[]): string | undefined {
  for (const name of names) {
    const found = value[name]
    if (typeof found === 'string' && found.trim() !== '') return found
  }
  return undefined
}
