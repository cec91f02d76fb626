// `run replay`: does a run again, from any step, with something changed.

import type { Command } from 'commander'
import { isJsonObject } from '../../base/json.ts'
import { type ReplayRun, run } from '../../contract/run.ts'
import type { Act } from '../act.ts'
import { usage } from '../cli-failure.ts'
import { whole } from '../input/option-values.ts'
import { parseArgument } from '../input/parse-document.ts'
import { readText } from '../input/read-text.ts'
import { answer } from '../output/answers.ts'
import type { Session } from '../session.ts'
import { showRun } from './run-view.ts'
import { concludeRun } from './run-waiting.ts'

interface ReplayOptions {
  readonly from?: number
  readonly model?: string
  readonly instructions?: string
  readonly version?: number
  readonly input?: string
  readonly liveTools?: true
  readonly wait?: true
}

const STEP_MAX = 1_000_000_000
const VERSION_MAX = 999_999_999

export function addReplayCommand(group: Command, act: Act): void {
  group
    .command('replay')
    .description('Do a run again; its tool calls are answered from the record, so that nothing is done twice')
    .argument('<run>', 'the id of the run')
    .option('--from <step>', 'begin at this step; all before it is taken over', whole(1, STEP_MAX))
    .option('--model <model>', 'ask another model')
    .option('--instructions <text>', 'with other instructions; "@FILE" reads them from a file')
    .option('--version <number>', 'with another version of the definition', whole(1, VERSION_MAX))
    .option('--input <text>', 'with another input: a text, or a JSON object')
    .option('--live-tools', 'really call the tools')
    .option('--wait', 'wait until it has ended or waits for somebody')
    .action(
      act(async (session, id: string, options: ReplayOptions) => {
        const client = await session.client({ drives: options.wait === true })
        const request = await requestOf(session, options)
        const signal = session.world.interrupted()
        const made = await client.replayRun(id, request, { wait: options.wait === true, signal })
        answer(session, run, made, () => showRun(session, made))
        if (options.wait === true) await concludeRun(session, client, made)
      }),
    )
}

async function requestOf(session: Session, options: ReplayOptions): Promise<ReplayRun> {
  const { from, model, instructions, version, input, liveTools } = options
  return {
    ...(from !== undefined && { from }),
    ...(model !== undefined && { model }),
    ...(instructions !== undefined && { instructions: await textOf(session, instructions) }),
    ...(version !== undefined && { version }),
    ...(input !== undefined && { input: inputOf(input) }),
    ...(liveTools === true && { tools: 'live' as const }),
  }
}

async function textOf(session: Session, given: string): Promise<string> {
  return given.startsWith('@') ? readText(session.world, given.slice(1)) : given
}

/** A text that begins like a JSON object is one. */
function inputOf(text: string): string | NonNullable<ReplayRun['input']> {
  if (!text.trimStart().startsWith('{')) return text
  const value = parseArgument(text, '--input')
  if (!isJsonObject(value)) throw usage('--input must be a text or a JSON object.')
  return value
}
