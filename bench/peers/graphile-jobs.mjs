// A peer of the queue bench: graphile-worker with its own jobs.
// Plain JavaScript: the types of this package are there only once the bench has installed it.

import { makeWorkerUtils, run } from 'graphile-worker'
import { answerQuestions } from '../support/answer.ts'
import { answerJobs, JOB_CONCURRENCY } from '../support/job-program.ts'

await answerQuestions(async ({ url }) => {
  const utils = await makeWorkerUtils({ connectionString: url })
  await utils.migrate()
  let completed = 0
  const runner = await run({
    connectionString: url,
    concurrency: JOB_CONCURRENCY,
    maxPoolSize: 12,
    noHandleSignals: true,
    pollInterval: 500,
    logger: silent(),
    taskList: {
      noop: async () => {
        completed += 1
      },
    },
  })
  return {
    ready: null,
    answer: answerJobs(
      (n) => utils.addJob('noop', { n }),
      () => completed,
    ),
    close: async () => {
      await runner.stop()
      await utils.release()
    },
  }
})

function silent() {
  const nothing = () => undefined
  const logger = {
    error: nothing,
    warn: nothing,
    info: nothing,
    debug: nothing,
    log: nothing,
    scope: () => logger,
  }
  return logger
}
