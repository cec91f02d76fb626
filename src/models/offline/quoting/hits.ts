// What a search tool found, whatever its fields are called. Pure.

import { isJsonObject, type Json, type JsonObject } from '../../../base/json.ts'

export interface Hit {
  readonly text: string
  /** Where it stands: a path, an address or a title. */
  readonly source: string
  /** The heading next above the text; may be empty, as the title. */
  readonly heading: string
  readonly title: string
  /** How well the search says that it fits. */
  readonly score: number | undefined
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

/** The hits of a search result, empty where it found none; undefined where this is no search result. */
export function hitsOf(value: Json): readonly Hit[] | undefined {
  const list = listIn(value)
  if (list === undefined) return undefined
  if (list.length === 0)
    return isJsonObject(value) && LISTS.slice(0, 3).some((name) => name in value) ? [] : undefined
  const hits = list.slice(0, HITS_MAX).map(hitOf)
  return hits.every((hit): hit is Hit => hit !== undefined) ? hits : undefined
}

export function sourcesOf(hits: readonly Hit[]): readonly string[] {
  return [...new Set(hits.map(({ source }) => source))]
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
  if (text === undefined || source === undefined) return undefined
  const headings = (firstText(value, ['heading', 'section']) ?? '').split(' > ')
  const title = [firstText(value, ['title']) ?? '', ...headings.slice(0, -1)].join(' ')
  return {
    text,
    source,
    heading: headings.at(-1) ?? '',
    title,
    score: typeof value.score === 'number' ? value.score : undefined,
  }
}

function firstText(value: JsonObject, names: readonly string[]): string | undefined {
  for (const name of names) {
    const found = value[name]
    if (typeof found === 'string' && found.trim() !== '') return found
  }
  return undefined
}
