// Whether a step costs the same however long its run already is: windows of steps along one run of more than a
// thousand, on a file as the product has it, and in memory, where no disk hides what the processor does. Then workflows.

import type { Bench, Figure } from '../figure.ts'
import type { LongRunAnswer, LongRunQuestion } from '../programs/long-run.ts'
import { profileShares } from '../support/profile.ts'
import { openProgram } from '../support/program.ts'
import { median } from '../support/statistics.ts'
import { workFolder } from '../support/work-folder.ts'
import { workflowFigures } from './workflow-cost.ts'

const STEPS_PER_TURN = 2
const TURNS = 510
const WARM_RUNS = 2
const RUNS_PER_ROUND = 3
/** The steps in the middle of each window; it reaches as far to either side. */
const WINDOWS = [10, 100, 250, 500, 750, 1_000] as const
const WINDOW_STEPS = 16
const GROWTH_MAX = 1.3

export const stepCostBench: Bench = async ({ rounds, profile }) => {
  const figures: Figure[] = []
  for (const memory of [false, true]) {
    await using folder = await workFolder('step-cost')
    await using program = await openProgram<null, LongRunQuestion, LongRunAnswer>('programs/long-run.ts', {
      folder: folder.path,
      memory,
    })
    for (let run = 0; run < WARM_RUNS; run++) await program.ask({ turns: TURNS })
    const runs: (readonly number[])[] = []
    for (let run = 0; run < rounds * RUNS_PER_ROUND; run++) {
      runs.push((await program.ask({ turns: TURNS })).turnMs)
    }
    figures.push(...figuresOf(memory ? 'in memory' : 'on a file', runs))
    if (profile) {
      const taken = await program.profile(() => program.ask({ turns: TURNS }))
      figures.push(...(await profileShares(`a long run ${memory ? 'in memory' : 'on a file'}`, taken)))
    }
  }
  return [...figures, ...(await workflowFigures(rounds, profile))]
}

function figuresOf(where: string, runs: readonly (readonly number[])[]): readonly Figure[] {
  const costs = WINDOWS.map((step) => ({ step, ms: stepCost(runs, step) }))
  const first = costs[0]?.ms ?? Number.NaN
  const last = costs.at(-1)?.ms ?? Number.NaN
  return [
    {
      metric: `a step around 1,000 beside one around 10, ${where}`,
      value: last / first,
      unit: '×',
      comparison: { kind: 'at-most', limit: GROWTH_MAX },
    },
    ...costs.map(
      ({ step, ms }): Figure => ({
        metric: `a step around ${step.toLocaleString('en-US')}, ${where}`,
        value: ms,
        unit: 'ms',
        ...(step === WINDOWS[0]
          ? {}
          : { comparison: { kind: 'peer', name: `a step around ${WINDOWS[0]}`, value: first } }),
      }),
    ),
  ]
}

/** The median over the steps of a window of all runs. */
function stepCost(runs: readonly (readonly number[])[], step: number): number {
  const from = Math.max(0, Math.round((step - WINDOW_STEPS / 2) / STEPS_PER_TURN))
  const turns = runs.flatMap((turnMs) => turnMs.slice(from, from + WINDOW_STEPS / STEPS_PER_TURN))
  return median(turns) / STEPS_PER_TURN
}
