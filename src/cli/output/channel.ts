// One of the two streams that a command writes to, with what is true of it: a terminal or not, colours or not.

import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan'

export interface Sink {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export interface Channel {
  /** Somebody watches: text may be overwritten, times are relative, control characters are shown. */
  readonly live: boolean
  /** Columns; no limit in a pipe. */
  readonly width: number
  line(text?: string): void
  /** As it is, without a line break. */
  write(text: string): void
  paint(style: Style, text: string): string
}

const WIDTH_DEFAULT = 80

/** `color` false keeps colours off on a terminal too. */
export function createChannel(sink: Sink, color: boolean, term: string | undefined): Channel {
  const live = sink.isTTY === true && term !== 'dumb'
  return {
    live,
    // A terminal that does not know its size says 0.
    width: live ? sink.columns || WIDTH_DEFAULT : Number.POSITIVE_INFINITY,
    line: (text = '') => void sink.write(`${text}\n`),
    write: (text) => void sink.write(text),
    paint: (style, text) => (live && color ? styleText(style, text, { validateStream: false }) : text),
  }
}
