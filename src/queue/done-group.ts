// Jobs that ended well at the same moment are settled together: one statement and one commit for many.

import type { Clock, EpochMs } from '../base/time.ts'
import type { Database } from '../storage/database.ts'
import { type SystemBind, systemStatement } from '../storage/statement.ts'
import type { ClaimedJob } from './job.ts'
import { givenKeys, keyTexts } from './job-keys.ts'

/** How many jobs one statement settles. */
const GROUP_MAX = 500

export interface DoneGroup {
  /** Settles the job as done, for good. False where the lease was lost. */
  settle(job: ClaimedJob): Promise<boolean>
}

interface Waiting {
  readonly job: ClaimedJob
  resolve(settled: boolean): void
  reject(error: unknown): void
}

export function createDoneGroup(db: Database, clock: Clock): DoneGroup {
  const waiting: Waiting[] = []
  let busy = false

  const flush = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = waiting.splice(0, GROUP_MAX)
      try {
        const jobs = keyTexts(
          group.map(({ job: { tenantId, jobId, fence } }) => ({ tenantId, id: jobId, fence })),
        )
        const settled = await db.system.write((tx) => tx.all(settleDone, { jobs, at: clock() }))
        const ids = new Set(settled.map(({ tenantId, id }) => `${tenantId} ${id}`))
        for (const { job, resolve } of group) resolve(ids.has(`${job.tenantId} ${job.jobId}`))
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    busy = false
  }

  return {
    settle: (job) =>
      new Promise((resolve, reject) => {
        waiting.push({ job, resolve, reject })
        if (busy) return
        busy = true
        // At the end of the event loop's turn, so that all who end in it share the statement.
        setImmediate(() => void flush())
      }),
  }
}

export const settleDone = systemStatement(
  'jobs.settle-done',
  'a worker holds jobs of many tenants',
  (db, p: SystemBind<{ jobs: string; at: EpochMs }>, dialect) =>
    db
      .updateTable('jobs')
      .from(givenKeys(dialect, p.jobs))
      .set({
        state: 'done',
        leaseOwner: null,
        errorCode: null,
        errorMessage: null,
        updatedAt: p.at,
        finishedAt: p.at,
      })
      .whereRef('jobs.tenantId', '=', 'given.tenantId')
      .whereRef('jobs.id', '=', 'given.id')
      .whereRef('jobs.fence', '=', 'given.fence')
      .where('jobs.state', '=', 'leased')
      .returning(['jobs.tenantId', 'jobs.id']),
)
