// The form that an answer has: "What is a run?" is answered by a sentence that begins with it, "How do I …?" by a command,
// "Which tools …?" by a list. Pure.

import { isMistyped } from '../reading/spelling.ts'
import { contentStems } from '../reading/words.ts'
import { askedStems } from './relevance.ts'

const DEFINITION_FACTOR = 1.6
const COMMAND_FACTOR = 1.25
const TOPIC_FACTOR = 1.25
const LIST_FACTOR = 2
const INLINE_LIST_FACTOR = 1.5
/** A list or a block of code has many words by chance. */
const BLOCK_FACTOR = 0.6
const REFERENCE_FACTOR = 0.3

const ASKS_WHAT = /^\s*(?:what|whats|who|waht|wat)\b/i
const ASKS_HOW = /^\s*(?:how|hwo)\s+(?:do|does|can|could|would|should|to|may)\b/i
const ASKS_LIST =
  /\bdifferences? between\b|^\s*(?:which|what|list)\s+(?:are\s+(?:the|all)\s+)?(?!(?:is|was|does|did|has|happens|if)\b)(?:[\w-]+\s+){0,2}[\w-]{2,}s\b/i
const LIST = /(?:^|\n)- .*\n- /
/** `a`, `b` and `c` in one sentence. */
const INLINE_LIST = /`[^`]+`[^`]{0,60}, `[^`]+`[^`]{0,60}(?:,| and| or) `[^`]+`/

export interface ShapedText {
  readonly sentence: string
  readonly heading: string
  /** Whether the heading has a word of the question that the sentence has not. */
  readonly needsHeading: boolean
}

/** How well the form fits the question; 1 says nothing for it or against it. */
export function shapeFactor(question: string, { sentence, heading, needsHeading }: ShapedText): number {
  if (/^see\b/i.test(sentence)) return REFERENCE_FACTOR
  const topic = isTopic(question, heading) ? TOPIC_FACTOR : 1
  const asksList = ASKS_LIST.test(question)
  if (LIST.test(sentence)) {
    // A list that nothing announces is told by its heading, or it is not what was asked for.
    const isFitting = asksList && (!sentence.startsWith('- ') || needsHeading)
    return (isFitting ? LIST_FACTOR : BLOCK_FACTOR) * topic
  }
  const isCode = sentence.includes('```')
  if (ASKS_HOW.test(question) && (isCode || /`[^`]+ [^`]+`/.test(sentence))) return COMMAND_FACTOR * topic
  if (isCode) return BLOCK_FACTOR * topic
  if (asksList && INLINE_LIST.test(sentence)) return INLINE_LIST_FACTOR * topic
  return ASKS_WHAT.test(question) && defines(question, sentence) ? DEFINITION_FACTOR * topic : topic
}

/** `A run is …`, `unpriced: …`: what is asked about stands first. */
function defines(question: string, sentence: string): boolean {
  const asked = askedStems(question)
  const [subject = '', verb = ''] =
    /^(.{1,80}?)(?:\s(is|are|means|when)\b|:\s)/.exec(sentence)?.slice(1) ?? []
  const said = contentStems(subject)
  const isSaid = (word: string): boolean => said.some((other) => other === word || isMistyped(word, other))
  const isAbout = /\bdifferences?\b/i.test(question)
    ? asked.some(isSaid) && said.length === 1
    : said.length > 0 && said.length <= asked.length + 1 && asked.every(isSaid)
  return isAbout && (verb !== '' || /^`|^[A-Z_]+$/.test(subject))
}

function isTopic(question: string, heading: string): boolean {
  const asked = askedStems(question)
  const named = contentStems(heading)
  return named.length > 0 && named.length === asked.length && asked.every((word) => named.includes(word))
}
