import { parseTime } from '../../base/time.ts'
import { startedRun } from '../accepted-run.ts'
import type { ApiDeps } from '../api-deps.ts'
import type { Handlers } from '../call.ts'
import { idOf } from '../id-of.ts'
import { waitSecondsOf } from '../settled-run.ts'
import { definitionHandlers } from './definitions.ts'

type AgentRoutes = typeof import('../../contract/routes/agents.ts').agentRoutes

export function agentHandlers(deps: ApiDeps): Pick<Handlers, keyof AgentRoutes> {
  const agents = definitionHandlers(deps, 'agent', deps.catalog.agents)
  return {
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
    startRun(call) {
      const { params, query, body, request } = call
      const asked = {
        agent: params.id,
        input: body.input,
        sessionId:
          body.sessionId === undefined ? undefined : idOf('session', body.sessionId, 'session.not-found'),
        projectId:
          body.projectId === undefined ? undefined : idOf('project', body.projectId, 'project.not-found'),
        limits: body.limits,
        priority: body.priority,
        notBefore: body.notBefore === undefined ? undefined : parseTime(body.notBefore),
        dedupKey: body.dedupKey,
        traceparent: request.traceparent,
      }
      return startedRun(deps, call, asked, waitSecondsOf(query, request))
    },
  }
}
