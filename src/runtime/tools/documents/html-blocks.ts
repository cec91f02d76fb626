// The text of an HTML document as headings and paragraphs. It reads for search, it does not sanitise.

import type { Block } from './document-block.ts'

/** Elements whose content is not text of the document. */
const SKIPPED: ReadonlySet<string> = new Set(['script', 'style', 'template', 'noscript', 'svg'])
/** Elements that do not end a paragraph. */
const INLINE: ReadonlySet<string> = new Set(
  'a abbr b bdi bdo cite code data del dfn em font i img ins kbd mark q s samp small span strong sub sup time u var wbr'.split(
    ' ',
  ),
)
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
}

/** What begins a tag, a comment or a declaration; any other `<` is text. */
const TAG_START = /<(?=[a-z/!?])/gi
/** After this many tags an empty block lets the caller pause. */
const TAGS_PER_PAUSE = 1_000

/** One pass over the text, from tag to tag, so that broken markup costs no more than right one. */
export function* htmlBlocks(html: string): Generator<Block> {
  const state: State = { text: '', hasText: false, line: 1, start: 1, level: undefined }
  let at = 0
  for (let tags = 1; at < html.length; tags++) {
    if (tags % TAGS_PER_PAUSE === 0) yield { text: '', line: state.line }
    TAG_START.lastIndex = at
    const open = TAG_START.exec(html)?.index ?? -1
    const end = open === -1 ? html.length : open
    addText(state, html.slice(at, end))
    if (open === -1) break
    const tag = readTag(html, open)
    at = tag.end
    const level = /^h([1-6])$/.exec(tag.name)?.[1]
    const isHeading = level !== undefined || tag.name === 'title'
    if (isHeading || !(INLINE.has(tag.name) || tag.name === '')) {
      const block = finish(state)
      if (block !== undefined) yield block
    }
    if (isHeading) state.level = tag.closing ? undefined : Number(level ?? 1)
    state.line += count(html.slice(open, at))
  }
  const last = finish(state)
  if (last !== undefined) yield last
}

interface State {
  text: string
  /** `text` has more than white space. */
  hasText: boolean
  line: number
  start: number
  level: number | undefined
}

function addText(state: State, raw: string): void {
  const text = decode(raw).replace(/\s+/g, ' ')
  if (!state.hasText && text.trim() !== '') {
    state.hasText = true
    state.start = state.line + count(raw.slice(0, raw.search(/\S/)))
  }
  state.text += text
  state.line += count(raw)
}

function finish(state: State): Block | undefined {
  const text = state.text.replace(/\s+/g, ' ').trim()
  const { start: line, level } = state
  state.text = ''
  state.hasText = false
  if (text === '') return undefined
  return level === undefined ? { text, line } : { text, line, level }
}

/** The tag that begins at `open`, and where what belongs to it ends; a comment or a lone `<` has no name. */
function readTag(
  html: string,
  open: number,
): { readonly name: string; readonly closing: boolean; readonly end: number } {
  if (html.startsWith('<!--', open)) return { name: '', closing: false, end: after(html, '-->', open + 4) }
  const match = /^<(\/?)([a-z][a-z0-9]*)/i.exec(html.slice(open, open + 40))
  if (match === null) {
    const isDeclaration = html.charAt(open + 1) === '!' || html.charAt(open + 1) === '?'
    return { name: '', closing: false, end: isDeclaration ? after(html, '>', open) : open + 1 }
  }
  const name = (match[2] ?? '').toLowerCase()
  const closing = match[1] === '/'
  const end = after(html, '>', open)
  if (closing || !SKIPPED.has(name)) return { name, closing, end }
  const close = html.slice(end).search(new RegExp(`</${name}`, 'i'))
  return { name, closing: true, end: close === -1 ? html.length : after(html, '>', end + close) }
}

function after(html: string, text: string, from: number): number {
  const found = html.indexOf(text, from)
  return found === -1 ? html.length : found + text.length
}

function decode(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,8}));/gi, (whole, decimal, hex, name) => {
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
    if (Number.isNaN(code)) return ENTITIES[String(name).toLowerCase()] ?? whole
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}

function count(text: string): number {
  let lines = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1
  return lines
}
