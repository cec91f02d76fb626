// What is quoted of a passage: all of it, or of a long one the sentences that answer a query best.

import { compared, wordsOf } from './document-words.ts'

/** Passages are mostly shorter: who reads one whole can judge whether it answers. */
const SNIPPET_CHARS_MAX = 800
const SENTENCES_MAX = 3
/** A text without full stops is cut here. */
const SENTENCE_CHARS_MAX = 500

/** After a full stop, between paragraphs, and before an item of a list or a row of a table; not where a line wraps. */
const SENTENCE_END = /(?<=[.!?]["')\]]?\s)(?=\S)|(?<=\n)(?=\n|- |\d{1,3}[.)] |\|)/
const LINE_WRAP = /(?<!\n)\n(?!\n|- |\d{1,3}[.)] |\|)/g

/** The text in sentences, with the white space after each; joined they are the text again. */
export function sentencesOf(text: string): string[] {
  const sentences: string[] = []
  for (const sentence of text.split(SENTENCE_END)) {
    for (let at = 0; at < sentence.length; at += SENTENCE_CHARS_MAX) {
      sentences.push(sentence.slice(at, at + SENTENCE_CHARS_MAX))
    }
  }
  return sentences
}

export interface Snippet {
  readonly text: string
  /** Line breaks of the passage before it. */
  readonly linesBefore: number
}

/**
 * The text where it has at most 800 characters; else the part of it around the one to three neighbouring sentences with the
 * most different found words. Among equals the shorter and then the earlier wins. `terms` are words in their compared form.
 */
export function snippetOf(text: string, terms: ReadonlySet<string>): Snippet {
  if (text.length <= SNIPPET_CHARS_MAX) return { text: unwrapped(text), linesBefore: 0 }
  const sentences = sentencesOf(text)
  const hits = sentences.map((sentence) => hitsOf(sentence, terms))
  let best = { from: 0, to: 1, score: -1 }
  for (const from of sentences.keys()) {
    const seen = new Set<string>()
    let chars = 0
    for (let to = from + 1; to <= Math.min(from + SENTENCES_MAX, sentences.length); to++) {
      chars += sentences[to - 1]?.length ?? 0
      if (chars > SNIPPET_CHARS_MAX && to > from + 1) break
      for (const hit of hits[to - 1] ?? []) seen.add(hit)
      const score = seen.size - (to - from) * 0.1
      if (score > best.score) best = { from, to, score }
    }
  }
  const { from, to } = grown(sentences, best)
  const before = sentences.slice(0, from).join('')
  const chosen = sentences.slice(from, to).join('').trim().slice(0, SNIPPET_CHARS_MAX)
  return { text: unwrapped(chosen), linesBefore: before.split('\n').length - 1 }
}

interface Range {
  readonly from: number
  readonly to: number
}

/** With the sentences around, as far as there is room: those after it first, which say more of the same. */
function grown(sentences: readonly string[], { from, to }: Range): Range {
  const chars = (start: number, end: number): number => sentences.slice(start, end).join('').length
  let [start, end] = [from, to]
  while (end < sentences.length && chars(start, end + 1) <= SNIPPET_CHARS_MAX) end += 1
  while (start > 0 && chars(start - 1, end) <= SNIPPET_CHARS_MAX) start -= 1
  return { from: start, to: end }
}

/** Lines that only wrap become one; those of code stay. */
function unwrapped(text: string): string {
  return text
    .split(/(^```[\s\S]*?^```$)/m)
    .map((part) => (part.startsWith('```') ? part : part.replace(LINE_WRAP, ' ')))
    .join('')
}

function hitsOf(sentence: string, terms: ReadonlySet<string>): Set<string> {
  const hits = new Set<string>()
  for (const word of wordsOf(sentence)) {
    const term = compared(word)
    if (term !== undefined && terms.has(term)) hits.add(term)
  }
  return hits
}
