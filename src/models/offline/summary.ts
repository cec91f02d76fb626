// An extractive summary: the sentences that say most of what the text is about, in their order. Pure.

import { sentencesOf } from './quoting/sentences.ts'
import { contentStems, stem, words } from './reading/words.ts'

const SENTENCES_MAX = 12
const SENTENCES_READ_MAX = 2_000
/** A summary is at most so long a part of the text. */
const PART = 0.25
const SUMMARY_CHARS_MIN = 300

export function summarise(text: string): string {
  const sentences = [...new Set(sentencesOf(text))].slice(0, SENTENCES_READ_MAX)
  if (sentences.length <= 2) return sentences.join(' ')
  const frequency = new Map<string, number>()
  for (const word of words(text).map(stem)) frequency.set(word, (frequency.get(word) ?? 0) + 1)
  const ranked = sentences
    .map((sentence, at) => {
      const stems = contentStems(sentence)
      const sum = stems.reduce((total, word) => total + Math.log(1 + (frequency.get(word) ?? 0)), 0)
      // Openings and endings of texts carry what they are about.
      const place = at === 0 || at === sentences.length - 1 ? 1.3 : 1
      return { sentence, at, score: stems.length === 0 ? 0 : (place * sum) / (4 + stems.length) }
    })
    .sort((a, b) => b.score - a.score || a.at - b.at)
  const budget = Math.max(SUMMARY_CHARS_MIN, text.length * PART)
  const chosen: typeof ranked = []
  let length = 0
  for (const candidate of ranked) {
    if (chosen.length >= SENTENCES_MAX || (length > 0 && length + candidate.sentence.length > budget)) break
    chosen.push(candidate)
    length += candidate.sentence.length
  }
  return chosen
    .sort((a, b) => a.at - b.at)
    .map(({ sentence }) => sentence)
    .join(' ')
}
