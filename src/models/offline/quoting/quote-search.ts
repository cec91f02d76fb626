// Answers from search results: the sentences that answer best, each with where it stands. Pure.

import { isChangingVerb } from '../calling/tool-profile.ts'
import { contentStems } from '../reading/words.ts'
import type { Hit } from './hits.ts'
import { askedStems, type Relevance, relevances } from './relevance.ts'
import { sentencesOf } from './sentences.ts'

const SENTENCES_MAX = 3
/** The best sentence must share so much with the question to be an answer at all. */
const COVERAGE_MIN = 0.34
/** A further sentence must be at least so good as a part of the best: one beside it, one from elsewhere. */
const BESIDE_PART = 0.55
const ELSEWHERE_PART = 0.75
const RANK_BONUS = 0.5
const DEFINITION_FACTOR = 1.5
const COMMAND_FACTOR = 1.25

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
    const isLabelled = relevance.needsHeading && heading !== '' && !labels.has(heading)
    labels.add(heading)
    const said = ended(isLabelled ? `${heading}: ${sentence}` : sentence)
    const isBlock = text.includes('\n') || said.includes('\n')
    text += text === '' ? said : `${isBlock ? '\n' : ' '}${said}`
  }
  return `${text}${text.includes('\n') ? '\n' : ' '}[${ordered[0]?.source ?? ''}]`
}

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
    sentencesOf(hit.text).map((sentence) => ({ sentence, rank, heading: hit.heading, hit })),
  )
  const found = relevances(
    question,
    listed.map(({ sentence, heading, hit }) => ({ text: sentence, heading, title: `${hit.title} ${hit.source}` })),
  )
  const scored = listed.map(({ sentence, rank, heading, hit }, at): Sentence => {
    const relevance = found[at] ?? NOTHING
    const place = 0.3 + (shares[rank] ?? 0) + RANK_BONUS / (1 + rank)
    const score = relevance.score * place * shapeFactor(question, sentence, heading)
    return { sentence, source: hit.source, heading, rank, at, relevance, score }
  })
  const ranked = scored.sort((a, b) => b.score - a.score || a.at - b.at)
  const best = ranked[0]
  if (best === undefined || !isAnswer(question, best)) return []
  const good = ranked.filter(
    ({ score, rank }) => score >= best.score * (rank === best.rank ? BESIDE_PART : ELSEWHERE_PART),
  )
  return withoutRepeats(good).slice(0, SENTENCES_MAX)
}

const NOTHING: Relevance = { score: 0, coverage: 0, needsHeading: false }

/** How well each hit fits as a whole, as a part of the best one. */
function shareOfBest(question: string, hits: readonly Hit[]): readonly number[] {
  const whole = relevances(
    question,
    hits.map(({ text, heading, title }) => ({ text, heading, title })),
  )
  const best = Math.max(...whole.map(({ coverage }) => coverage), 0)
  return whole.map(({ coverage }) => (best === 0 ? 0 : coverage / best))
}

/** Enough of the question is there; and where it asks for a change, what is to be done is. */
function isAnswer(question: string, { sentence, heading, relevance }: Sentence): boolean {
  if (relevance.score === 0 || relevance.coverage < COVERAGE_MIN) return false
  const [verb] = contentStems(question)
  return (
    verb === undefined || !isChangingVerb(verb) || contentStems(`${sentence} ${heading}`).includes(verb)
  )
}

const ASKS_WHAT = /^\s*(?:what|whats|who|waht|wat)\b/i
const ASKS_HOW = /^\s*(?:how|hwo)\s+(?:do|does|can|could|would|should|to|may)\b/i

/** "What is a run?" is answered by a sentence that begins with it, "How do I …?" by a command. */
function shapeFactor(question: string, sentence: string, heading: string): number {
  if (ASKS_HOW.test(question) && /`[^`]+ [^`]+`|```/.test(sentence)) return COMMAND_FACTOR
  if (!ASKS_WHAT.test(question)) return 1
  const asked = askedStems(question)
  const beginning = contentStems(sentence.split(/[:;,.]\s|\b(?:is|are|means|when)\b/)[0] ?? '')
  const defines =
    beginning.length > 0 && beginning.length <= asked.length + 1 && asked.every((word) => beginning.includes(word))
  const named = contentStems(heading)
  const isTopic = named.length === asked.length && asked.every((word) => named.includes(word))
  return (defines ? DEFINITION_FACTOR : 1) * (isTopic ? COMMAND_FACTOR : 1)
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
