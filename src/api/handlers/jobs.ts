import type { JobId } from '../../base/ids.ts'
import { REDRIVE_DEFAULT } from '../../contract/job.ts'
import type { ApiDeps } from '../api-deps.ts'
import { type Handlers, ok } from '../call.ts'
import { idOf } from '../id-of.ts'
import { page } from '../paging.ts'
import { jobView, workerView } from '../views/job-view.ts'

type JobRoutes = typeof import('../../contract/routes/jobs.ts').jobRoutes

export function jobHandlers({ runtime }: ApiDeps): Pick<Handlers, keyof JobRoutes> {
  const { jobs } = runtime
  return {
    async listJobs({ principal: { tenantId }, query }) {
      const { state, kind } = query
      const list = `jobs ${state ?? ''} ${kind ?? ''}`
      return ok(
        await page(list, tenantId, query, (asked) => jobs.list(tenantId, { ...asked, state, kind }), jobView),
      )
    },
    async getJob({ principal: { tenantId }, params }) {
      return ok(jobView(await runtime.job(tenantId, jobOf(params))))
    },
    async cancelJob({ principal, params, request }) {
      return ok(jobView(await jobs.cancel(principal, jobOf(params), { requestId: request.requestId })))
    },
    async retryJob({ principal, params, request }) {
      return ok(jobView(await jobs.retry(principal, jobOf(params), { requestId: request.requestId })))
    },
    async redriveJob({ principal, params, request }) {
      return ok(jobView(await jobs.redrive(principal, jobOf(params), { requestId: request.requestId })))
    },
    async redriveJobs({ principal, body, request }) {
      const { state = 'dead', kind, limit = REDRIVE_DEFAULT } = body
      const { items, refused, more } = await jobs.redriveMany(
        principal,
        { state, kind, limit },
        { requestId: request.requestId },
      )
      return ok({ items: items.map(jobView), refused: [...refused], more })
    },
    async listWorkers() {
      const workers = await jobs.workers()
      return ok({ items: workers.map(workerView) })
    },
  }
}

function jobOf(params: { readonly id: string }): JobId {
  return idOf('job', params.id, 'job.not-found')
}
