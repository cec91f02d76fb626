// The units of a text that can be quoted by themselves: sentences, items of lists, pieces of code. Pure.

const SENTENCE_CHARS_MAX = 320
const TEXT_CHARS_MAX = 50_000
const CODE_LINES_MAX = 16
const LIST_ITEMS_MAX = 10

/**
 * Units as they stand, without Markdown's marks; headings are left out. A line that ends in a colon keeps what it
 * announces, such as the code below it. A list is a unit as a whole, and its items are too.
 */
export function sentencesOf(text: string): readonly string[] {
  const found: string[] = []
  /** Where the list that is read begins, or the line that announces it; and its items so far. */
  let list: { at: number; isAnnounced: boolean; items: string[] } | undefined
  for (const block of blocksOf(text.slice(0, TEXT_CHARS_MAX))) {
    const last = found.at(-1)
    if (block.type === 'item') {
      const isAnnounced = last?.endsWith(':') === true
      list ??= { at: isAnnounced ? found.length - 1 : found.length, isAnnounced, items: [] }
      list.items.push(block.text)
      found.push(shorten(block.text))
      continue
    }
    if (list !== undefined) announce(found, list)
    list = undefined
    if (block.type === 'code') {
      if (last?.endsWith(':') === true)
        found[found.length - 1] = `${last}${block.text.includes('\n') ? '\n' : ' '}${block.text}`
      else found.push(block.text)
    } else {
      found.push(...split(block.text).map(shorten))
    }
  }
  if (list !== undefined) announce(found, list)
  return found.filter((sentence) => /\p{L}|\p{N}/u.test(sentence))
}

interface List {
  readonly at: number
  readonly isAnnounced: boolean
  readonly items: readonly string[]
}

/** Adds the list as a whole, behind the line that announces it; a single item takes the place of both. */
function announce(found: string[], { at, isAnnounced, items }: List): void {
  const line = isAnnounced ? (found[at] ?? '') : undefined
  if (items.length === 1) {
    if (line !== undefined) found.splice(at, 2, shorten(`${line} ${items[0] ?? ''}`))
    return
  }
  const shown = items.slice(0, LIST_ITEMS_MAX).map((item) => `- ${shorten(item)}`)
  const more = items.length > LIST_ITEMS_MAX ? ['- …'] : []
  found.splice(at, isAnnounced ? 1 : 0, [...(line === undefined ? [] : [line]), ...shown, ...more].join('\n'))
}

interface Block {
  readonly type: 'prose' | 'item' | 'code'
  readonly text: string
}

const ITEM = /^(?:[-*+•]|\d{1,3}[.)])\s+/

function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = []
  let open: { readonly type: 'prose' | 'item'; text: string } | undefined
  let code: string[] | undefined
  const flush = (): void => {
    if (open !== undefined && open.text.trim() !== '')
      blocks.push({ type: open.type, text: plain(open.text) })
    open = undefined
  }
  const flushCode = (): void => {
    if (code?.some((line) => line.trim() !== '') === true) blocks.push({ type: 'code', text: quoted(code) })
    code = undefined
  }
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim()
    if (/^(?:```|~~~)/.test(line)) {
      flush()
      if (code === undefined) code = []
      else flushCode()
    } else if (code !== undefined) {
      code.push(raw.trimEnd())
    } else if (line === '' || /^#{1,6}\s|^[-=*_|\s:]{3,}$/.test(line)) {
      flush()
    } else if (ITEM.test(line)) {
      flush()
      open = { type: 'item', text: line.replace(ITEM, '') }
    } else if (open === undefined) {
      open = { type: 'prose', text: line }
    } else {
      open.text += ` ${line}`
    }
  }
  flush()
  flushCode()
  return blocks
}

/** A line of code between marks; more lines as the block that they are. */
function quoted(code: readonly string[]): string {
  const lines = code.filter((line) => line.trim() !== '').slice(0, CODE_LINES_MAX)
  return lines.length === 1 ? `\`${lines[0]?.trim() ?? ''}\`` : ['```', ...lines, '```'].join('\n')
}

/** Without emphasis, links and tags; code marks stay, because they are part of what is said. */
function plain(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replace(/<\/?[a-z][^>]{0,200}>/gi, '')))
    .join('')
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
