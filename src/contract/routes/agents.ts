import type { z } from 'zod'
import { agentDefinition } from '../agent.ts'
import { resourceOf, versionOf } from '../resource.ts'
import { route, START_REFUSALS } from '../route.ts'
import { run, startRun } from '../run.ts'
import { definitionRoutes, whichAndPolicy } from './definitions.ts'
import { idOrName } from './path-params.ts'
import { waitQuery } from './runs.ts'

const id = idOrName('agent.not-found', 'guide')

const agents = definitionRoutes({
  kind: 'agent',
  definition: agentDefinition,
  id,
  read: 'READ_AGENTS',
  write: 'WRITE_AGENTS',
  remove: 'DELETE_AGENTS',
  refusals: ['definition.invalid', 'agent.name-taken', 'agent.cycle'],
  publish: whichAndPolicy,
})

export const agentRoutes = {
  listAgents: agents.list,
  createAgent: agents.create,
  getAgent: agents.get,
  updateAgent: agents.update,
  deleteAgent: agents.remove,
  listAgentVersions: agents.versions,
  getAgentVersion: agents.version,
  publishAgent: agents.publish,
  rollbackAgent: agents.rollback,
  diffAgent: agents.diff,
  startRun: route({
    method: 'POST',
    path: '/agents/{id}/runs',
    permission: 'RUN_AGENTS',
    tag: 'runs',
    summary: 'Run an agent',
    description:
      'Answers 202 at once, or waits with `wait` (or `Prefer: wait=N`): 200 when the run has ended or waits for somebody.',
    params: { id },
    query: waitQuery,
    body: { schema: startRun },
    responses: { 202: run, 200: run },
    errors: [
      ...START_REFUSALS,
      'agent.not-published',
      'agent.archived',
      'session.not-found',
      'session.busy',
      'project.not-found',
      'tool.not-found',
      'tool.unregistered',
      'model.unknown',
      'model.not-configured',
      'limit.depth',
    ],
    idempotent: true,
  }),
} as const

const agent = resourceOf(agentDefinition)
const agentVersion = versionOf(agentDefinition)
export type Agent = z.infer<typeof agent>
export type AgentVersion = z.infer<typeof agentVersion>
