// `run resolve`: the answer to a step that waits for approval or is in doubt.

import type { Command } from 'commander'
import { Argument } from 'commander'
import { type RunResolution, run } from '../../contract/run.ts'
import type { Act } from '../act.ts'
import { usage } from '../cli-failure.ts'
import { whole } from '../input/option-values.ts'
import { parseArgument } from '../input/parse-document.ts'
import { answer } from '../output/answers.ts'
import { runSummary } from '../output/run-text.ts'

interface ResolveOptions {
  readonly output?: string
  readonly reason?: string
}

const OUTCOMES = ['approve', 'decline', 'succeeded', 'failed', 'retry'] as const
type Outcome = (typeof OUTCOMES)[number]
const STEP_MAX = 1_000_000_000

export function addResolveCommand(group: Command, act: Act): void {
  group
    .command('resolve')
    .description(
      'Answer a waiting step: approve or decline a call; for one in doubt say that it succeeded, failed, or is to be made again (retry)',
    )
    .argument('<run>', 'the id of the run')
    .argument('<step>', 'the number of the waiting step', whole(1, STEP_MAX))
    .addArgument(new Argument('<outcome>', 'the answer').choices(OUTCOMES))
    .option('--output <json>', 'with "succeeded": what the call answered')
    .option('--reason <text>', 'with "decline" and "failed": why')
    .action(
      act(async (session, id: string, step: number, outcome: Outcome, options: ResolveOptions) => {
        const resolution = resolutionOf(step, outcome, options)
        const found = await (await session.client()).resolveRun(id, resolution)
        answer(session, run, found, (out) => out.line(runSummary(found)))
      }),
    )
}

/** Options that do not belong to the outcome are refused: they would be lost. */
export function resolutionOf(
  step: number,
  outcome: Outcome,
  { output, reason }: ResolveOptions,
): RunResolution {
  if (output !== undefined && outcome !== 'succeeded')
    throw usage('--output belongs to the outcome "succeeded".')
  const takesReason = outcome === 'decline' || outcome === 'failed'
  if (reason !== undefined && !takesReason)
    throw usage('--reason belongs to the outcomes "decline" and "failed".')
  switch (outcome) {
    case 'approve':
    case 'retry':
      return { step, outcome }
    case 'decline':
    case 'failed':
      return { step, outcome, reason }
    case 'succeeded':
      if (output === undefined)
        throw usage(
          '"succeeded" needs --output with the JSON that the call answered; null where it answers nothing.',
        )
      return { step, outcome, output: parseArgument(output, '--output') }
    default:
      return outcome satisfies never
  }
}
