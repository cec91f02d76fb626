// Figures as text: a table to read, a table for bench/README.md, lines of JSON for programs.

import { againstOf, type Figure, isMet, isMissing, ratioOf } from './figure.ts'

export interface Row {
  readonly bench: string
  readonly figure: Figure
}

const HEADINGS = ['bench', 'metric', 'value', 'unit', 'ratio', 'against', ''] as const
const NUMBER_COLUMNS: ReadonlySet<number> = new Set([2, 4])

/** One line of JSON. A figure that is missing has a null value and the reason beside it. */
export function jsonLine({ bench, figure }: Row): string {
  const { metric, unit } = figure
  if (isMissing(figure)) {
    return JSON.stringify({
      bench,
      metric,
      value: null,
      unit,
      ratio: null,
      against: null,
      missing: figure.reason,
    })
  }
  return JSON.stringify({
    bench,
    metric,
    value: significant(figure.value),
    unit,
    ratio: mapped(ratioOf(figure), significant) ?? null,
    against: againstOf(figure) ?? null,
  })
}

export function textTable(rows: readonly Row[]): string {
  const lines = [HEADINGS, ...rows.map(cellsOf)]
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)))
  return lines.map((cells) => padded(cells, widths).trimEnd()).join('\n')
}

export function markdownTable(rows: readonly Row[]): string {
  const rule = HEADINGS.map((_, column) => (NUMBER_COLUMNS.has(column) ? '---:' : '---'))
  const lines = [HEADINGS, rule, ...rows.map(cellsOf)]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function cellsOf({ bench, figure }: Row): readonly string[] {
  if (isMissing(figure)) return [bench, figure.metric, '—', figure.unit, '', '', `missing: ${figure.reason}`]
  const met = isMet(figure)
  return [
    bench,
    figure.metric,
    shown(figure.value),
    figure.unit,
    mapped(ratioOf(figure), shown) ?? '',
    againstOf(figure) ?? '',
    met === undefined ? '' : met ? 'met' : 'not met',
  ]
}

function padded(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => {
      const width = widths[column] ?? 0
      return NUMBER_COLUMNS.has(column) ? cell.padStart(width) : cell.padEnd(width)
    })
    .join('  ')
}

/** Three significant digits, and whole numbers from 100 on. */
function shown(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(significant(value))
}

function significant(value: number): number {
  return Number(value.toPrecision(value >= 1_000 ? 4 : 3))
}

function mapped<T, U>(value: T | undefined, map: (value: T) => U): U | undefined {
  return value === undefined ? undefined : map(value)
}
