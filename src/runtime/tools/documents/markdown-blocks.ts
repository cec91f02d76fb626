// Markdown as headings and paragraphs. Code keeps its fences and lists their marks, so that a reader can tell them from prose.

import type { Block } from './document-block.ts'

const FENCE = /^\s*(```|~~~)/
const ROW = /^\s*\|(.*)\|\s*$/
const RULE = /^[\s|:-]+$/

export function* markdownBlocks(text: string): Generator<Block> {
  let open: string[] = []
  let start = 1
  let fence: string | undefined
  let columns: readonly string[] | undefined
  const finish = (): Block[] => {
    const block = { text: open.join('\n'), line: start }
    open = []
    columns = undefined
    return block.text === '' ? [] : [block]
  }
  const add = (line: string, index: number): void => {
    if (open.length === 0) start = index + 1
    open.push(line)
  }
  for (const [index, line] of text.split('\n').entries()) {
    const mark = FENCE.exec(line)?.[1]
    if (fence !== undefined || mark !== undefined) {
      add(mark !== undefined && (fence === undefined || fence === mark) ? mark : line.trimEnd(), index)
      if (mark !== undefined && (fence === undefined || fence === mark))
        fence = fence === undefined ? mark : undefined
      continue
    }
    const heading = /^(#{1,6})\s+(.*)$/.exec(line.trimEnd())
    const row = ROW.exec(line)?.[1]
    if (heading !== null) {
      yield* finish()
      const name = plain((heading[2] ?? '').replace(/#+$/, '').trim())
      yield { text: name, line: index + 1, level: heading[1]?.length ?? 1 }
    } else if (line.trim() === '') {
      yield* finish()
    } else if (row === undefined) {
      add(plain(line.trim()), index)
    } else if (columns === undefined) {
      columns = cellsOf(row)
    } else if (!RULE.test(row)) {
      add(rowText(columns, cellsOf(row)), index)
    }
  }
  yield* finish()
}

/** `- limit: max_steps; default: 50`: a row says by itself what its cells are. */
function rowText(columns: readonly string[], cells: readonly string[]): string {
  const named = cells.map((cell, at) => ((columns[at] ?? '') === '' ? cell : `${columns[at]}: ${cell}`))
  return `- ${named.filter((_, at) => cells[at] !== '').join('; ')}`
}

function cellsOf(row: string): readonly string[] {
  return row.split(/(?<!\\)\|/).map((cell) => plain(cell.trim()).replaceAll('\\|', '|'))
}

/** Without links and emphasis; code marks stay, because they say what is to be typed. */
function plain(line: string): string {
  return line
    .replace(/!?\[([^\]\n]{0,300})\]\([^)\s]{0,500}\)/g, '$1')
    .replace(/(\*\*|__)(?=\S)(.+?)(?<=\S)\1/g, '$2')
    .replace(/^>\s+/, '')
    .replace(/^[*+-]\s+/, '- ')
}
