// The bare engine: BullMQ with its own jobs.

import { Queue, Worker } from 'bullmq'
import { answerQuestions } from '../support/answer.ts'
import { answerJobs, JOB_CONCURRENCY, type JobAnswer, type JobQuestion } from '../support/job-program.ts'

const QUEUE = 'bench'

await answerQuestions<{ readonly url: string }, null, JobQuestion, JobAnswer>(async ({ url }) => {
  const connection = { url, maxRetriesPerRequest: null }
  const queue = new Queue(QUEUE, { connection })
  let completed = 0
  const worker = new Worker(
    QUEUE,
    async () => {
      completed += 1
    },
    { connection, concurrency: JOB_CONCURRENCY, removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } },
  )
  await worker.waitUntilReady()
  return {
    ready: null,
    answer: answerJobs(
      (n) => queue.add('noop', { n }),
      () => completed,
    ),
    close: async () => {
      await worker.close(true)
      await queue.close()
    },
  }
})
