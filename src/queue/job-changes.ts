// What others change of jobs than the worker that holds them: people, and the runs that they drive. SQL in, rows out; it
// decides nothing.

import type { ExpressionBuilder } from 'kysely'
import type { JobId, RunId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import type { TenantTransaction } from '../storage/database.ts'
import { type Bind, statement, type Tables } from '../storage/statement.ts'
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

/**
 * Puts a run's job that waits (for somebody, for a time, for a worker) back in the queue. One that waited for its time
 * is only due sooner. False where it did not wait.
 */
export async function wakeJob(tx: TenantTransaction, runId: RunId, at: EpochMs): Promise<boolean> {
  return (await tx.run(updateWaiting, { runId, at })) === 1
}

/** Cancels a run's job that no worker holds. False where one does, or it had ended. */
export async function withdrawJob(tx: TenantTransaction, runId: RunId, at: EpochMs): Promise<boolean> {
  return (await tx.run(updateUnheld, { runId, at })) === 1
}

/** Queued anew, in the place that is due now, and without a ticket. */
function dueNow(eb: ExpressionBuilder<Tables, 'jobs'>, at: EpochMs) {
  return {
    state: 'queued' as const,
    notBefore: at,
    readyRank: eb(eb('priority', '*', CLASS_AGE_MS), '+', at),
    ticketedAt: 0,
    updatedAt: at,
  }
}

const requeueWaiting = statement('jobs.retry', (db, p: Bind<{ id: JobId; at: EpochMs }>) =>
  db
    .updateTable('jobs')
    .set((eb) => dueNow(eb, p.at))
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .where('state', 'in', ['scheduled', 'unroutable']),
)

const requeueDead = statement('jobs.redrive', (db, p: Bind<{ id: JobId; at: EpochMs }>) =>
  db
    .updateTable('jobs')
    .set((eb) => ({
      ...dueNow(eb, p.at),
      attempt: 0,
      cancelRequestedAt: null,
      errorCode: null,
      errorMessage: null,
      finishedAt: null,
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

const updateWaiting = statement('jobs.wake', (db, p: Bind<{ runId: RunId; at: EpochMs }>) =>
  db
    .updateTable('jobs')
    .set((eb) => ({
      ...dueNow(eb, p.at),
      attempt: eb.case().when('state', '=', 'parked').then(0).else(eb.ref('attempt')).end(),
      errorCode: null,
      errorMessage: null,
    }))
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('state', 'in', ['parked', 'scheduled', 'unroutable']),
)

const updateUnheld = statement('jobs.withdraw', (db, p: Bind<{ runId: RunId; at: EpochMs }>) =>
  db
    .updateTable('jobs')
    .set({ state: 'cancelled', finishedAt: p.at, updatedAt: p.at })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('state', 'in', ['queued', 'scheduled', 'parked', 'unroutable']),
)
