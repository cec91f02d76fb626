// Answers from search results: the sentences that answer best, each with where it stands. Pure.

import { isChangingVerb } from '../calling/tool-profile.ts'
import { contentStems, stem, words } from '../reading/words.ts'
import { shapeFactor } from './answer-shape.ts'
import type { Hit } from './hits.ts'
import { askedStems, type Relevance, relevances } from './relevance.ts'
import { sentencesOf } from './sentences.ts'

const SENTENCES_MAX = 3
/** The best sentence must share so much with the question to be an answer at all; more where it is one word of several. */
const COVERAGE_MIN = 0.34
const COVERAGE_OF_ONE_MIN = 0.6
/** A further sentence must be at least so good as a part of the best: one beside it, one from elsewhere. */
const BESIDE_PART = 0.55
const ELSEWHERE_PART = 0.75
const RANK_BONUS = 0.5
const FIRST_FACTOR = 1.25

/** The best sentences with their sources, e.g. `Runs are durable. [docs/runs.md]`; undefined where none answers. */
export function quoteHits(question: string, hits: readonly Hit[]): string | undefined {
  const best = bestSentences(question, hits)
  if (best.length === 0) return undefined
  // The best sentence's source first, then each source once, its sentences in their own order.
  const sources = [...new Set(best.map(({ source }) => source))]
  return sources.map((source) => quoteSource(best.filter((one) => one.source === source))).join('\n')
}

function quoteSource(sentences: readonly Sentence[]): string {
  const ordered = [...sentences].sort((a, b) => a.at - b.at)
  const labels = new Set<string>()
  let text = ''
  for (const { sentence, heading, relevance } of ordered) {
    const isLabelled =
      (relevance.needsHeading || IDENTIFIER.test(heading)) && heading !== '' && !labels.has(heading)
    labels.add(heading)
    const said = ended(isLabelled ? `${heading}: ${sentence}` : sentence)
    const isBlock = text.includes('\n') || said.includes('\n')
    text += text === '' ? said : `${isBlock ? '\n' : ' '}${said}`
  }
  return `${text}${text.includes('\n') ? '\n' : ' '}[${ordered[0]?.source ?? ''}]`
}

/** A heading such as `LOG_LEVEL` or `model.failed` is what the text below speaks of. */
const IDENTIFIER = /^`?[A-Za-z0-9]+(?:[_.][A-Za-z0-9]+)+`?$|^[A-Z]{2,}$/

interface Sentence {
  readonly sentence: string
  readonly source: string
  readonly heading: string
  readonly rank: number
  readonly at: number
  readonly relevance: Relevance
  readonly score: number
}

/** Sentences that share words with the question; those of a hit that as a whole fits the question count more. */
function bestSentences(question: string, hits: readonly Hit[]): readonly Sentence[] {
  const shares = shareOfBest(question, hits)
  const listed = hits.flatMap((hit, rank) =>
    sentencesOf(hit.text).map((sentence, index) => ({ sentence, rank, index, hit })),
  )
  const found = relevances(
    question,
    listed.map(({ sentence, hit }) => ({
      text: sentence,
      heading: hit.heading,
      title: `${hit.title} ${hit.source}`,
    })),
  )
  const scored = listed.map(({ sentence, rank, index, hit }, at): Sentence => {
    const relevance = found[at] ?? NOTHING
    const isOpening = index === 0 && relevance.needsHeading
    const score =
      relevance.score *
      (0.3 + (shares[rank] ?? 0) + RANK_BONUS * rankShare(hits, rank)) *
      shapeFactor(question, { sentence, heading: hit.heading, needsHeading: relevance.needsHeading }) *
      (isOpening ? FIRST_FACTOR : 1)
    return { sentence, source: hit.source, heading: hit.heading, rank, at, relevance, score }
  })
  const ranked = scored.sort((a, b) => b.score - a.score || a.at - b.at)
  const best = ranked[0]
  if (best === undefined || !isAnswer(question, best)) return []
  const good = ranked.filter(
    ({ score, rank }) => score >= best.score * (rank === best.rank ? BESIDE_PART : ELSEWHERE_PART),
  )
  return withoutRepeats(good).slice(0, SENTENCES_MAX)
}

const NOTHING: Relevance = { score: 0, coverage: 0, matched: 0, needsHeading: false }

/** What the search itself says of a hit, as a part of the best: its score, else its rank. */
function rankShare(hits: readonly Hit[], rank: number): number {
  const best = hits[0]?.score
  const own = hits[rank]?.score
  return best === undefined || own === undefined || best <= 0 ? 1 / (1 + rank) : Math.min(1, own / best)
}

/** How well each hit fits as a whole, as a part of the best one. */
function shareOfBest(question: string, hits: readonly Hit[]): readonly number[] {
  const whole = relevances(
    question,
    hits.map(({ text, heading, title }) => ({ text, heading, title })),
  )
  const best = Math.max(...whole.map(({ coverage }) => coverage), 0)
  return whole.map(({ coverage }) => (best === 0 ? 0 : coverage / best))
}

/** Enough of the question is there; and where it is an order to change something, what is to be done is. */
function isAnswer(question: string, { sentence, heading, relevance }: Sentence): boolean {
  const isOneOfSeveral = relevance.matched === 1 && askedStems(question).length > 1
  if (relevance.coverage < (isOneOfSeveral ? COVERAGE_OF_ONE_MIN : COVERAGE_MIN)) return false
  const verb = stem(words(question.replace(/^\s*please\b/i, ''))[0] ?? '')
  return !isChangingVerb(verb) || contentStems(`${sentence} ${heading}`).includes(verb)
}

function ended(sentence: string): string {
  return /[.!?…:;]$|```$/.test(sentence) ? sentence : `${sentence}.`
}

/** Without sentences that another one contains, such as the item of a list that is quoted as a whole. */
function withoutRepeats(sentences: readonly Sentence[]): readonly Sentence[] {
  return sentences.filter(
    ({ sentence }, at) =>
      !sentences.some(
        (other, index) =>
          index !== at &&
          other.sentence.includes(sentence) &&
          (other.sentence.length > sentence.length || index < at) &&
          index < SENTENCES_MAX,
      ),
  )
}
