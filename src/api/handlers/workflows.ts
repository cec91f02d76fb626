import type { ApiDeps } from '../api-deps.ts'
import type { Handlers } from '../call.ts'
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
  }
}
