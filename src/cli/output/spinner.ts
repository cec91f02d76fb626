// A sign of life on a terminal while something takes long. In a pipe there is none.

import type { Channel } from './channel.ts'
import { cut } from './width.ts'

export interface Spinner extends Disposable {
  say(text: string): void
  /** Takes the line away, until `say` is called again. */
  clear(): void
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const FRAME_MS = 80
/** Shorter work would only flicker. */
const AFTER_MS = 200
const CLEAR = '\r\u001b[2K'

export function createSpinner(channel: Channel, first: string): Spinner {
  if (!channel.live)
    return { say: () => undefined, clear: () => undefined, [Symbol.dispose]: () => undefined }
  let text: string | undefined = first
  let frame = 0
  let drawn = false
  const clear = (): void => {
    if (drawn) channel.write(CLEAR)
    drawn = false
  }
  const draw = (): void => {
    if (text === undefined) return
    const mark = FRAMES[frame++ % FRAMES.length] ?? ''
    channel.write(
      `${CLEAR}${channel.paint('cyan', mark)} ${channel.paint('dim', cut(text, channel.width - 3))}`,
    )
    drawn = true
  }
  let timer = setTimeout(() => {
    draw()
    timer = setInterval(draw, FRAME_MS)
  }, AFTER_MS)
  return {
    say: (next) => {
      text = next
    },
    clear: () => {
      text = undefined
      clear()
    },
    [Symbol.dispose]: () => {
      clearTimeout(timer)
      clear()
    },
  }
}
