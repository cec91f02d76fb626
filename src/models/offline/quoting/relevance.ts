// How well texts answer a question: by the words that they share with it, rare ones more. Pure.

import { isMistyped, isSameBeginning } from '../reading/spelling.ts'
import { contentStems, relatedStems } from '../reading/words.ts'

/** How much a word counts that stands only above the text: in its heading, or in the title of the document. */
const HEADING_FACTOR = 0.6
const TITLE_FACTOR = 0.4
/** How much a word counts that is only like the one asked for. */
const BEGINNING_FACTOR = 0.8
const MISTYPED_FACTOR = 0.7
const RELATED_FACTOR = 0.4
/** Long texts share more words by chance. */
const LONG_WORDS = 60
/** Words that frame a question and are not about its subject. */
const FRAME: ReadonlySet<string> = new Set(
  contentStems(
    'explain describe difference different between possible way supported support need see exactly long last big large often take',
  ),
)

export interface Text {
  readonly text: string
  /** The heading next above it. */
  readonly heading?: string
  /** The document and the headings further up. */
  readonly title?: string
}

export interface Relevance {
  /** 0 is nothing in common. */
  readonly score: number
  /** The part of the question's words, weighed, that the text has: 0 to 1. */
  readonly coverage: number
  /** How many of the question's words it has, or words like them. */
  readonly matched: number
  /** Whether the heading has a word of the question that the text has not. */
  readonly needsHeading: boolean
}

export function relevances(question: string, texts: readonly Text[]): readonly Relevance[] {
  const asked = askedStems(question)
  const read = texts.map(({ text, heading = '', title = '' }) => ({
    own: new Set(contentStems(text)),
    heading: new Set(contentStems(heading)),
    title: new Set(contentStems(title)),
  }))
  const weights = weightsOf(
    asked,
    read.map(({ own, heading }) => new Set([...own, ...heading])),
  )
  const most = weights.reduce((sum, weight) => sum + weight, 0)
  return read.map(({ own, heading, title }) => {
    let score = 0
    let matched = 0
    let needsHeading = false
    for (const [at, word] of asked.entries()) {
      const inText = likeness(word, own)
      const above = likeness(word, heading) * HEADING_FACTOR
      if (above > inText) needsHeading = true
      if (inText > 0 || above > 0) matched += 1
      score += (weights[at] ?? 0) * Math.max(inText, above, likeness(word, title) * TITLE_FACTOR)
    }
    return {
      score: score === 0 ? 0 : score / (1 + Math.min(own.size, LONG_WORDS) / LONG_WORDS),
      coverage: most === 0 ? 0 : score / most,
      matched,
      needsHeading,
    }
  })
}

/** The inverse document frequency of BM25, which stays positive. A word that nowhere occurs weighs as the others do. */
function weightsOf(asked: readonly string[], texts: readonly ReadonlySet<string>[]): readonly number[] {
  const owners = asked.map((word) => texts.filter((text) => text.has(word)).length)
  const weights = owners.map((count) => Math.log(1 + (texts.length - count + 0.5) / (count + 0.5)) + 0.2)
  const present = weights.filter((_, at) => (owners[at] ?? 0) > 0)
  const mean = present.reduce((sum, weight) => sum + weight, 0) / Math.max(1, present.length)
  return weights.map((weight, at) => (owners[at] === 0 && mean > 0 ? mean : weight))
}

/** The stems that a question is about. */
export function askedStems(question: string): readonly string[] {
  const all = contentStems(question)
  const telling = all.filter((word) => !FRAME.has(word))
  return telling.length > 0 ? telling : all
}

/** 1 where the word is there, less where only one like it is. */
function likeness(word: string, said: ReadonlySet<string>): number {
  if (said.has(word)) return 1
  let best = relatedStems(word).some((other) => said.has(other)) ? RELATED_FACTOR : 0
  for (const other of said) {
    if (isSameBeginning(word, other)) return BEGINNING_FACTOR
    if (best < MISTYPED_FACTOR && isMistyped(word, other)) best = MISTYPED_FACTOR
  }
  return best
}
