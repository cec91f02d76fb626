import type { z } from 'zod'
import { resourceOf, versionOf } from '../resource.ts'
import { workflowDefinition } from '../workflow.ts'
import { definitionRoutes } from './definitions.ts'
import { idOrName } from './path-params.ts'

const workflows = definitionRoutes({
  kind: 'workflow',
  definition: workflowDefinition,
  id: idOrName('workflow.not-found', 'triage'),
  read: 'READ_WORKFLOWS',
  write: 'WRITE_WORKFLOWS',
  remove: 'DELETE_WORKFLOWS',
  refusals: ['definition.invalid', 'workflow.name-taken'],
})

export const workflowRoutes = {
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
} as const

const workflow = resourceOf(workflowDefinition)
const workflowVersion = versionOf(workflowDefinition)
export type Workflow = z.infer<typeof workflow>
export type WorkflowVersion = z.infer<typeof workflowVersion>
