import { parseTime } from '../../base/time.ts'
import { startedRun } from '../accepted-run.ts'
import type { ApiDeps } from '../api-deps.ts'
import type { Handlers } from '../call.ts'
import { idOf } from '../id-of.ts'
import { waitSecondsOf } from '../settled-run.ts'
import { definitionHandlers } from './definitions.ts'

type WorkflowRoutes = typeof import('../../contract/routes/workflows.ts').workflowRoutes

export function workflowHandlers(deps: ApiDeps): Pick<Handlers, keyof WorkflowRoutes> {
  const workflows = definitionHandlers(deps, 'workflow', deps.catalog.workflows)
  return {
    listWorkflows: workflows.list,
    createWorkflow: workflows.create,
    getWorkflow: workflows.get,
    updateWorkflow: workflows.update,
    deleteWorkflow: workflows.remove,
    listWorkflowVersions: workflows.versions,
    getWorkflowVersion: workflows.version,
    publishWorkflow: workflows.publish,
    rollbackWorkflow: workflows.rollback,
    diffWorkflow: workflows.diff,
    startWorkflow(call) {
      const { params, query, body, request } = call
      const { input = {}, projectId, limits, priority, dedupKey, notBefore } = body
      const asked = {
        workflow: params.id,
        input,
        projectId: projectId === undefined ? undefined : idOf('project', projectId, 'project.not-found'),
        limits,
        priority,
        dedupKey,
        notBefore: notBefore === undefined ? undefined : parseTime(notBefore),
        traceparent: request.traceparent,
      }
      return startedRun(deps, call, asked, waitSecondsOf(query, request))
    },
  }
}
