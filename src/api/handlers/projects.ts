import type { ProjectId } from '../../base/ids.ts'
import type { ApiDeps } from '../api-deps.ts'
import { created, type Handlers, ok } from '../call.ts'
import { idOf } from '../id-of.ts'
import { once } from '../idempotency.ts'
import { page } from '../paging.ts'
import { projectView } from '../views/project-view.ts'

type ProjectRoutes = typeof import('../../contract/routes/projects.ts').projectRoutes

export function projectHandlers(deps: ApiDeps): Pick<Handlers, keyof ProjectRoutes> {
  const { projects } = deps.identity
  return {
    createProject: (call) => {
      const { principal, body, request } = call
      return once(deps.idempotency, call, {
        status: 201,
        make: async (inTransaction) => {
          const context = { requestId: request.requestId, inTransaction }
          const project = await projects.create(principal, body, context)
          return created(projectView(project), locationOf(project.id))
        },
        again: async (id) =>
          created(projectView(await projects.get(principal.tenantId, projectOf({ id }))), locationOf(id)),
      })
    },
    async listProjects({ principal: { tenantId }, query }) {
      const { state } = query
      const find = (asked: { readonly limit: number; readonly cursor?: string | undefined }) =>
        projects.list(tenantId, { ...asked, state })
      return ok(await page(`projects ${state ?? ''}`, tenantId, query, find, projectView))
    },
    async getProject({ principal: { tenantId }, params }) {
      return ok(projectView(await projects.get(tenantId, projectOf(params))))
    },
    async updateProject({ principal, params, body, request }) {
      const context = { requestId: request.requestId }
      return ok(projectView(await projects.update(principal, projectOf(params), body, context)))
    },
  }
}

function locationOf(id: string): string {
  return `/api/v1/projects/${id}`
}

function projectOf(params: { readonly id: string }): ProjectId {
  return idOf('project', params.id, 'project.not-found')
}
