// Our queue with no-op jobs: each is put in the queue in a transaction of its own.

import { answerQuestions } from '../support/answer.ts'
import { answerJobs, JOB_CONCURRENCY, type JobAnswer, type JobQuestion } from '../support/job-program.ts'
import { type OurQueueInput, openOurQueue } from '../support/our-queue.ts'

await answerQuestions<OurQueueInput, null, JobQuestion, JobAnswer>(async (input) => {
  let completed = 0
  const queue = await openOurQueue(input, JOB_CONCURRENCY, async () => {
    completed += 1
    return { status: 'done' }
  })
  const tenantId = await queue.tenant()
  return {
    ready: null,
    answer: answerJobs(
      () => queue.enqueue(tenantId),
      () => completed,
    ),
    close: () => queue.close(),
  }
})
