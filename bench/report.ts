// Figures as text: tables to read, tables for bench/README.md, lines of JSON for programs.

import {
  againstOf,
  type Figure,
  isMet,
  isMissing,
  isShare,
  type Measured,
  type Missing,
  ratioOf,
  type Share,
} from './figure.ts'

export interface Row {
  readonly bench: string
  readonly figure: Figure
}

const HEADINGS = ['bench', 'metric', 'value', 'unit', 'ratio', 'against', ''] as const

/** One line of JSON. A figure that is missing has a null value and the reason beside it. */
export function jsonLine({ bench, figure }: Row): string {
  if (isShare(figure)) {
    const metric = `time of ${figure.of} in ${figure.place}`
    const value = significant(figure.percent)
    return JSON.stringify({ bench, metric, value, unit: '%', ratio: null, against: null })
  }
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

export function textTables(rows: readonly Row[]): string {
  return tablesOf(rows).map(textTable).join('\n\n')
}

export function markdownTables(rows: readonly Row[]): string {
  return tablesOf(rows).map(markdownTable).join('\n\n')
}

interface Table {
  readonly headings: readonly string[]
  readonly numbers: ReadonlySet<number>
  readonly lines: readonly (readonly string[])[]
}

/** The figures, and where the time went: a line for each place, a column for each thing that was profiled. */
function tablesOf(rows: readonly Row[]): readonly Table[] {
  const figures = rows.flatMap(({ bench, figure }) => (isShare(figure) ? [] : [cellsOf(bench, figure)]))
  const shares = rows.flatMap(({ figure }) => (isShare(figure) ? [figure] : []))
  const tables = [{ headings: HEADINGS, numbers: new Set([2, 4]), lines: figures }]
  return shares.length === 0 ? tables : [...tables, shareTable(shares)]
}

function shareTable(shares: readonly Share[]): Table {
  const works = [...new Set(shares.map((share) => share.of))]
  const percent = (place: string, work: string): number =>
    shares.find((share) => share.place === place && share.of === work)?.percent ?? 0
  const sum = (place: string): number => works.reduce((total, work) => total + percent(place, work), 0)
  const places = [...new Set(shares.map(({ place }) => place))].sort((a, b) => sum(b) - sum(a))
  return {
    headings: ['share of the processor’s time, %', ...works],
    numbers: new Set(works.map((_, at) => at + 1)),
    lines: places.map((place) => [place, ...works.map((work) => percent(place, work).toFixed(1))]),
  }
}

function textTable({ headings, numbers, lines }: Table): string {
  const all = [headings, ...lines]
  const widths = headings.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0)))
  const padded = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (numbers.has(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
  return all.map((cells) => padded(cells).trimEnd()).join('\n')
}

function markdownTable({ headings, numbers, lines }: Table): string {
  const rule = headings.map((_, column) => (numbers.has(column) ? '---:' : '---'))
  return [headings, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function cellsOf(bench: string, figure: Measured | Missing): readonly string[] {
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
