// Tables: aligned, fitted to the terminal, uncut in a pipe. Columns marked `keep` (ids) are never cut.

import type { Channel } from './channel.ts'
import { oneLine } from './escape.ts'
import { cut, padded, widthOf } from './width.ts'

export interface Column<T> {
  readonly title: string
  readonly value: (item: T) => string
  /** Never cut. */
  readonly keep?: true
  readonly align?: 'right'
  /** Left out first where the terminal is too narrow. */
  readonly optional?: true
}

const GAP = '  '
const WIDTH_MIN = 8

/** The lines of a table, its titles first. Cells are one line each. */
export function tableLines<T>(
  channel: Channel,
  columns: readonly Column<T>[],
  items: readonly T[],
): readonly string[] {
  const cells = items.map((item) => columns.map(({ value }) => oneLine(value(item))))
  const natural = columns.map(({ title }, index) =>
    Math.max(widthOf(title), ...cells.map((row) => widthOf(row[index] ?? ''))),
  )
  const widths = fittedWidths(columns, natural, channel.width)
  const shown = columns.flatMap((column, index) => {
    const width = widths[index]
    return width === undefined ? [] : [{ column, index, width }]
  })
  const line = (texts: readonly string[], style: (text: string) => string): string =>
    shown
      .map(({ column, index, width }) => style(padded(cut(texts[index] ?? '', width), width, column.align)))
      .join(GAP)
      .trimEnd()
  const titles = columns.map(({ title }) => title)
  return [
    line(titles, (text) => channel.paint('bold', text)),
    ...cells.map((row) => line(row, (text) => text)),
  ]
}

/** The width of each column; undefined where it is left out. */
function fittedWidths(
  columns: readonly Column<never>[],
  natural: readonly number[],
  total: number,
): readonly (number | undefined)[] {
  const widths: (number | undefined)[] = [...natural]
  const excess = (): number => {
    const shown = widths.filter((width) => width !== undefined)
    return shown.reduce((sum, width) => sum + width, 0) + GAP.length * (shown.length - 1) - total
  }
  const shrink = (): void => {
    while (excess() > 0) {
      let widest = -1
      for (const [index, width] of widths.entries()) {
        if (width === undefined || columns[index]?.keep || width <= WIDTH_MIN) continue
        if (widest < 0 || width > (widths[widest] ?? 0)) widest = index
      }
      if (widest < 0) return
      widths[widest] = Math.max(WIDTH_MIN, (widths[widest] ?? 0) - excess())
    }
  }
  shrink()
  for (let index = columns.length - 1; index >= 0 && excess() > 0; index--) {
    if (columns[index]?.optional) widths[index] = undefined
  }
  return widths
}
