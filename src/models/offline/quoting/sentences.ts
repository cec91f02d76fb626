// Sentences of a text, and how well each answers a question. Pure.

import { contentStems, relatedStems } from '../reading/words.ts'

const SENTENCE_CHARS_MAX = 320
const TEXT_CHARS_MAX = 50_000
/** How much a related word counts against the word itself. */
const RELATED_FACTOR = 0.4

/** Sentences as they stand, without Markdown's marks; headings are left out. A line that ends in a colon keeps what it announces. */
export function sentencesOf(text: string): readonly string[] {
  const found: string[] = []
  for (const block of blocksOf(text.slice(0, TEXT_CHARS_MAX))) {
    const last = found.at(-1)
    if (block.isCode || block.isItem) {
      const piece = block.isCode ? `\`${block.text}\`` : block.text
      if (last?.endsWith(':') === true) found[found.length - 1] = shorten(`${last} ${piece}`)
      else found.push(shorten(piece))
    } else {
      found.push(...split(block.text).map(shorten))
    }
  }
  return found.filter((sentence) => /\p{L}|\p{N}/u.test(sentence))
}

interface Block {
  readonly text: string
  readonly isCode: boolean
  readonly isItem: boolean
}

function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = []
  let paragraph = ''
  let isFenced = false
  const flush = (): void => {
    if (paragraph.trim() !== '') blocks.push({ text: plain(paragraph), isCode: false, isItem: false })
    paragraph = ''
  }
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim()
    if (/^(?:```|~~~)/.test(line)) {
      flush()
      isFenced = !isFenced
    } else if (isFenced) {
      if (line !== '') blocks.push({ text: line, isCode: true, isItem: false })
    } else if (line === '' || /^#{1,6}\s|^[-=*_|\s:]{3,}$/.test(line)) {
      flush()
    } else if (/^(?:[-*+•]|\d{1,3}[.)])\s+/.test(line)) {
      flush()
      blocks.push({
        text: plain(line.replace(/^(?:[-*+•]|\d{1,3}[.)])\s+/, '')),
        isCode: false,
        isItem: true,
      })
    } else {
      paragraph += ` ${line}`
    }
  }
  flush()
  return blocks
}

/** Without emphasis, links and tags; code marks stay, because they are part of what is said. */
function plain(text: string): string {
  return text
    .replace(/<\/?[a-z][^>]{0,200}>/gi, '')
    .replace(/!?\[([^\]]{0,200})\]\([^)]{0,500}\)/g, '$1')
    .replace(/(\*\*|__)(.+?)\1/g, '$2')
    .replace(/\s+/g, ' ')
    .trim()
}

function split(text: string): readonly string[] {
  return text.split(/(?<=[.!?…]["”)]?)\s+(?=["“(`]?[\p{Lu}\p{N}`])/u).map((part) => part.trim())
}

function shorten(sentence: string): string {
  if (sentence.length <= SENTENCE_CHARS_MAX) return sentence
  const cut = sentence.slice(0, SENTENCE_CHARS_MAX)
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), SENTENCE_CHARS_MAX / 2))} …`
}

/** Scores texts against a question: the words that they share, rare ones more. 0 is nothing in common. */
export function scoreAll(question: string, texts: readonly string[]): readonly number[] {
  const asked = contentStems(question)
  const stems = texts.map((text) => new Set(contentStems(text)))
  const rarity = new Map<string, number>()
  const weigh = (word: string): number => {
    const known = rarity.get(word)
    if (known !== undefined) return known
    const owners = stems.filter((set) => set.has(word)).length
    // The inverse document frequency of BM25, which stays positive.
    const weight = Math.log(1 + (texts.length - owners + 0.5) / (owners + 0.5)) + 0.2
    rarity.set(word, weight)
    return weight
  }
  return stems.map((set) => {
    let score = 0
    for (const word of asked) {
      if (set.has(word)) score += weigh(word)
      else {
        const near = relatedStems(word).find((other) => set.has(other))
        if (near !== undefined) score += weigh(near) * RELATED_FACTOR
      }
    }
    // Long sentences share more words by chance.
    return score === 0 ? 0 : score / (1 + set.size / 60)
  })
}
