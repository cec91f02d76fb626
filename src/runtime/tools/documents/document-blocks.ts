// Documents of several kinds as a sequence of headings and paragraphs with their lines.

import { isJsonObject, type Json } from '../../../base/json.ts'
import type { Block } from './document-block.ts'
import { htmlBlocks } from './html-blocks.ts'
import { markdownBlocks } from './markdown-blocks.ts'

const CELLS_MAX = 200
const CELL_CHARS_MAX = 2_000

/** What can be read of each kind of file, by its ending. */
export const BLOCKS_BY_ENDING: Readonly<Record<string, (text: string) => Iterable<Block>>> = {
  '.md': markdownBlocks,
  '.txt': textBlocks,
  '.html': htmlBlocks,
  '.htm': htmlBlocks,
  '.json': jsonBlocks,
  '.csv': csvBlocks,
}

function* textBlocks(text: string): Generator<Block> {
  let open: string[] = []
  let start = 1
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() !== '') {
      if (open.length === 0) start = index + 1
      open.push(line.trim())
    } else if (open.length > 0) {
      yield { text: open.join('\n'), line: start }
      open = []
    }
  }
  if (open.length > 0) yield { text: open.join('\n'), line: start }
}

/** Each item of a list, each property of an object is a paragraph of `name: value` pairs. */
function* jsonBlocks(text: string): Generator<Block> {
  let document: Json
  try {
    document = JSON.parse(text) as Json
  } catch {
    yield* textBlocks(text)
    return
  }
  let offset = 0
  let line = 1
  for (const item of topItems(document)) {
    const found = text.indexOf(firstLiteral(item), offset)
    if (found !== -1) {
      line += lineBreaks(text, offset, found)
      offset = found
    }
    yield { text: pairs(item).join('; '), line }
  }
}

/** The records of the document: of `{"orders": [{…}, {…}]}` each order. */
function topItems(document: Json): readonly Json[] {
  if (Array.isArray(document)) return document
  if (!isJsonObject(document)) return [document]
  const entries = Object.entries(document)
  const [only] = entries
  if (entries.length === 1 && only !== undefined && Array.isArray(only[1])) return only[1]
  const nested = entries.every(([, value]) => typeof value === 'object' && value !== null)
  return nested ? entries.map(([key, value]) => ({ [key]: value })) : [document]
}

function pairs(value: Json, name = '', into: string[] = []): string[] {
  if (into.length >= CELLS_MAX) return into
  if (Array.isArray(value)) {
    for (const item of value) pairs(item, name, into)
  } else if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) pairs(item, name === '' ? key : `${name} ${key}`, into)
  } else {
    const text = String(value).slice(0, CELL_CHARS_MAX)
    into.push(name === '' ? text : `${name}: ${text}`)
  }
  return into
}

function firstLiteral(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const [first] = Array.isArray(value) ? value : Object.values(value)
  return first === undefined ? '{' : firstLiteral(first)
}

function lineBreaks(text: string, from: number, to: number): number {
  let breaks = 0
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) breaks += 1
  return breaks
}

/** Each row is a paragraph of `column: cell` pairs (RFC 4180; the first row names the columns). Separated by comma, semicolon or tab. */
function* csvBlocks(text: string): Generator<Block> {
  let header: readonly string[] | undefined
  const firstLine = text.slice(0, Math.max(text.indexOf('\n'), 0))
  const [separator = ','] = [',', ';', '\t'].toSorted(
    (a, b) => firstLine.split(b).length - firstLine.split(a).length,
  )
  for (const { cells, line } of csvRows(text, separator)) {
    if (cells.every((cell) => cell.trim() === '')) continue
    if (header === undefined) {
      header = cells
      continue
    }
    const names = header
    const named = cells.map((cell, index) => `${names[index]?.trim() ?? ''}: ${cell.trim()}`)
    yield { text: named.join('; '), line }
  }
}

function* csvRows(
  text: string,
  separator: string,
): Generator<{ readonly cells: readonly string[]; readonly line: number }> {
  let cells: string[] = []
  let cell = ''
  let quoted = false
  let line = 1
  let start = 1
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === '\n') line += 1
    if (quoted) {
      if (char === '"' && text.charAt(at + 1) === '"') at += 1
      else if (char === '"') quoted = false
      if (char !== '"' || quoted) cell += char
    } else if (char === '"' && cell === '') {
      quoted = true
    } else if (char === separator || char === '\n') {
      cells.push(cell)
      cell = ''
      if (char === '\n') {
        yield { cells, line: start }
        cells = []
        start = line
      }
    } else if (char !== '\r') {
      cell += char
    }
  }
  if (cell !== '' || cells.length > 0) yield { cells: [...cells, cell], line: start }
}
