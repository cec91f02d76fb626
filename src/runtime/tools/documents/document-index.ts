// The search index of one folder of documents: built on first use, rebuilt when files change.

import { setImmediate as nextTurn } from 'node:timers/promises'
import MiniSearch from 'minisearch'
import { type DocumentFile, listDocuments, readDocument } from './document-folder.ts'
import { type Passage, passagesOf } from './document-passages.ts'
import { ranked } from './document-ranking.ts'
import { compared, wordsOf } from './document-words.ts'

const PASSAGES_MAX = 50_000
/** How often at most the files are looked at again. */
const CHECK_INTERVAL_MS = 3_000
/** Work on an index lets others go first after this long. */
const SLICE_MS = 5

export interface Hit {
  readonly passage: Passage
  readonly score: number
  /** The words of the passage that fit, in their compared form. */
  readonly terms: ReadonlySet<string>
}

export interface DocumentIndex {
  /** The passages that fit, best first. Rejects when the folder cannot be read. */
  search(query: string): Promise<readonly Hit[]>
}

interface Built {
  readonly fingerprint: string
  readonly passages: readonly Passage[]
  readonly words: MiniSearch<IndexedPassage>
  /** In how many passages each word occurs. */
  readonly owners: ReadonlyMap<string, number>
}

type IndexedPassage = Passage & { readonly id: number }

/** `now` is a clock in milliseconds, for the interval between two looks at the files. */
export function createDocumentIndex(folder: string, now: () => number): DocumentIndex {
  let built: Built | undefined
  let checkedAt = Number.NEGATIVE_INFINITY
  let building: Promise<Built> | undefined
  const refresh = async (): Promise<Built> => {
    const files = await listDocuments(folder)
    const fingerprint = files
      .map(({ path, bytes, modifiedMs }) => `${path}\n${bytes}\n${modifiedMs}`)
      .join('\n')
    if (built?.fingerprint !== fingerprint) built = await build(files, fingerprint)
    checkedAt = now()
    return built
  }
  const current = (): Promise<Built> => {
    if (built !== undefined && now() - checkedAt < CHECK_INTERVAL_MS) return Promise.resolve(built)
    // Searches at the same time share one look at the files.
    building ??= refresh().finally(() => {
      building = undefined
    })
    return building
  }
  return { search: async (query) => find(await current(), query) }
}

async function build(files: readonly DocumentFile[], fingerprint: string): Promise<Built> {
  const words = new MiniSearch<IndexedPassage>({
    fields: ['text', 'heading', 'title'],
    tokenize: wordsOf,
    processTerm: (word) => compared(word) ?? null,
    autoVacuum: false,
  })
  const passages: Passage[] = []
  const owners = new Map<string, number>()
  const add = (passage: Passage): void => {
    words.add({ ...passage, id: passages.push(passage) - 1 })
    const own = new Set(wordsOf(`${passage.heading} ${passage.text}`).flatMap((word) => compared(word) ?? []))
    for (const word of own) owners.set(word, (owners.get(word) ?? 0) + 1)
  }
  let sliceEnd = performance.now() + SLICE_MS
  for (const file of files) {
    const text = await readDocument(file)
    if (text === undefined) continue
    for (const passage of passagesOf(file.path, text)) {
      if (passages.length >= PASSAGES_MAX) return { fingerprint, passages, words, owners }
      if (passage !== undefined) add(passage)
      if (performance.now() < sliceEnd) continue
      await nextTurn()
      sliceEnd = performance.now() + SLICE_MS
    }
  }
  return { fingerprint, passages, words, owners }
}

/**
 * BM25 over all words (any of them may fit); words in headings count double, short typing errors are forgiven. A passage
 * with more of the query's words comes before one with fewer.
 */
function find({ words, passages, owners }: Built, query: string): readonly Hit[] {
  const results = words.search(query, {
    boost: { heading: 2, title: 1.5 },
    prefix: (term) => term.length >= 4,
    fuzzy: (term) => (term.length >= 5 && !/\d/.test(term) ? 1 : false),
    weights: { prefix: 0.4, fuzzy: 0.3 },
    combineWith: 'OR',
  })
  const found = results.flatMap(({ id, score, terms, queryTerms }) => {
    const passage = passages[Number(id)]
    return passage === undefined ? [] : [{ passage, score, terms, queryTerms }]
  })
  const rarity = (term: string): number => Math.log(1 + passages.length / (1 + (owners.get(term) ?? 0)))
  return ranked(found, rarity).map(({ passage, score, terms }) => ({ passage, score, terms: new Set(terms) }))
}
