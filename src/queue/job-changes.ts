// What people change of jobs that no worker holds. SQL in, rows out; it decides nothing.

import type { JobId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import type { TenantTransaction } from '../storage/database.ts'
import { type Bind, statement } from '../storage/statement.ts'
import { CLASS_AGE_MS } from './job.ts'

/** Makes a job that waits for its next attempt or for a worker due now. False where it does not wait for that. */
export async function retryJob(tx: TenantTransaction, id: JobId, at: EpochMs): Promise<boolean> {
  return (await tx.run(requeueWaiting, { id, at })) === 1
}

/** Puts a dead job in the queue again, with all its attempts. False where it is not dead. */
export async function redriveJob(tx: TenantTransaction, id: JobId, at: EpochMs): Promise<boolean> {
  return (await tx.run(requeueDead, { id, at })) === 1
}

/** Ends a job that nobody holds, and tells the worker where one does. False where it had ended. */
export async function cancelJob(tx: TenantTransaction, id: JobId, at: EpochMs): Promise<boolean> {
  if ((await tx.run(endUnheld, { id, at })) === 1) return true
  return (await tx.run(flagHeld, { id, at })) === 1
}

const requeueWaiting = statement('jobs.retry', (db, p: Bind<{ id: JobId; at: EpochMs }>) =>
  db
    .updateTable('jobs')
    .set((eb) => ({
      state: 'queued' as const,
      notBefore: p.at,
      readyRank: eb(eb('priority', '*', CLASS_AGE_MS), '+', p.at),
      ticketedAt: 0,
      updatedAt: p.at,
    }))
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .where('state', 'in', ['scheduled', 'unroutable']),
)

const requeueDead = statement('jobs.redrive', (db, p: Bind<{ id: JobId; at: EpochMs }>) =>
  db
    .updateTable('jobs')
    .set((eb) => ({
      state: 'queued' as const,
      notBefore: p.at,
      readyRank: eb(eb('priority', '*', CLASS_AGE_MS), '+', p.at),
      attempt: 0,
      ticketedAt: 0,
      cancelRequestedAt: null,
      errorCode: null,
      errorMessage: null,
      finishedAt: null,
      updatedAt: p.at,
    }))
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .where('state', '=', 'dead'),
)

const endUnheld = statement('jobs.cancel', (db, p: Bind<{ id: JobId; at: EpochMs }>) =>
  db
    .updateTable('jobs')
    .set({ state: 'cancelled', finishedAt: p.at, updatedAt: p.at })
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .where('state', 'in', ['queued', 'scheduled', 'parked', 'unroutable']),
)

const flagHeld = statement('jobs.ask-cancel', (db, p: Bind<{ id: JobId; at: EpochMs }>) =>
  db
    .updateTable('jobs')
    .set({ cancelRequestedAt: p.at, updatedAt: p.at })
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .where('state', '=', 'leased'),
)
