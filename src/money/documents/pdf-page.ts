// The furniture of a printed document: pages of A4 with a head, tables with money at the right, a foot with page numbers.
// It knows no report and no invoice. pdfkit is loaded when the first document is asked for.

import type PDFDocument from 'pdfkit'
import type { EpochMs } from '../../base/time.ts'

type Pdf = InstanceType<typeof PDFDocument>

export interface Column {
  readonly title: string
  /** The share of the width; shares are added up. */
  readonly share: number
  /** Money and counts stand at the right. */
  readonly align?: 'left' | 'right'
}

export interface PrintedTable {
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
  /** A last row in bold: totals. */
  readonly foot?: readonly string[]
}

/** What is put on the pages, from top to bottom. */
export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  /** Pairs of a name and a value. */
  | { readonly kind: 'facts'; readonly facts: readonly (readonly [string, string])[] }
  | ({ readonly kind: 'table' } & PrintedTable)

export interface PrintedDocument {
  readonly title: string
  /** Under the title: whose it is, of which time. */
  readonly subtitle?: string
  readonly blocks: readonly Block[]
  /** At the left of each page's foot; the page's number stands at the right. */
  readonly foot: string
  readonly author?: string
  /** Written into the file as its date: the same document gives the same bytes. */
  readonly at: EpochMs
}

const MARGIN = 48
/** Room at the foot of each page. */
const FOOT_HEIGHT = 28
const SIZE = { title: 18, heading: 12, text: 9, foot: 8 } as const
const FONT = 'Helvetica'
const BOLD = 'Helvetica-Bold'
const CELL_PADDING = 3
const LINE = '#c8c8c8'
/** How much of one cell is printed: the whole text is in the CSV and the JSON. */
export const CELL_CHARS_MAX = 300
/** Rows of one table that are printed; the table says how many more there are. */
export const TABLE_ROWS_MAX = 2_000

/** The document as a PDF. */
export async function printPdf(document: PrintedDocument): Promise<Uint8Array<ArrayBuffer>> {
  const { default: Document } = await import('pdfkit')
  const pdf = new Document({
    size: 'A4',
    margins: { top: MARGIN, left: MARGIN, right: MARGIN, bottom: MARGIN + FOOT_HEIGHT },
    bufferPages: true,
    info: {
      Title: document.title,
      Author: document.author ?? 'Agent Factory',
      CreationDate: new Date(document.at),
      ModDate: new Date(document.at),
    },
  })
  const parts: Uint8Array[] = []
  const whole = new Promise<void>((resolve, reject) => {
    pdf.on('data', (part: Uint8Array) => parts.push(part))
    pdf.on('end', () => resolve())
    pdf.on('error', reject)
  })
  pdf.font(BOLD).fontSize(SIZE.title).text(printable(document.title))
  if (document.subtitle !== undefined) pdf.font(FONT).fontSize(SIZE.text).text(printable(document.subtitle))
  for (const block of document.blocks) printBlock(pdf, block)
  printFeet(pdf, document.foot)
  pdf.end()
  await whole
  return joined(parts)
}

function printBlock(pdf: Pdf, block: Block): void {
  pdf.moveDown(block.kind === 'heading' ? 1.2 : 0.5)
  switch (block.kind) {
    case 'heading':
      keepTogether(pdf, 3 * SIZE.heading)
      pdf.font(BOLD).fontSize(SIZE.heading).text(printable(block.text), MARGIN)
      return
    case 'text':
      pdf.font(FONT).fontSize(SIZE.text).text(printable(block.text), MARGIN)
      return
    case 'facts':
      for (const [name, value] of block.facts) {
        pdf
          .font(BOLD)
          .fontSize(SIZE.text)
          .text(`${printable(name)}: `, MARGIN, undefined, { continued: true })
        pdf.font(FONT).text(printable(value))
      }
      return
    case 'table':
      printTable(pdf, block)
      return
    default:
      block satisfies never
  }
}

function printTable(pdf: Pdf, { columns, rows, foot }: PrintedTable): void {
  const shares = columns.reduce((sum, { share }) => sum + share, 0)
  const width = pdf.page.width - 2 * MARGIN
  const widths = columns.map(({ share }) => (width * share) / shares)
  const titles = columns.map(({ title }) => title)
  const print = (cells: readonly string[], font: string): void => {
    const texts = columns.map((_, at) => printable(cells[at] ?? ''))
    pdf.font(font).fontSize(SIZE.text)
    const heights = texts.map((text, at) =>
      pdf.heightOfString(text === '' ? ' ' : text, { width: (widths[at] ?? 0) - 2 * CELL_PADDING }),
    )
    const height = Math.max(...heights) + 2 * CELL_PADDING
    if (pdf.y + height > bottomOf(pdf)) {
      pdf.addPage()
      if (cells !== titles) print(titles, BOLD)
      pdf.font(font).fontSize(SIZE.text)
    }
    const top = pdf.y
    let left = MARGIN
    for (const [at, text] of texts.entries()) {
      const cell = widths[at] ?? 0
      const align = columns[at]?.align ?? 'left'
      pdf.text(text, left + CELL_PADDING, top + CELL_PADDING, { width: cell - 2 * CELL_PADDING, align })
      left += cell
    }
    pdf
      .moveTo(MARGIN, top + height)
      .lineTo(MARGIN + width, top + height)
      .lineWidth(0.5)
      .strokeColor(LINE)
      .stroke()
    pdf.x = MARGIN
    pdf.y = top + height
  }
  print(titles, BOLD)
  for (const row of rows.slice(0, TABLE_ROWS_MAX)) print(row, FONT)
  if (rows.length > TABLE_ROWS_MAX) print([`… and ${rows.length - TABLE_ROWS_MAX} more rows`], FONT)
  if (foot) print(foot, BOLD)
}

function printFeet(pdf: Pdf, foot: string): void {
  const { start, count } = pdf.bufferedPageRange()
  const width = pdf.page.width - 2 * MARGIN
  for (let at = 0; at < count; at++) {
    pdf.switchToPage(start + at)
    // Below the bottom margin nothing is written, unless there is none.
    pdf.page.margins.bottom = 0
    const top = pdf.page.height - MARGIN
    pdf.font(FONT).fontSize(SIZE.foot)
    pdf.text(printable(foot), MARGIN, top, { width: width * 0.8, lineBreak: false })
    pdf.text(`Page ${at + 1} of ${count}`, MARGIN, top, { width, align: 'right', lineBreak: false })
  }
}

function keepTogether(pdf: Pdf, height: number): void {
  if (pdf.y + height > bottomOf(pdf)) pdf.addPage()
}

function bottomOf(pdf: Pdf): number {
  return pdf.page.height - MARGIN - FOOT_HEIGHT
}

/** The fonts that every reader has know Latin 1: what is not of it is shown as a question mark, never as another letter. */
function printable(text: string): string {
  const flat = text
    .normalize('NFC')
    .replaceAll(/\p{Cc}+/gu, ' ')
    .replaceAll(DASHES, '-')
  const known = flat.replaceAll('…', '...').replaceAll(/[^\x20-\x7e\xa0-\xff€]/gu, '?')
  return known.length > CELL_CHARS_MAX * 10 ? `${known.slice(0, CELL_CHARS_MAX * 10)}...` : known
}
const DASHES = /[\u2010-\u2015\u2212]/gu

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
