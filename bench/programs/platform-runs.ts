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
import { countSqlite, type SqliteCounts } from '../support/sqlite-counter.ts'
import { type Quantiles, quantilesOf } from '../support/statistics.ts'

export interface RunsQuestion extends LoadOptions {
  /** Counting makes it slower, so it is asked for apart. */
  readonly count: boolean
}

export interface RunsAnswer extends Load {
  /** From one call of the model or the tool to the next one of the same run. */
  readonly stepMs: Quantiles
  /** 0 where nothing was counted. */
  readonly statementsPerRun: number
  readonly commitsPerRun: number
}

const WAIT_MS = 20_000

await answerQuestions<{ readonly folder: string }, null, RunsQuestion, RunsAnswer>(async ({ folder }) => {
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
    answer: async (question) => {
      const done: Load[] = []
      const work = async () => void done.push(await load(run, question))
      const counts = await (question.count ? countSqlite : uncounted)(work)
      const [measured] = done
      if (measured === undefined) throw new Error('Nothing was measured.')
      return {
        ...measured,
        stepMs: quantilesOf(clock.take()),
        statementsPerRun: counts.statements / measured.count,
        commitsPerRun: counts.commits / measured.count,
      }
    },
    close: () => app.close(),
  }
})

async function uncounted(work: () => Promise<void>): Promise<SqliteCounts> {
  await work()
  return { statements: 0, commits: 0 }
}
