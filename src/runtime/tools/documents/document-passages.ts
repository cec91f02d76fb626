// Documents cut into passages: what search finds and quotes.

import { basename, extname } from 'node:path'
import type { Block } from './document-block.ts'
import { BLOCKS_BY_ENDING } from './document-blocks.ts'
import { sentencesOf } from './document-snippet.ts'

export interface Passage {
  /** Inside the collection, with slashes. */
  readonly path: string
  readonly title: string
  /** The headings above it, outermost first, joined by ` > `; empty where there are none. */
  readonly heading: string
  /** Where it begins, from 1. */
  readonly line: number
  readonly text: string
}

/** Paragraphs are put together up to here, so that a passage says enough to be understood. */
const PASSAGE_CHARS = 800
/** A single paragraph longer than this is cut between sentences. */
const PASSAGE_CHARS_MAX = 1_600

/** The passages of a document, one after the other; undefined in between lets the caller pause. */
export function* passagesOf(path: string, text: string): Generator<Passage | undefined> {
  const blocks = BLOCKS_BY_ENDING[extname(path).toLowerCase()]
  if (blocks === undefined) return
  const isRecords = /\.(?:csv|json)$/i.test(path)
  let title = basename(path)
  let headings: { readonly level: number; readonly text: string }[] = []
  let open: Block[] = []
  const finish = (): Passage[] => {
    const [first] = open
    const joined = open.map((block) => block.text).join('\n\n')
    open = []
    if (first === undefined) return []
    // A document's title above everything is no heading of its own.
    const heading = headings.map((each) => each.text).filter((each) => each !== title)
    return [{ path, title, heading: heading.join(' > '), line: first.line, text: joined }]
  }
  for (const block of blocks(text.replace(/\r\n?/g, '\n'))) {
    yield undefined
    if (block.text === '') continue
    const { level } = block
    if (level !== undefined) {
      yield* finish()
      if (level === 1 && headings.length === 0 && title === basename(path)) title = block.text
      headings = [...headings.filter((above) => above.level < level), { level, text: block.text }]
      continue
    }
    const length = open.reduce((sum, each) => sum + each.text.length, 0)
    if (isRecords || length + block.text.length > PASSAGE_CHARS) yield* finish()
    for (const piece of pieces(block)) {
      if (open.length > 0 && piece !== block) yield* finish()
      open.push(piece)
    }
  }
  yield* finish()
}

function pieces(block: Block): Block[] {
  if (block.text.length <= PASSAGE_CHARS_MAX) return [block]
  const cut: Block[] = []
  let text = ''
  let { line } = block
  for (const sentence of sentencesOf(block.text)) {
    if (text.length + sentence.length > PASSAGE_CHARS && text !== '') {
      cut.push({ text: text.trim(), line })
      line += text.split('\n').length - 1
      text = ''
    }
    text += sentence
  }
  if (text.trim() !== '') cut.push({ text: text.trim(), line })
  return cut
}
