// Runs in the process of the platform: started and waited for as a route's handler does, without HTTP.

import {
  AGENT,
  adderModel,
  adderTool,
  answerOf,
  createStepClock,
  INSTRUCTIONS,
  questionOf,
} from '../support/adder.ts'
import { answerQuestions } from '../support/answer.ts'
import { type Load, type LoadOptions, load } from '../support/load.ts'
import { openPlatform } from '../support/platform.ts'
import { type Quantiles, quantilesOf } from '../support/statistics.ts'

export interface RunsAnswer extends Load {
  /** From one call of the model or the tool to the next one of the same run. */
  readonly stepMs: Quantiles
}

const WAIT_MS = 20_000

await answerQuestions<{ readonly folder: string }, null, LoadOptions, RunsAnswer>(async ({ folder }) => {
  const clock = createStepClock()
  const { app, admin, publish } = await openPlatform({
    folder,
    model: adderModel(clock.called),
    tools: [adderTool(clock.called)],
  })
  await publish({ name: AGENT, instructions: INSTRUCTIONS })
  const run = async (n: number): Promise<void> => {
    const started = await app.runtime.start(
      admin,
      { agent: AGENT, input: questionOf(n) },
      { requestId: undefined },
    )
    const { state, output } = await app.runtime.wait(admin.tenantId, started.id, WAIT_MS)
    if (state !== 'completed' || output !== answerOf(n))
      throw new Error(`A run ended as ${state}: ${output}.`)
  }
  return {
    ready: null,
    answer: async (options) => ({ ...(await load(run, options)), stepMs: quantilesOf(clock.take()) }),
    close: () => app.close(),
  }
})
