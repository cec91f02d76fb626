// The text of an answer as it arrives, written to a terminal once, whatever attempts and tool calls come between.

import type { RunStreamItem } from '../../sdk/stream-run.ts'
import type { Channel } from '../output/channel.ts'
import { visible } from '../output/escape.ts'
import type { Spinner } from '../output/spinner.ts'

export interface AnswerStream {
  take(item: RunStreamItem): void
  /** Writes the final answer, unless it is what stands there already. */
  end(answer: string): void
}

export function createAnswerStream(out: Channel, spinner: Spinner): AnswerStream {
  /** What was written of the attempt under way. */
  let written = ''
  let attempt = ''
  const breakLine = (): void => {
    if (written !== '' && !written.endsWith('\n')) out.line()
    written = ''
  }
  return {
    take(item) {
      if (item.type === 'event') {
        const { type, data } = item.event
        const name =
          typeof data.tool === 'string' ? data.tool : typeof data.name === 'string' ? data.name : ''
        if (type === 'tool.requested') spinner.say(visible(`calls ${name}`))
        return
      }
      if (item.delta.type !== 'text') return
      const of = `${item.step} ${item.attempt}`
      // A new attempt, or the model's next turn, starts its text anew.
      if (of !== attempt) breakLine()
      attempt = of
      spinner.clear()
      const text = visible(item.delta.text)
      written += text
      out.write(text)
    },
    end(answer) {
      if (written.trim() === answer.trim()) {
        if (!written.endsWith('\n') && written !== '') out.line()
        return
      }
      breakLine()
      if (answer !== '') out.line(answer)
    },
  }
}
