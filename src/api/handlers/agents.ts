import type { Principal } from '../../contract/principal.ts'
import { preferredWait } from '../request/request-headers.ts'
import { type Run, TERMINAL_STATES } from '../../contract/run.ts'
import type { ApiDeps } from '../api-deps.ts'
import type { Answer, Handlers, RequestFacts } from '../call.ts'
import { once } from '../idempotency.ts'
import { idOf } from '../id-of.ts'
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
    async startRun(call) {
      const { principal, params, query, body, request } = call
      const waitSeconds = query.wait ?? preferredWait(request.header('prefer')) ?? 0
      const finish = (run: Run) => accepted(deps, principal, request, run, waitSeconds)
      return once(deps.idempotency, call, {
        status: 202,
        make: async (inTransaction) => {
          const { input, limits } = body
          const sessionId = body.sessionId === undefined ? undefined : idOf('session', body.sessionId, 'session.not-found')
          const asked = { agent: params.id, input, sessionId, limits, traceparent: request.traceparent }
          const run = await deps.runtime.start(principal, asked, { requestId: request.requestId, inTransaction })
          return finish(runView(run))
        },
        again: async (id) => finish(runView(await deps.runtime.get(principal.tenantId, idOf('run', id, 'run.not-found')))),
      })
    },
  }
}

/** 202 with where to look, or, after a wait in which the run came to rest, 200. */
async function accepted(
  deps: ApiDeps,
  principal: Principal,
  request: RequestFacts,
  run: Run,
  waitSeconds: number,
): Promise<Answer<Run>> {
  deps.log.info({ request_id: request.requestId, run_id: run.id, tenant_id: principal.tenantId }, 'run accepted')
  const headers = { location: `/api/v1/runs/${run.id}` }
  if (waitSeconds <= 0) return { status: 202, value: run, headers }
  const value = await settled(deps, principal, request, run, waitSeconds)
  const atRest = TERMINAL_STATES.has(value.state) || value.state === 'waiting'
  return { status: atRest ? 200 : 202, value, headers }
}

/** The run as it is stored when it came to rest, the time is over, the client is gone or the server stops. */
async function settled(
  deps: ApiDeps,
  principal: Principal,
  request: RequestFacts,
  run: Run,
  waitSeconds: number,
): Promise<Run> {
  const id = idOf('run', run.id, 'run.not-found')
  const signal = AbortSignal.any([request.signal(), deps.stopping])
  try {
    return runView(await deps.runtime.wait(principal.tenantId, id, waitSeconds * 1_000, signal))
  } catch (error) {
    if (!signal.aborted) throw error
    return runView(await deps.runtime.get(principal.tenantId, id))
  }
}
