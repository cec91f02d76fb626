// What an operator of a tenant does with its jobs: look, cancel, let one be tried now, take up again what was given up.
// A job that drives a run is never changed apart from it: the run's own use cases do that.

import { AppError, isAppError } from '../base/errors.ts'
import type { JobId, RunId, TenantId } from '../base/ids.ts'
import type { Clock, EpochMs } from '../base/time.ts'
import type { AuditEventType } from '../contract/event.ts'
import { actorOf, type Principal } from '../contract/principal.ts'
import { appendAudit } from '../events/append.ts'
import { jobIdOf } from '../queue/job.ts'
import { cancelJob, redriveJob, retryJob } from '../queue/job-changes.ts'
import { type JobRow, jobById } from '../queue/job-store.ts'
import { listWorkers } from '../queue/registry.ts'
import type { Database, TenantReader, TenantTransaction } from '../storage/database.ts'
import type { Job, JobFilter, Jobs, Page, RedriveFilter, Redriven, Run, StartContext } from './runtime.ts'
import { jobView } from './views.ts'

export interface JobsDeps {
  readonly db: Database
  readonly clock: Clock
  readonly cancelRun: (principal: Principal, runId: RunId, context: StartContext) => Promise<unknown>
  /** Starts a run that goes on where this one failed. */
  readonly redriveRun: (principal: Principal, runId: RunId, context: StartContext) => Promise<Run>
  /** There is something to do. */
  readonly woken: () => void
}

export function createJobs(deps: JobsDeps): Jobs {
  const { db, clock } = deps
  const get = (tenantId: TenantId, id: JobId): Promise<Job> =>
    db.tenant(tenantId).read(async (reader) => jobView(found(await reader.first(jobById, { id }), id)))

  /** Changes the job's row where `change` can, and tells the audit log. */
  const changeRow = async (
    principal: Principal,
    id: JobId,
    context: StartContext,
    type: AuditEventType,
    change: (tx: TenantTransaction, job: JobRow, at: EpochMs) => Promise<boolean>,
  ): Promise<Job> => {
    const at = clock()
    const row = await db.tenant(principal.tenantId).write(async (tx) => {
      const job = found(await tx.first(jobById, { id }), id)
      if (!(await change(tx, job, at))) throw conflict(job)
      await recordJob(tx, principal, id, context, { type, data: { kind: job.kind, state: job.state }, at })
      return found(await tx.first(jobById, { id }), id)
    })
    deps.woken()
    return jobView(row)
  }

  const redrive = async (principal: Principal, id: JobId, context: StartContext): Promise<Job> => {
    const job = await get(principal.tenantId, id)
    if (job.state === 'unroutable') return jobs.retry(principal, id, context)
    if (job.state !== 'dead') throw conflict(job)
    if (job.runId === null)
      return changeRow(principal, id, context, 'job.redriven', (tx, _row, at) => redriveJob(tx, id, at))
    const { id: runId } = await deps.redriveRun(principal, job.runId, {
      requestId: context.requestId,
      inTransaction: async (tx, made) => {
        const data = { kind: job.kind, run: made }
        await recordJob(tx, principal, id, context, { type: 'job.redriven', data, at: clock() })
        await context.inTransaction?.(tx, made)
      },
    })
    return get(principal.tenantId, jobIdOf(runId))
  }

  const jobs: Jobs = {
    list: (tenantId, filter) => db.tenant(tenantId).read((reader) => listJobs(reader, filter)),
    async cancel(principal, id, context) {
      const { tenantId } = principal
      const job = await get(tenantId, id)
      if (job.runId === null)
        return changeRow(principal, id, context, 'job.cancelled', (tx, _row, at) => cancelJob(tx, id, at))
      await deps.cancelRun(principal, job.runId, context).catch((error: unknown) => {
        throw isAppError(error, 'run.finished') ? conflict(job) : error
      })
      return get(tenantId, id)
    },
    retry: (principal, id, context) =>
      changeRow(principal, id, context, 'job.retried', (tx, _row, at) => retryJob(tx, id, at)),
    redrive,
    async redriveMany(principal, { state, kind, limit }, context) {
      const found = await db
        .tenant(principal.tenantId)
        .read((reader) => oldestJobs(reader, { state, kind, limit: limit + 1 }))
      const items: Job[] = []
      const refused: Redriven['refused'][number][] = []
      for (const id of found.slice(0, limit)) {
        try {
          items.push(await redrive(principal, id, context))
        } catch (error) {
          if (!isAppError(error)) throw error
          refused.push({ jobId: id, error: { code: error.code, message: error.message } })
        }
      }
      return { items, refused, more: found.length > limit }
    },
    workers: () => db.system.read((reader) => listWorkers(reader, clock())),
  }
  return jobs
}

async function listJobs(reader: TenantReader, filter: JobFilter): Promise<Page<Job>> {
  const { limit, cursor, state, kind } = filter
  const rows = await reader.query((db, tenantId) => {
    let query = db.selectFrom('jobs').selectAll().where('tenantId', '=', tenantId)
    if (cursor !== undefined) query = query.where('id', '<', cursor as JobId)
    if (state !== undefined) query = query.where('state', '=', state)
    if (kind !== undefined) query = query.where('kind', '=', kind)
    return query.orderBy('id', 'desc').limit(limit + 1)
  })
  const items = rows.slice(0, limit).map(jobView)
  return { items, nextCursor: rows.length > limit ? items.at(-1)?.id : undefined }
}

async function oldestJobs(
  reader: TenantReader,
  { state, kind, limit }: RedriveFilter,
): Promise<readonly JobId[]> {
  const rows = await reader.query((db, tenantId) => {
    const query = db
      .selectFrom('jobs')
      .select('id')
      .where('tenantId', '=', tenantId)
      .where('state', '=', state)
    return (kind === undefined ? query : query.where('kind', '=', kind)).orderBy('id').limit(limit)
  })
  return rows.map(({ id }) => id)
}

function recordJob(
  tx: TenantTransaction,
  principal: Principal,
  id: JobId,
  { requestId }: StartContext,
  fact: {
    readonly type: AuditEventType
    readonly data: Readonly<Record<string, string>>
    readonly at: EpochMs
  },
): Promise<void> {
  return appendAudit(tx, { ...fact, actor: actorOf(principal), subject: id, requestId })
}

function found<T>(row: T | undefined, id: JobId): T {
  if (row === undefined) throw new AppError('job.not-found', `There is no job "${id}".`)
  return row
}

function conflict({ id, state }: Pick<Job, 'id' | 'state'>): AppError {
  return new AppError('job.state-conflict', `The job "${id}" is ${state}: this cannot be done with it now.`)
}
