// Puts found passages in order: which of the query's words they have, and whether their heading names what is asked.

import type { Passage } from './document-passages.ts'
import { compared, wordsOf } from './document-words.ts'

/** How much it counts that a passage has all words of the query, and not one of them often. */
const COVERAGE_POWER = 1.5
/** How much a heading counts that is about nothing but the query. */
const TOPIC_BONUS = 1

export interface Found {
  readonly passage: Passage
  /** By BM25. */
  readonly score: number
  /** Words of the passage that fit, and the words of the query that they fit, in their compared form. */
  readonly terms: readonly string[]
  readonly queryTerms: readonly string[]
}

/** Best first. `weightOf` says how much a word tells: the rarer it is, the more. */
export function ranked<T extends Found>(
  found: readonly T[],
  weightOf: (term: string) => number,
): readonly T[] {
  const asked = new Set(found.flatMap(({ queryTerms }) => queryTerms))
  const all = weigh(asked, weightOf)
  return found
    .map((each) => {
      const covered = new Set(each.queryTerms)
      const coverage = all === 0 ? 0 : weigh(covered, weightOf) / all
      const topic = all === 0 ? 0 : topicFit(each, weightOf) / all
      return { ...each, score: each.score * coverage ** COVERAGE_POWER * (1 + TOPIC_BONUS * topic) }
    })
    .sort((a, b) => b.score - a.score)
}

/** The weight of the found words in the passage's own heading, less where the heading says more than was asked. */
function topicFit({ passage, terms }: Found, weightOf: (term: string) => number): number {
  const own = passage.heading.split(' > ').at(-1) ?? ''
  const heading = new Set(wordsOf(own).flatMap((word) => compared(word) ?? []))
  if (heading.size === 0) return 0
  const named = new Set(terms.filter((term) => heading.has(term)))
  return weigh(named, weightOf) * (named.size / heading.size) ** 2
}

function weigh(terms: ReadonlySet<string>, weightOf: (term: string) => number): number {
  let sum = 0
  for (const term of terms) sum += weightOf(term)
  return sum
}
