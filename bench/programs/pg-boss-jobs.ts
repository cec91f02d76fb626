// The bare engine: pg-boss with its own jobs, batches of the size that our worker claims. It fetches again at once while
// its batches are full, and is notified of new jobs: as quick as its own settings make it.

import { PgBoss } from 'pg-boss'
import { answerQuestions } from '../support/answer.ts'
import { answerJobs, JOB_CONCURRENCY, type JobAnswer, type JobQuestion } from '../support/job-program.ts'

const QUEUE = 'bench'
/** The shortest that pg-boss allows. */
const POLL_SECONDS = 0.5

await answerQuestions<{ readonly url: string }, null, JobQuestion, JobAnswer>(async ({ url }) => {
  const boss = new PgBoss({ connectionString: url, max: 10, useListenNotify: true })
  boss.on('error', () => undefined)
  await boss.start()
  await boss.createQueue(QUEUE, { notify: true })
  let completed = 0
  await boss.work(
    QUEUE,
    {
      batchSize: JOB_CONCURRENCY,
      pollingIntervalSeconds: POLL_SECONDS,
      notifyPollingIntervalSeconds: POLL_SECONDS,
      burstWhenBatchFull: true,
      localConcurrency: 2,
    },
    async (jobs) => {
      completed += jobs.length
    },
  )
  return {
    ready: null,
    answer: answerJobs(
      (n) => boss.send(QUEUE, { n }),
      () => completed,
    ),
    close: () => boss.stop({ graceful: false }),
  }
})
