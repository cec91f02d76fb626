import type { SessionId } from '../../base/ids.ts'
import type { ApiDeps } from '../api-deps.ts'
import { created, type Handlers, ok } from '../call.ts'
import { idOf } from '../id-of.ts'
import { once } from '../idempotency.ts'
import { numberedPage } from '../paging.ts'
import { sessionView, turnView } from '../views/run-view.ts'

type SessionRoutes = typeof import('../../contract/routes/sessions.ts').sessionRoutes

export function sessionHandlers(deps: ApiDeps): Pick<Handlers, keyof SessionRoutes> {
  const { runtime } = deps
  return {
    createSession: (call) => {
      const { principal, body, request } = call
      return once(deps.idempotency, call, {
        status: 201,
        make: async (inTransaction) => {
          const context = { requestId: request.requestId, inTransaction }
          const session = await runtime.createSession(principal, body.agent, context)
          return created(sessionView(session), `/api/v1/sessions/${session.id}`)
        },
        again: async (id) =>
          created(
            sessionView(await runtime.session(principal.tenantId, sessionOf({ id }))),
            `/api/v1/sessions/${id}`,
          ),
      })
    },
    async getSession({ principal: { tenantId }, params }) {
      return ok(sessionView(await runtime.session(tenantId, sessionOf(params))))
    },
    async listSessionTurns({ principal: { tenantId }, params, query }) {
      const id = sessionOf(params)
      return ok(
        await numberedPage(
          `turns ${id}`,
          tenantId,
          query,
          (asked) => runtime.sessionTurns(tenantId, id, asked),
          (turn) => turn.seq,
          turnView,
        ),
      )
    },
  }
}

function sessionOf(params: { readonly id: string }): SessionId {
  return idOf('session', params.id, 'session.not-found')
}
