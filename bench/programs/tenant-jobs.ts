// Our queue with jobs that take a little time, for several tenants: how long some wait, on an idle system and on one that
// another tenant has filled.

import { setTimeout as sleep } from 'node:timers/promises'
import { answerQuestions } from '../support/answer.ts'
import { type OurQueueInput, openOurQueue } from '../support/our-queue.ts'

export type TenantQuestion =
  /** Puts so many jobs of another tenant in the queue; answers once the workers do them. */
  | { readonly type: 'fill'; readonly jobs: number }
  /** Puts so many jobs of a tenant of their own in the queue at once; answers how long each waited for its start. */
  | { readonly type: 'measure'; readonly jobs: number }
  /** Waits until nothing is left. */
  | { readonly type: 'empty' }

export interface TenantAnswer {
  readonly waitMs: readonly number[]
  /** Jobs of the other tenant that were still to be done at the end. */
  readonly left: number
}

/** As many as a worker does by default. */
const CONCURRENCY = 16
const JOB_MS = 10
const LOOK_MS = 20
/** So many jobs were done since it was filled: it is as busy as it gets. */
const BUSY_JOBS = 200

await answerQuestions<OurQueueInput, null, TenantQuestion, TenantAnswer>(async (input) => {
  let put = 0
  let started = 0
  const startedAt = new Map<string, number>()
  const queue = await openOurQueue(input, CONCURRENCY, async ({ jobId }) => {
    startedAt.set(jobId, performance.now())
    started += 1
    await sleep(JOB_MS)
    return { status: 'done' }
  })
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await sleep(LOOK_MS)
  }
  const fill = async (jobs: number): Promise<void> => {
    await queue.fill(await queue.tenant(), jobs)
    put += jobs
    const enough = started + BUSY_JOBS
    await until(() => started >= enough)
  }
  const measure = async (jobs: number): Promise<readonly number[]> => {
    const tenantId = await queue.tenant()
    const putAt = performance.now()
    const ids = await Promise.all(Array.from({ length: jobs }, () => queue.enqueue(tenantId)))
    put += jobs
    await until(() => ids.every((id) => startedAt.has(id)))
    return ids.map((id) => (startedAt.get(id) ?? putAt) - putAt)
  }
  return {
    ready: null,
    answer: async (question) => {
      const waitMs = question.type === 'measure' ? await measure(question.jobs) : []
      if (question.type === 'fill') await fill(question.jobs)
      const left = put - started
      if (question.type === 'empty') {
        await until(() => started >= put)
        startedAt.clear()
      }
      return { waitMs, left }
    },
    close: () => queue.close(),
  }
})
