// What the programs of the queue bench have in common: each enqueues no-op jobs one by one, so many at a time, as an
// application does, and completes what it gets, from whichever process it comes.

export type JobQuestion =
  /** Answers once all are in the queue. */
  | { readonly type: 'enqueue'; readonly jobs: number }
  /** How many jobs this process has completed since it was opened. */
  | { readonly type: 'completed' }

export interface JobAnswer {
  readonly completed: number
}

export const ENQUEUERS = 50
export const JOB_CONCURRENCY = 50

/** Calls `enqueue` so often, so many at a time. */
export async function enqueueAll(jobs: number, enqueue: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    for (let n = next++; n < jobs; n = next++) await enqueue(n)
  }
  await Promise.all(Array.from({ length: Math.min(ENQUEUERS, jobs) }, lane))
}

export function answerJobs(
  enqueue: (n: number) => Promise<unknown>,
  completed: () => number,
): (question: JobQuestion) => Promise<JobAnswer> {
  return async (question) => {
    if (question.type === 'enqueue') await enqueueAll(question.jobs, enqueue)
    return { completed: completed() }
  }
}
