// What `npm start` writes: colours and a spinner on a terminal, plain lines in a pipe. Nothing it prints can move the cursor.

import { styleText } from 'node:util'
import { escaped } from '../../operations/logging/pretty-line.ts'

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'cyan' | 'yellow'

export interface TerminalStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean
  readonly columns?: number
}

export interface Terminal {
  /** Empty without a text. */
  line(text?: string): void
  paint(style: Style, text: string): string
  /** `✔ Name  what it came to`; on a terminal a spinner turns meanwhile. The line is not written where the work fails. */
  step(name: string, work: (say: (detail: string) => void) => Promise<string>): Promise<void>
  /** A name and a text from outside: cut into lines that fit, control characters made visible. */
  entry(name: string, text: string): void
}

const NAME_CHARS = 10
const WIDTH_MAX = 100
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const SPIN_MS = 80
/** Shorter work gets no spinner: it would only flicker. */
const SPIN_AFTER_MS = 150

export function createTerminal(stream: TerminalStream): Terminal {
  const live = stream.isTTY === true
  const width = Math.min(stream.columns ?? WIDTH_MAX, WIDTH_MAX) - NAME_CHARS - 4
  const paint = (style: Style, text: string): string => styleText(style, text, { stream })
  const line = (text = ''): void => void stream.write(`${text}\n`)
  return {
    line,
    paint,
    async step(name, work) {
      const spinner = live ? spin(stream, name, paint) : undefined
      try {
        const detail = await work((text) => spinner?.say(text))
        spinner?.stop()
        line(`  ${paint('green', '✔')} ${name.padEnd(NAME_CHARS)} ${detail}`)
      } finally {
        spinner?.stop()
      }
    },
    entry(name, text) {
      const lines = text
        .split(/\r?\n/)
        .flatMap((part) => (live ? wrapped(escaped(part), width) : [escaped(part)]))
      for (const [index, part] of lines.entries()) {
        const label = (index === 0 ? name : '').padEnd(NAME_CHARS)
        line(`  ${paint('bold', label)} ${part}`)
      }
    },
  }
}

/** Words in lines of at most `width` characters; a word that is longer has its own. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let current = ''
  for (const word of text.split(/ +/)) {
    const longer = current === '' ? word : `${current} ${word}`
    if (longer.length > width && current !== '') {
      lines.push(current)
      current = word
    } else {
      current = longer
    }
  }
  return [...lines, current]
}

interface Spinner {
  say(text: string): void
  /** Takes the line away; doing it twice is fine. */
  stop(): void
}

function spin(stream: TerminalStream, name: string, paint: Terminal['paint']): Spinner {
  let turn = 0
  let shown = false
  let detail = ''
  const draw = (): void => {
    const mark = SPINNER[turn++ % SPINNER.length] ?? ''
    shown = true
    stream.write(`\r\u001b[2K  ${paint('cyan', mark)} ${name.padEnd(NAME_CHARS)} ${paint('dim', detail)}`)
  }
  let timer = setTimeout(() => {
    draw()
    timer = setInterval(draw, SPIN_MS)
  }, SPIN_AFTER_MS)
  return {
    say: (text) => {
      detail = text
    },
    stop: () => {
      clearTimeout(timer)
      if (shown) stream.write('\r\u001b[2K')
      shown = false
    },
  }
}
