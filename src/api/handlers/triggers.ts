import type { TriggerId } from '../../base/ids.ts'
import { formatTime } from '../../base/time.ts'
import type { ApiDeps } from '../api-deps.ts'
import { created, type Handlers, NO_CONTENT, ok } from '../call.ts'
import { idOf } from '../id-of.ts'
import { once } from '../idempotency.ts'
import { page } from '../paging.ts'
import { signalView, triggerView } from '../views/trigger-view.ts'

type TriggerRoutes = typeof import('../../contract/routes/triggers.ts').triggerRoutes

export function triggerHandlers(deps: ApiDeps): Pick<Handlers, keyof TriggerRoutes> {
  const { triggers } = deps.runtime
  return {
    createTrigger: (call) => {
      const { principal, body, request } = call
      return once(deps.idempotency, call, {
        status: 201,
        make: async (inTransaction) => {
          const context = { requestId: request.requestId, inTransaction }
          const { trigger, secret } = await triggers.create(principal, body, context)
          return created({ ...triggerView(trigger), secret }, locationOf(trigger.row.id))
        },
        // The secret was shown once and is stored nowhere; a rotation gives another.
        again: async (id) => {
          const trigger = await triggers.get(principal.tenantId, triggerOf({ id }))
          return created({ ...triggerView(trigger), secret: null }, locationOf(id))
        },
      })
    },
    async listTriggers({ principal: { tenantId }, query }) {
      const { kind } = query
      const find = (asked: { readonly limit: number; readonly cursor?: string | undefined }) =>
        triggers.list(tenantId, { ...asked, kind })
      return ok(await page(`triggers ${kind ?? ''}`, tenantId, query, find, triggerView))
    },
    async getTrigger({ principal: { tenantId }, params }) {
      return ok(triggerView(await triggers.get(tenantId, triggerOf(params))))
    },
    async updateTrigger({ principal, params, body, request }) {
      const context = { requestId: request.requestId }
      return ok(triggerView(await triggers.update(principal, triggerOf(params), body, context)))
    },
    async deleteTrigger({ principal, params, request }) {
      await triggers.delete(principal, triggerOf(params), { requestId: request.requestId })
      return NO_CONTENT
    },
    async rotateTriggerSecret({ principal, params, request }) {
      const context = { requestId: request.requestId }
      const { secret, previousUntil } = await triggers.rotateSecret(principal, triggerOf(params), context)
      return ok({ secret, previousUntil: formatTime(previousUntil) })
    },
    async receiveWebhook({ params, body, request }) {
      const { runId } = await triggers.receive(triggerOf(params), { body, header: request.header })
      return { status: 202, value: { runId } }
    },
    sendEvent: (call) => {
      const { principal, body, request } = call
      const { name, correlation = '', data = null } = body
      return once(deps.idempotency, call, {
        status: 202,
        make: async (inTransaction) => {
          const context = { requestId: request.requestId, inTransaction }
          const sent = await triggers.send(principal, { name, correlation, data }, context)
          return { status: 202, value: signalView(sent) }
        },
        again: async (id) => {
          const sent = await triggers.signal(principal.tenantId, idOf('signal', id, 'internal'))
          return { status: 202, value: signalView(sent) }
        },
      })
    },
  }
}

function locationOf(id: string): string {
  return `/api/v1/triggers/${id}`
}

function triggerOf(params: { readonly id: string }): TriggerId {
  return idOf('trigger', params.id, 'trigger.not-found')
}
