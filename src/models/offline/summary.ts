// An extractive summary: the sentences that say most of what the text is about, in their order. Pure.

import { sentencesOf } from './quoting/sentences.ts'
import { contentStems } from './reading/words.ts'

const SENTENCES_MAX = 12
const SENTENCES_READ_MAX = 1_000
/** A summary is at most so long a part of the text. */
const PART = 0.25
const SUMMARY_CHARS_MIN = 300

/**
 * SumBasic (Nenkova and Vanderwende, "The impact of frequency on summarization", 2005): takes the sentence whose words are
 * most probable, then squares the probability of those words, so that the next one says something else.
 */
export function summarise(text: string): string {
  const sentences = [...new Set(sentencesOf(text))].slice(0, SENTENCES_READ_MAX)
  if (sentences.length <= 2) return sentences.join(' ')
  let open = sentences.map((sentence, at) => ({ sentence, at, stems: contentStems(sentence) }))
  const probability = probabilities(open.map(({ stems }) => stems))
  const charsMax = Math.max(SUMMARY_CHARS_MIN, text.length * PART)
  const chosen: typeof open = []
  let chars = 0
  while (open.length > 0 && chosen.length < SENTENCES_MAX) {
    const best = open.reduce((first, next) =>
      meaning(next.stems, probability) > meaning(first.stems, probability) ? next : first,
    )
    if (chars > 0 && chars + best.sentence.length > charsMax) break
    chosen.push(best)
    chars += best.sentence.length
    for (const word of best.stems) probability.set(word, (probability.get(word) ?? 0) ** 2)
    open = open.filter((candidate) => candidate !== best)
  }
  return chosen
    .sort((a, b) => a.at - b.at)
    .map(({ sentence }) => sentence)
    .join(' ')
}

/** How often each word occurs, as a part of all words. */
function probabilities(sentences: readonly (readonly string[])[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const stems of sentences) for (const word of stems) counts.set(word, (counts.get(word) ?? 0) + 1)
  const total = sentences.reduce((sum, stems) => sum + stems.length, 0)
  return new Map([...counts].map(([word, count]) => [word, count / total]))
}

function meaning(stems: readonly string[], probability: ReadonlyMap<string, number>): number {
  if (stems.length === 0) return 0
  return stems.reduce((sum, word) => sum + (probability.get(word) ?? 0), 0) / stems.length
}
