import type { TenantId } from '../../base/ids.ts'
import type { Run as RunResource } from '../../contract/run.ts'
import { TERMINAL_STATES } from '../../contract/run.ts'
import type { Run } from '../../runtime/runtime.ts'
import type { ApiDeps } from '../api-deps.ts'
import type { Answer, Handlers, RequestFacts } from '../call.ts'
import { idOf } from '../id-of.ts'
import { once } from '../idempotency.ts'
import { settledRun, waitSecondsOf } from '../settled-run.ts'
import { runView } from '../views/run-view.ts'
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
      const { principal, params, query, body, request } = call
      const { tenantId } = principal
      const waitSeconds = waitSecondsOf(query, request)
      const asked = {
        agent: params.id,
        input: body.input,
        sessionId:
          body.sessionId === undefined ? undefined : idOf('session', body.sessionId, 'session.not-found'),
        limits: body.limits,
        traceparent: request.traceparent,
      }
      return once(deps.idempotency, call, {
        status: 202,
        make: async (inTransaction) => {
          const run = await deps.runtime.start(principal, asked, {
            requestId: request.requestId,
            inTransaction,
          })
          deps.log.info(
            { request_id: request.requestId, run_id: run.id, tenant_id: tenantId },
            'run accepted',
          )
          return accepted(deps, tenantId, request, run, waitSeconds)
        },
        again: async (id) => {
          const run = await deps.runtime.get(tenantId, idOf('run', id, 'run.not-found'))
          return accepted(deps, tenantId, request, run, waitSeconds)
        },
      })
    },
  }
}

/** 202 with where to look, or, after a wait in which the run came to rest, 200. */
async function accepted(
  deps: ApiDeps,
  tenantId: TenantId,
  request: RequestFacts,
  run: Run,
  waitSeconds: number,
): Promise<Answer<RunResource>> {
  const headers = { location: `/api/v1/runs/${run.id}` }
  if (waitSeconds <= 0) return { status: 202, value: runView(run), headers }
  const then = await settledRun(deps, tenantId, run.id, request, waitSeconds)
  const atRest = TERMINAL_STATES.has(then.state) || then.state === 'waiting'
  return { status: atRest ? 200 : 202, value: runView(then), headers }
}
