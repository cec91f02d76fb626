// `run watch`: the events of a run as they happen. Leaving does not stop the run.

import type { Command } from 'commander'
import { codecOf } from '../../contract/codec.ts'
import { runEvent } from '../../contract/run.ts'
import type { RunStreamItem } from '../../sdk/stream-run.ts'
import type { Act } from '../act.ts'
import { CliFailure } from '../cli-failure.ts'
import { whole } from '../input/option-values.ts'
import { visible, visibleJson } from '../output/escape.ts'
import { eventText } from '../output/run-text.ts'
import type { Session } from '../session.ts'
import { failUnlessCompleted } from './run-outcome.ts'
import { noteSummary } from './run-view.ts'

const SEQ_MAX = 1_000_000_000

export function addWatchCommand(group: Command, act: Act): void {
  group
    .command('watch')
    .description('Follow a run until it ends: events, and on a terminal the text as it arrives')
    .argument('<run>', 'the id of the run')
    .option('--after <number>', 'only events after this one', whole(0, SEQ_MAX))
    .action(
      act(async (session, id: string, options: { after?: number }) => {
        const client = await session.client({ drives: true })
        const signal = session.world.interrupted()
        try {
          await followEvents(session, client.streamRun(id, { signal, after: options.after }))
        } catch (error) {
          if (!signal.aborted) throw error
          throw new CliFailure(
            'interrupted',
            `Stopped watching; the run goes on: "agent-factory run watch ${id}".`,
          )
        }
        const found = await client.getRun(id)
        noteSummary(session, found)
        failUnlessCompleted(found)
      }),
    )
}

async function followEvents(session: Session, items: AsyncIterable<RunStreamItem>): Promise<void> {
  const { out } = session
  let inText = false
  const endText = (): void => {
    if (inText) out.line()
    inText = false
  }
  for await (const item of items) {
    if (item.type === 'event') {
      endText()
      if (session.json) out.line(visibleJson(JSON.stringify(codecOf(runEvent).encode(item.event))))
      else out.line(out.live ? paintedEvent(session, eventText(item.event)) : eventText(item.event))
    } else if (!session.json && out.live && item.delta.type === 'text') {
      inText = true
      out.write(visible(item.delta.text))
    }
  }
  endText()
}

function paintedEvent({ out }: Session, text: string): string {
  return out.paint('dim', text)
}
