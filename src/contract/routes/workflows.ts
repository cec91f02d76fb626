import type { z } from 'zod'
import { resourceOf, versionOf } from '../resource.ts'
import { route, START_REFUSALS } from '../route.ts'
import { run, startWorkflow } from '../run.ts'
import { workflowDefinition } from '../workflow.ts'
import { definitionRoutes, whichAndPolicy } from './definitions.ts'
import { idOrName } from './path-params.ts'
import { waitQuery } from './runs.ts'

const id = idOrName('workflow.not-found', 'triage')

const workflows = definitionRoutes({
  kind: 'workflow',
  definition: workflowDefinition,
  id,
  read: 'READ_WORKFLOWS',
  write: 'WRITE_WORKFLOWS',
  remove: 'DELETE_WORKFLOWS',
  refusals: ['definition.invalid', 'workflow.name-taken'],
  publish: whichAndPolicy,
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
  startWorkflow: route({
    method: 'POST',
    path: '/workflows/{id}/runs',
    permission: 'RUN_WORKFLOWS',
    feature: 'workflows',
    tag: 'runs',
    summary: 'Run a workflow',
    description:
      'Answers 202 at once, or waits with `wait` (or `Prefer: wait=N`): 200 when the run has ended or waits for somebody.',
    params: { id },
    query: waitQuery,
    body: { schema: startWorkflow },
    responses: { 202: run, 200: run },
    errors: [
      ...START_REFUSALS,
      'workflow.not-published',
      'workflow.archived',
      'workflow.input-invalid',
      'agent.not-found',
      'agent.not-published',
      'agent.archived',
      'tool.not-found',
      'tool.unregistered',
      'project.not-found',
    ],
    idempotent: true,
  }),
} as const

const workflow = resourceOf(workflowDefinition)
const workflowVersion = versionOf(workflowDefinition)
export type Workflow = z.infer<typeof workflow>
export type WorkflowVersion = z.infer<typeof workflowVersion>
